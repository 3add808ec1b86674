"""Letters at the picture's edges follow the geometry, never the file's habits."""

from __future__ import annotations

import pytest

from napari_lumbar.domain.geometry import SliceGeometry, Vector3
from napari_lumbar.widgets.orientation import EdgeLetters, edge_letters


def geometry(along_row: Vector3, along_column: Vector3) -> SliceGeometry:
    return SliceGeometry((0, 0, 0), along_row, along_column, 1, 1, 10, 10)


@pytest.mark.parametrize(
    ("along_row", "along_column", "letters"),
    [
        pytest.param((1, 0, 0), (0, 1, 0), EdgeLetters("A", "P", "R", "L"), id="axial"),
        pytest.param((-1, 0, 0), (0, 1, 0), EdgeLetters("A", "P", "L", "R"), id="axial from above"),
        pytest.param((0, 1, 0), (0, 0, -1), EdgeLetters("H", "F", "A", "P"), id="sagittal"),
        pytest.param((0, -1, 0), (0, 0, -1), EdgeLetters("H", "F", "P", "A"), id="sagittal mirrored"),
        pytest.param((1, 0, 0), (0, 0.8, -0.6), EdgeLetters("AH", "PF", "R", "L"), id="tilted axial"),
    ],
)
def test_edge_letters(along_row: Vector3, along_column: Vector3, letters: EdgeLetters) -> None:
    assert edge_letters(geometry(along_row, along_column)) == letters
