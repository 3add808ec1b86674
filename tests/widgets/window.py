"""What a person does in the window, with real mouse and keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QPushButton

from napari_lumbar.domain.spine import ALL_FINDINGS, FindingKey
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.reader_dock import ReaderDock


def analyse(dock: ReaderDock, qtbot: Any) -> None:
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=20000)
    qtbot.wait(100)


def activate(dock: ReaderDock, qtbot: Any) -> None:
    """Make the window the active one: keys of the panel work only there."""
    with qtbot.waitActive(dock.window(), timeout=20000):
        dock.window().activateWindow()


def canvas_of(dock: ReaderDock, pane: Pane) -> Any:
    """The native canvas widget of a pane."""
    axial = dock.axial_canvas.canvas.native
    if pane is dock.panes.axial:
        return axial
    natives = [w for w in QApplication.allWidgets() if type(w) is type(axial) and w is not axial]
    return next(w for w in natives if w.window() is dock.window())


def pixel_on_screen(pane: Pane, canvas: Any, pixel_rc: tuple[float, float]) -> QPoint:
    assert pane.series is not None
    camera = pane.viewer.scene.camera
    world = np.array(pixel_rc) * pane.series.slices[0].geometry.spacing_rc_mm
    y, x = (world - np.array(camera.center)[1:]) * camera.zoom
    return QPoint(round(canvas.width() / 2 + x), round(canvas.height() / 2 + y))


def drag(dock: ReaderDock, pane: Pane, key: FindingKey, to_rc: tuple[float, float], qtbot: Any) -> None:
    """Drag the point of ``key`` with the mouse."""
    assert dock.reading.session is not None
    canvas = canvas_of(dock, pane)
    start = pixel_on_screen(pane, canvas, dock.reading.session.state.landmarks.points[key].pixel_rc)
    stop = pixel_on_screen(pane, canvas, to_rc)
    qtbot.mouseMove(canvas, start)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.5, 1.0):
        qtbot.wait(20)
        at = start + (stop - start) * share
        _move_with_button(canvas, at)
    qtbot.wait(20)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=stop)


def _move_with_button(canvas: Any, at: QPoint) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    where = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(canvas.mapToGlobal(at)), Qt.MouseButton.NoButton, left, none
    )
    QApplication.sendEvent(canvas, event)


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
