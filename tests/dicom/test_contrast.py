from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_lumbar.dicom import read_study
from napari_lumbar.dicom.contrast import GRID_MM, contrast_measures, upright
from napari_lumbar.dicom.contrast_weights import WEIGHTS
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom, write_study

GEOMETRY = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), 1.2, 0.8, 80, 60)
IMAGE = np.add.outer(np.arange(80), 3 * np.arange(60)).astype(np.float32)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(17, PhantomConfig(sagittal_matrices=(192,), axial_matrices=(128,), voxel_mm=1.2))


@pytest.mark.parametrize(
    ("pixels", "along_row", "along_column"),
    [
        pytest.param(IMAGE[:, ::-1], (0, -1, 0), (0, 0, -1), id="back-to-the-left"),
        pytest.param(IMAGE[::-1], (0, 1, 0), (0, 0, 1), id="head-down"),
        pytest.param(IMAGE.T, (0, 0, -1), (0, 1, 0), id="lying"),
    ],
)
def test_an_image_is_set_upright_whatever_way_it_was_stored(
    pixels: np.ndarray, along_row: tuple[float, float, float], along_column: tuple[float, float, float]
) -> None:
    spacings = GEOMETRY.row_spacing_mm, GEOMETRY.column_spacing_mm
    row_spacing, column_spacing = spacings if pixels.shape == IMAGE.shape else spacings[::-1]
    stored = replace(
        GEOMETRY,
        along_row=along_row,
        along_column=along_column,
        row_spacing_mm=row_spacing,
        column_spacing_mm=column_spacing,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
    )
    expected = upright(IMAGE, GEOMETRY)
    np.testing.assert_allclose(upright(pixels, stored), expected, rtol=1e-5)
    assert expected.shape == (round(80 * 1.2 / GRID_MM), round(60 * 0.8 / GRID_MM))


def test_measures_do_not_depend_on_the_scanner_s_scale() -> None:
    image = np.random.default_rng(0).random((200, 150))
    measures = contrast_measures(image)
    assert measures.shape == (len(WEIGHTS),)
    np.testing.assert_allclose(contrast_measures(image * 37), measures, rtol=1e-6)


@pytest.mark.parametrize("rle", [False, True], ids=["raw", "rle"])
def test_a_study_with_silent_headers_comes_back_with_roles_order_and_pixels(
    phantom: PhantomStudy, tmp_path: Path, rle: bool
) -> None:
    folder = tmp_path / phantom.study.study_id
    write_study(phantom, folder, rle=rle)
    study = read_study(folder)
    assert study.study_id == phantom.study.study_id
    for series in study.series:
        truth = phantom.study.by_id(series.series_id)
        assert series.role is truth.role
        assert "header" in series.role_reason
        assert [len(s.slices) for s in series.stacks] == [len(s.slices) for s in truth.stacks]
        for got, expected in zip(series.slices, truth.slices, strict=True):
            assert got.instance_number == expected.instance_number
            np.testing.assert_allclose(got.geometry.centre_lps_mm, expected.geometry.centre_lps_mm, atol=1e-3)
            np.testing.assert_allclose(got.pixels, expected.pixels, atol=0.51)
