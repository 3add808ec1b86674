"""Pictures: true proportions, grey levels, directions of the body, points where they belong."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from napari_lumbar.domain.geometry import SliceGeometry, Vector3
from napari_lumbar.domain.spine import Severity
from napari_lumbar.domain.study import MRSlice
from napari_lumbar.export.severity_style import SEVERITY_STYLES
from napari_lumbar.export.slice_images import (
    LONG_SIDE_PX,
    Box,
    Mark,
    draw_slice,
    edge_letters,
    grey_levels,
    png_data_uri,
)


def black_slice(rows: int = 40, columns: int = 20, row_mm: float = 2.0, column_mm: float = 3.0) -> MRSlice:
    geometry = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), row_mm, column_mm, rows, columns)
    return MRSlice(geometry, np.zeros((rows, columns), np.float32), "1.2", 1)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def test_millimetres_are_square() -> None:
    picture = draw_slice(black_slice(rows=40, columns=20, row_mm=2.0, column_mm=3.0))
    assert picture.size == (LONG_SIDE_PX * 60 // 80, LONG_SIDE_PX)


def test_grey_levels_span_the_percentiles_and_survive_a_flat_image() -> None:
    levels = grey_levels(np.linspace(-50, 4000, 1000, dtype=np.float32).reshape(20, 50))
    assert (levels.min(), levels.max()) == (0, 255)
    assert np.all(np.diff(levels.ravel().astype(int)) >= 0)
    assert not grey_levels(np.full((4, 4), 7.0, np.float32)).any()


@pytest.mark.parametrize(
    ("along_row", "along_column", "letters"),
    [
        pytest.param((1, 0, 0), (0, 1, 0), ("R", "L", "A", "P"), id="axial"),
        pytest.param((0, 1, 0), (0, 0, -1), ("A", "P", "S", "I"), id="sagittal"),
        pytest.param((-1, 0, 0), (0, 1, 0), ("L", "R", "A", "P"), id="axial seen from above"),
        pytest.param((1, 0, 0), (0, 0.96, -0.28), ("R", "L", "A", "P"), id="tilted axial"),
    ],
)
def test_edges_name_directions_of_the_body(
    along_row: Vector3, along_column: Vector3, letters: tuple[str, ...]
) -> None:
    assert edge_letters(SliceGeometry((0, 0, 0), along_row, along_column, 1, 1, 8, 8)) == letters


@pytest.mark.parametrize("severity", list(Severity))
def test_a_point_has_its_severitys_colour_where_it_lies(severity: Severity) -> None:
    picture = draw_slice(black_slice(), (Mark((9.5, 4.5), "", severity),))
    x, y = 5.0 * 3 * LONG_SIDE_PX / 80, 10.0 * 2 * LONG_SIDE_PX / 80
    assert picture.getpixel((round(x), round(y))) == rgb(SEVERITY_STYLES[severity].fill)


def test_a_point_of_another_slice_is_hollow() -> None:
    picture = draw_slice(black_slice(), (Mark((9.5, 4.5), "", Severity.SEVERE, on_slice=False),))
    x, y = round(5.0 * 3 * LONG_SIDE_PX / 80), round(10.0 * 2 * LONG_SIDE_PX / 80)
    assert picture.getpixel((x, y)) == (0, 0, 0)
    around = np.asarray(picture)[y - 15 : y + 15, x - 15 : x + 15].reshape(-1, 3)
    assert rgb(SEVERITY_STYLES[Severity.SEVERE].fill) in {tuple(int(v) for v in pixel) for pixel in around}


def test_a_box_is_a_frame_around_its_crop() -> None:
    picture = draw_slice(black_slice(), boxes=(Box((10, 5, 30, 15), Severity.MODERATE),))
    orange = np.all(np.asarray(picture) == rgb(SEVERITY_STYLES[Severity.MODERATE].fill), axis=-1)
    ys, xs = np.nonzero(orange)
    scale = LONG_SIDE_PX / 80
    assert (ys.min(), ys.max()) == pytest.approx((10.5 * 2 * scale, 30.5 * 2 * scale), abs=2)
    assert (xs.min(), xs.max()) == pytest.approx((5.5 * 3 * scale, 15.5 * 3 * scale), abs=2)


def test_a_picture_travels_inside_an_address() -> None:
    head, data = png_data_uri(Image.new("RGB", (3, 2), "red")).split(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (3, 2)
