"""What a person does in the window, with real mouse and keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from benchmarks.hands import canvases_of, come_to_rest, drag, on_screen
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QWidget

from napari_lumbar.domain.spine import ALL_FINDINGS, FindingKey
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.reader_dock import ReaderDock


def analyse(dock: ReaderDock, qtbot: Any) -> None:
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=20000)
    qtbot.wait(100)


def seen(layer: Any) -> np.ndarray:
    """The vectors of a layer that have a length: one without stands in for none."""
    return layer.data[layer.data[:, 1].any(axis=-1)]


def activate(dock: ReaderDock, qtbot: Any) -> None:
    """Make the window the active one: keys of the panel work only there."""
    with qtbot.waitActive(dock.window(), timeout=20000):
        dock.window().activateWindow()


def canvas_of(dock: ReaderDock, pane: Pane) -> QWidget:
    """The native canvas widget of a pane."""
    sagittal, axial = canvases_of(dock)
    return axial if pane is dock.panes.axial else sagittal


def drag_point(dock: ReaderDock, pane: Pane, key: FindingKey, to_rc: tuple[float, float]) -> None:
    """Drag the point of ``key`` with the mouse."""
    assert dock.reading.session is not None
    canvas = canvas_of(dock, pane)
    come_to_rest(pane, canvas)
    start = on_screen(pane, canvas, dock.reading.session.state.landmarks.points[key].pixel_rc)
    drag(canvas, start, on_screen(pane, canvas, to_rc))


def is_current(dock: ReaderDock) -> bool:
    session = dock.reading.session
    return session is not None and not session.state.stale and not dock.reading.is_regrading


def cells(dock: ReaderDock) -> dict[FindingKey, Any]:
    return {key: dock.matrix.cell(key) for key in ALL_FINDINGS}


def button(dock: ReaderDock, command: Command) -> QPushButton:
    """The button of a command."""
    return dock.finding_panel.corrections.buttons[command]


def click(dock: ReaderDock, command: Command, qtbot: Any) -> None:
    """Click the button of a command."""
    qtbot.mouseClick(button(dock, command), Qt.MouseButton.LeftButton)
