"""Views of a landmark's slice: whole or around the point, and mirrored studies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import Landmark
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.bags import Jitter
from napari_lumbar.preprocess.slice_views import sample_view, slice_view, window_box

SPACING = 2.0


def _axial(images: list[np.ndarray]) -> MRSeries:
    """Slices of 40 x 30 pixels of 2 mm, centred on x = 0."""
    slices = tuple(
        MRSlice(
            SliceGeometry((-29.0, 0.0, -4.0 * i), (1, 0, 0), (0, 1, 0), SPACING, SPACING, 40, 30),
            image.astype(np.float32),
            str(i),
            i,
        )
        for i, image in enumerate(images)
    )
    return MRSeries("axial", "1", (SliceStack(slices),), SeriesRole.AXIAL_T2, "made")


def _mark(side: Side, x_mm: float, index: int = 1) -> Landmark:
    key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), Level.L3_L4)
    return Landmark(key, (x_mm, 30.0, -4.0 * index), "axial", index, (15.0, 0.0), 1.0)


@pytest.mark.parametrize("window_mm", [None, 24.0])
def test_a_mirrored_body_gives_the_same_image_with_sides_exchanged(window_mm: float | None) -> None:
    images = [np.random.default_rng(i).random((40, 30)) for i in range(3)]
    body, mirrored = _axial(images), _axial([image[:, ::-1] for image in images])
    for side, x_mm in ((Side.LEFT, 9.0), (Side.RIGHT, -9.0)):
        here = slice_view(_mark(side, x_mm), body, window_mm)
        there = slice_view(_mark(side.opposite, -x_mm), mirrored, window_mm)
        np.testing.assert_allclose(sample_view(here, body, 32), sample_view(there, mirrored, 32), atol=1e-6)


def test_the_whole_slice_is_stretched_to_the_image() -> None:
    series = _axial([np.full((40, 30), i / 3) for i in range(3)])
    view = slice_view(_mark(Side.LEFT, 9.0), series)
    assert view.crops[0].box_rc == (-0.5, -0.5, 39.5, 29.5)
    np.testing.assert_allclose(sample_view(view, series, 20), 1 / 3, atol=1e-6)


@pytest.mark.parametrize(("shift", "expected"), [(-2, 0), (-1, 0), (0, 1), (1, 2), (2, 2)])
def test_a_missed_slice_stays_in_the_stack(shift: int, expected: int) -> None:
    series = _axial([np.zeros((40, 30))] * 3)
    view = slice_view(_mark(Side.LEFT, 9.0), series, jitter=Jitter(slices=shift))
    assert view.crops[0].slice_index == expected
    assert view.annotated == 1


@given(st.floats(-50, 300), st.floats(-50, 300), st.floats(0.2, 3), st.floats(0.2, 3), st.floats(10, 200))
def test_a_window_is_centred_and_square_in_millimetres(
    row: float, column: float, dy: float, dx: float, side: float
) -> None:
    spacing = np.array([dy, dx])
    top, left, bottom, right = window_box(np.array([row, column]), spacing, side)
    assert ((top + bottom) / 2, (left + right) / 2) == pytest.approx((row, column), abs=1e-6)
    assert ((bottom - top) * dy, (right - left) * dx) == pytest.approx((side, side))
