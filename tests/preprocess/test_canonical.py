from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.canonical import canonical_series

AXES = np.eye(3)


def series_with(along_row: np.ndarray, along_column: np.ndarray, role: SeriesRole | None) -> MRSeries:
    rng = np.random.default_rng(3)
    geometry = SliceGeometry(
        (5.0, -7.0, 11.0), tuple(along_row), tuple(along_column), 0.7, 0.4, rows=6, columns=9
    )
    mr_slice = MRSlice(geometry, rng.random((6, 9), dtype=np.float32), "1.2.3", 1)
    return MRSeries("1", "1", (SliceStack((mr_slice,)),), role, "given")


def turns(first: int, second: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """All eight ways a plane's image can lie."""
    signs = list(itertools.product((1, -1), (1, -1)))
    pairs = [(a * AXES[first], b * AXES[second]) for a, b in signs]
    return pairs + [(column, row) for row, column in pairs]


CASES = [(SeriesRole.SAGITTAL_T2, r, c) for r, c in turns(1, 2)] + [
    (SeriesRole.AXIAL_T2, r, c) for r, c in turns(0, 1)
]


@pytest.mark.parametrize(("role", "along_row", "along_column"), CASES)
def test_every_way_an_image_can_lie_comes_out_the_usual_way_round(
    role: SeriesRole, along_row: np.ndarray, along_column: np.ndarray
) -> None:
    turned = canonical_series(series_with(along_row, along_column, role)).slices[0].geometry
    column_axis, row_axis = ((1, 1), (2, -1)) if role is SeriesRole.SAGITTAL_T2 else ((0, 1), (1, 1))
    assert turned.along_row[column_axis[0]] == pytest.approx(column_axis[1])
    assert turned.along_column[row_axis[0]] == pytest.approx(row_axis[1])


@pytest.mark.parametrize(("role", "along_row", "along_column"), CASES)
def test_each_place_in_the_patient_keeps_its_brightness(
    role: SeriesRole, along_row: np.ndarray, along_column: np.ndarray
) -> None:
    series = series_with(along_row, along_column, role)
    native, turned = series.slices[0], canonical_series(series).slices[0]
    pixels = np.stack(np.meshgrid(np.arange(6.0), np.arange(9.0), indexing="ij"), axis=-1).reshape(-1, 2)
    points = native.geometry.lps_from_pixel(pixels)
    seen = ndimage.map_coordinates(turned.pixels, turned.geometry.pixel_from_lps(points).T, order=1)
    np.testing.assert_allclose(seen, native.pixels.ravel(), atol=1e-5)


def test_a_series_without_a_role_has_no_usual_view() -> None:
    with pytest.raises(ValueError, match="has no role"):
        canonical_series(series_with(AXES[1], -AXES[2], None))
