"""Parts of one sagittal series are looked at together where they continue each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.sagittal_stack import sagittal_stack


def stack(*places_mm: float, down_mm: float = 0.0, spacing_mm: float = 1.0) -> SliceStack:
    pixels, shape = np.zeros((8, 8), np.float32), (spacing_mm, spacing_mm, 8, 8)
    grids = [SliceGeometry((x, 0.0, -down_mm), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), *shape) for x in places_mm]
    return SliceStack(tuple(MRSlice(grid, pixels, f"1.{i}", i) for i, grid in enumerate(grids)))


def series(*stacks: SliceStack) -> MRSeries:
    return MRSeries("1", "1", stacks, SeriesRole.SAGITTAL_T1, "made so", "T1")


@pytest.mark.parametrize("sign", [1, -1])
def test_parts_beside_missing_slices_are_one(sign: int) -> None:
    first, second = stack(*(sign * x for x in (-20, -16, -12))), stack(*(sign * x for x in (0, 4, 8, 12)))
    index, joined = sagittal_stack(series(first, second))
    assert index == 0
    assert joined.slices == (*first.slices, *second.slices)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(stack(12, 16, down_mm=60), id="another field"),
        pytest.param(stack(12, 16, spacing_mm=2), id="another grid"),
        pytest.param(stack(-4, 0), id="the same places again"),
    ],
)
def test_else_the_stack_with_most_slices_is_looked_at(other: SliceStack) -> None:
    most = stack(-4, 0, 4)
    assert sagittal_stack(series(other, most)) == (2, most)
    assert sagittal_stack(series(most, other)) == (0, most)


def test_turned_parts_are_not_one() -> None:
    turned = stack(12, 16)
    geometry = replace(turned.slices[0].geometry, along_row=(0.1, np.sqrt(0.99), 0.0))
    turned = SliceStack(tuple(replace(s, geometry=geometry) for s in turned.slices))
    most = stack(-4, 0, 4)
    assert sagittal_stack(series(most, turned)) == (0, most)
