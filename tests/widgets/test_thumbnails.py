"""Thumbnails show the middle slice in true proportions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_lumbar.domain.study import MRSeries, SliceStack, Study
from napari_lumbar.widgets.thumbnails import thumbnail, thumbnails


def with_middle(series: MRSeries, pixels: np.ndarray) -> MRSeries:
    (stack,) = series.stacks
    slices = [replace(s, pixels=np.zeros_like(s.pixels)) for s in stack.slices]
    slices[len(slices) // 2] = replace(slices[0], pixels=pixels)
    return replace(series, stacks=(SliceStack(tuple(slices)),))


def test_the_middle_slice_is_shown_with_square_millimetres(small_study: Study) -> None:
    series = small_study.series[0]  # 80 x 64 pixels of 2.0 x 1.5 mm: 160 x 96 mm
    pixels = np.zeros((80, 64), dtype=np.float32)
    pixels[:40] = 100.0
    picture = thumbnail(with_middle(series, pixels), 40)
    assert picture.shape == (40, 40)
    assert picture.dtype == np.uint8
    lit = np.argwhere(picture == 255)
    assert lit.min(axis=0).tolist() == [0, 8]
    assert lit.max(axis=0).tolist() == [19, 31]


def test_every_series_has_one_whatever_it_shows(small_study: Study) -> None:
    flat = with_middle(small_study.series[0], np.full((80, 64), 7.0, dtype=np.float32))
    pictures = thumbnails(replace(small_study, series=(flat, *small_study.series[1:])))
    assert set(pictures) == {"t1", "t2", "ax"}
    assert not pictures["t1"].any()
