"""Reference lines against an independent solution: points on both planes, ends on the border of an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.geometry import SliceGeometry, vector3
from napari_lumbar.domain.planes import crossings_rc, frames_differ, link_trouble
from napari_lumbar.domain.study import Study

SAGITTAL = SliceGeometry((0.0, -80.0, 120.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), 0.8, 0.5, 300, 320)


def axial(tilt_deg: float, height_mm: float, turn_deg: float = 0.0) -> SliceGeometry:
    """An axial image through (0, 0, height), tilted about the left-right axis and turned about its normal."""
    tilt, turn = np.radians(tilt_deg), np.radians(turn_deg)
    right, back = np.array([1.0, 0, 0]), np.array([0, np.cos(tilt), -np.sin(tilt)])
    along_row = np.cos(turn) * right + np.sin(turn) * back
    along_column = np.cos(turn) * back - np.sin(turn) * right
    corner = np.array([0, 0, height_mm]) - 0.6 * (99 * along_row + 89 * along_column)
    return SliceGeometry(vector3(corner), vector3(along_row), vector3(along_column), 0.6, 0.6, 179, 199)


@given(st.floats(-35, 35), st.floats(-60, 60), st.floats(-30, 30))
def test_a_line_lies_on_both_images_and_ends_where_one_of_them_ends(
    tilt: float, height: float, turn: float
) -> None:
    other = axial(tilt, height, turn)
    ends = crossings_rc(SAGITTAL, [other])[0]
    points = SAGITTAL.lps_from_pixel(ends)
    assert other.signed_distance_mm(points) == pytest.approx([0, 0], abs=1e-6)
    for end, there in zip(ends, other.pixel_from_lps(points), strict=True):
        borders = np.concatenate([end, there])
        limits = np.array([300, 320, 179, 199]) - 0.5
        assert (borders >= -0.5 - 1e-6).all()
        assert (borders <= limits + 1e-6).all()
        assert min(np.abs(borders + 0.5).min(), np.abs(borders - limits).min()) < 1e-6


def test_every_slice_of_tilted_blocks_meets_the_sagittal_image_where_a_hand_computes_it() -> None:
    """At x = 0 a plane tilted by t about the left-right axis has z = height - y * tan(t)."""
    blocks = [(tilt, base + 4.0 * i) for tilt, base in ((-15, 50), (0, 15), (25, -35)) for i in range(5)]
    lines = crossings_rc(SAGITTAL, [axial(tilt, height) for tilt, height in blocks])
    for (tilt, height), ends in zip(blocks, lines, strict=True):
        y_mm = -80.0 + 0.5 * ends[:, 1]
        z_mm = 120.0 - 0.8 * ends[:, 0]
        assert z_mm == pytest.approx(
            height - y_mm * np.tan(np.radians(tilt)), abs=0.01
        )  # far below half a pixel
        half_length = 89.5 * 0.6 * np.cos(np.radians(tilt))
        assert sorted(y_mm) == pytest.approx([-half_length, half_length], abs=0.01)


def test_parallel_and_distant_images_have_no_line() -> None:
    far = axial(0, 500)
    steep = replace(SAGITTAL, position_lps_mm=(3.0, -80.0, 120.0))
    assert np.isnan(crossings_rc(SAGITTAL, [far, steep])).all()
    assert crossings_rc(SAGITTAL, []).shape == (0, 2, 2)


def test_trouble_is_named_and_differing_frames_are_told_apart(small_study: Study) -> None:
    t1, t2, axials = small_study.series
    assert link_trouble(t2, axials) == ""
    assert link_trouble(t2, t1) == "the planes are parallel"
    stack = axials.stacks[0]
    moved = [
        replace(s, geometry=replace(s.geometry, position_lps_mm=(-42.0, -40.0, 900.0))) for s in stack.slices
    ]
    away = replace(axials, stacks=(replace(stack, slices=tuple(moved)),))
    assert link_trouble(t2, away) == "the images do not meet"
    assert not frames_differ(t2, axials)  # neither names one
    framed = replace(t2, frame_of_reference_uid="1.2")
    assert not frames_differ(framed, axials)
    assert frames_differ(framed, replace(axials, frame_of_reference_uid="1.3"))
