"""When a spine is looked at a second time, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import Level
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack
from napari_lumbar.pipeline import spine_search
from napari_lumbar.pipeline.progress import CancelToken
from napari_lumbar.pipeline.sagittal_maps import SagittalMaps
from napari_lumbar.pipeline.spine_frame import SpineFrame, find_spine
from napari_lumbar.pipeline.spine_search import CLOSER_MM, look_for_spine, misses_levels
from napari_lumbar.preprocess.channels import SAGITTAL_MM

from .test_spine_frame import straight_spine


def with_levels(spine: SpineFrame, *kept: Level) -> SpineFrame:
    return replace(spine, levels={level: spine.levels[level] for level in kept})


def with_rows(maps: SagittalMaps, rows: int, cut_above: int = 0) -> SagittalMaps:
    """The same spine on images that begin ``cut_above`` pixels lower and have so many rows."""
    slices = [
        replace(
            s,
            geometry=replace(
                s.geometry,
                rows=rows,
                position_lps_mm=tuple(s.geometry.lps_from_pixel(np.array([cut_above, 0]))),
            ),
        )
        for s in maps.slices
    ]
    return replace(maps, slices=tuple(slices))


def test_levels_are_missed_only_where_the_image_goes_on() -> None:
    maps = straight_spine()  # 240 mm high; discs of L1/L2 to L5/S1 from 62 mm to 206 mm
    spine = find_spine(maps)
    assert not misses_levels(maps, spine)
    assert misses_levels(maps, with_levels(spine))
    above, below = list(Level)[:4], list(Level)[1:]
    assert misses_levels(maps, with_levels(spine, *above)), "70 mm below L4/L5"
    assert not misses_levels(with_rows(maps, 380), with_levels(spine, *above)), "58 mm are no room for L5/S1"
    assert misses_levels(maps, with_levels(spine, *below))
    assert not misses_levels(with_rows(maps, 300, cut_above=80), with_levels(spine, *below))
    assert misses_levels(maps, with_levels(spine, Level.L1_L2, Level.L3_L4, Level.L4_L5, Level.L5_S1))


@pytest.mark.parametrize(("first", "second", "looks", "counts"), [(5, 5, 1, 5), (3, 5, 2, 5), (4, 3, 2, 4)])
def test_the_closer_look_counts_if_it_finds_more(
    first: int, second: int, looks: int, counts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps, seen = straight_spine(), list[float]()
    spine = find_spine(maps)

    def look(
        _networks: object, _series: object, _device: object, _cancel: object, pixel_mm: float = SAGITTAL_MM
    ) -> SagittalMaps:
        seen.append(pixel_mm)
        return replace(maps, pixel_mm=pixel_mm)

    def find(maps: SagittalMaps) -> SpineFrame:
        return with_levels(spine, *list(Level)[: first if maps.pixel_mm == SAGITTAL_MM else second])

    monkeypatch.setattr(spine_search, "sagittal_maps", look)
    monkeypatch.setattr(spine_search, "find_spine", find)
    stack = SliceStack(maps.slices)
    series = MRSeries("1", "1", (stack,), SeriesRole.SAGITTAL_T2, "made so", "T2")
    found, levels = look_for_spine([], series, torch.device("cpu"), CancelToken())
    assert seen == [SAGITTAL_MM, CLOSER_MM][:looks]
    assert len(levels.levels) == counts
    assert found.pixel_mm == (CLOSER_MM if counts == second > first else SAGITTAL_MM)


def test_pixels_of_a_closer_look_lie_where_they_lie() -> None:
    closer = replace(straight_spine(), pixel_mm=CLOSER_MM)
    pixel = closer.pixel_from_map(np.array([10.0, 20.0]))
    np.testing.assert_allclose(pixel * 0.6, (np.array([20.5, 40.5])) * CLOSER_MM)
    np.testing.assert_allclose(closer.map_from_pixel(pixel), [10, 20])
