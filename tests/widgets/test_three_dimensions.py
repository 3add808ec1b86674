"""Whoever turns a canvas to three dimensions, and back, finds the reader unharmed."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_lumbar.domain.study import Study
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import analyse, canvas_of

pytestmark = pytest.mark.gui


def test_turning_the_main_canvas_draws_nothing_that_napari_cannot(
    dock: ReaderDock, small_study: Study, qtbot: Any
) -> None:
    canvas, dims = canvas_of(dock, dock.panes.sagittal), dock.panes.sagittal.viewer.dims
    assert turned(canvas, dims, qtbot) == [3, 2], "with a study and nothing known about it"
    analyse(dock, qtbot)
    assert turned(canvas, dims, qtbot) == [3, 2], "with an analysis"
    dims.ndisplay = 3
    dock.panes.sagittal.go_to_slice(0)  # neither landmark nor crop lies there
    qtbot.wait(100)
    dock.reading.show_study(small_study)
    qtbot.wait(100)
    dims.ndisplay = 2


def turned(canvas: Any, dims: Any, qtbot: Any) -> list[int]:
    """Numbers of dimensions after each of two presses of napari's own key."""
    seen = []
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
        qtbot.wait(100)
        seen.append(dims.ndisplay)
    return seen
