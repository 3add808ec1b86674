from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.errors import GeometryError
from napari_lumbar.domain.geometry import SliceGeometry, vector3

coordinates = st.floats(-500, 500)
spacings = st.floats(0.1, 3)
PLAIN = SliceGeometry((10, 20, 30), (1, 0, 0), (0, 1, 0), 2.0, 0.5, 8, 6)


@st.composite
def geometries(draw: st.DrawFn) -> SliceGeometry:
    """A slice of any orientation: three random rotations, one about each axis."""
    angles = [draw(st.floats(-math.pi, math.pi)) for _ in range(3)]
    (ca, cb, cc), (sa, sb, sc) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    about_y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    axes = about_x @ about_y @ about_z
    return SliceGeometry(
        position_lps_mm=vector3([draw(coordinates) for _ in range(3)]),
        along_row=vector3(axes[:, 0]),
        along_column=vector3(axes[:, 1]),
        row_spacing_mm=draw(spacings),
        column_spacing_mm=draw(spacings),
        rows=draw(st.integers(1, 1000)),
        columns=draw(st.integers(1, 1000)),
    )


@given(geometries(), st.tuples(coordinates, coordinates))
def test_pixel_to_patient_and_back(geometry: SliceGeometry, pixel_rc: tuple[float, float]) -> None:
    point = geometry.lps_from_pixel(pixel_rc)
    np.testing.assert_allclose(geometry.pixel_from_lps(point), pixel_rc, atol=1e-6)
    assert abs(geometry.signed_distance_mm(point)) < 1e-6


@given(geometries(), st.tuples(coordinates, coordinates), st.floats(-200, 200))
def test_a_point_off_the_plane_projects_along_the_normal(
    geometry: SliceGeometry, pixel_rc: tuple[float, float], depth_mm: float
) -> None:
    point = geometry.lps_from_pixel(pixel_rc) + depth_mm * geometry.normal
    np.testing.assert_allclose(geometry.pixel_from_lps(point), pixel_rc, atol=1e-5)
    assert float(geometry.signed_distance_mm(point)) == pytest.approx(depth_mm, abs=1e-6)


@given(geometries())
def test_the_centre_is_the_mean_of_the_corners(geometry: SliceGeometry) -> None:
    last_row, last_column = geometry.rows - 1, geometry.columns - 1
    corners = [[0, 0], [0, last_column], [last_row, 0], [last_row, last_column]]
    np.testing.assert_allclose(
        geometry.lps_from_pixel(corners).mean(axis=0), geometry.centre_lps_mm, atol=1e-6
    )


@given(geometries())
def test_against_the_matrix_of_the_standard(geometry: SliceGeometry) -> None:
    # DICOM PS3.3 equation C.7.6.2.1-1: columns are X * delta_i, Y * delta_j, 0, S, index is (column, row).
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(geometry.along_row) * geometry.column_spacing_mm
    matrix[:3, 1] = np.array(geometry.along_column) * geometry.row_spacing_mm
    matrix[:3, 3] = geometry.position_lps_mm
    row, column = 3.25, 7.5
    expected = (matrix @ [column, row, 0, 1])[:3]
    np.testing.assert_allclose(geometry.lps_from_pixel([row, column]), expected, atol=1e-9)


def test_rows_go_down_by_the_row_spacing_and_columns_right_by_the_column_spacing() -> None:
    expected = [[10.0, 20, 30], [10.0, 22, 30], [10.5, 20, 30]]
    np.testing.assert_allclose(PLAIN.lps_from_pixel([[0, 0], [1, 0], [0, 1]]), np.array(expected))
    np.testing.assert_array_equal(PLAIN.normal, np.array([0, 0, 1]))


def test_many_points_at_once_keep_their_shape() -> None:
    points = np.zeros((4, 5, 3))
    assert PLAIN.pixel_from_lps(points).shape == (4, 5, 2)
    assert PLAIN.signed_distance_mm(points).shape == (4, 5)


@pytest.mark.parametrize(
    ("pixel_rc", "inside"),
    [((-0.5, -0.5), True), ((7.5, 5.5), True), ((7.6, 0), False), ((0, 5.6), False), ((-0.6, 0), False)],
)
def test_the_image_reaches_half_a_pixel_beyond_its_centres(
    pixel_rc: tuple[float, float], inside: bool
) -> None:
    assert PLAIN.contains(pixel_rc) is inside


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"position_lps_mm": (math.nan, 0, 0)}, "not finite"),
        ({"row_spacing_mm": math.inf}, "not finite"),
        ({"column_spacing_mm": 0.0}, r"spacing \(2\.0, 0\.0\) mm .* must be positive"),
        ({"rows": 0}, r"size \(0, 6\) must be positive"),
        ({"along_row": (0.9, 0, 0)}, "not orthonormal"),
        ({"along_column": (1, 0, 0)}, "not orthonormal"),
    ],
)
def test_impossible_geometry_is_refused_with_the_value(change: dict[str, Any], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        replace(PLAIN, **change)
