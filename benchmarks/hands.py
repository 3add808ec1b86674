"""Mouse and screen for programs that use the window as a person would."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.reader_dock import ReaderDock

_NONE, _LEFT = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton


#: A view that has not changed for so many looks, this far apart, has come to rest.
_CALM_LOOKS, _LOOK_MS, _MOST_LOOKS = 6, 20, 1000


def come_to_rest(pane: Pane, canvas: QWidget) -> None:
    """Wait until neither the canvas nor what its camera looks at changes any more.

    A layout that still moves would take a pixel away between looking for it and pressing there.

    Raises
    ------
    TimeoutError
        If the view still changes after 20 s.
    """
    camera, calm, before = pane.viewer.scene.camera, 0, None
    for _ in range(_MOST_LOOKS):
        QTest.qWait(_LOOK_MS)
        now = (canvas.width(), canvas.height(), pane.viewer.canvas.size, camera.center, camera.zoom)
        calm, before = (calm + 1 if now == before else 0), now
        if calm == _CALM_LOOKS:
            return
    raise TimeoutError(f"the view still changes after {_MOST_LOOKS * _LOOK_MS // 1000} s: {before}")


def on_screen(pane: Pane, canvas: QWidget, pixel_rc: tuple[float, float]) -> QPoint:
    """Where a pixel of the image on a pane lies on its canvas widget."""
    assert pane.series is not None
    camera = pane.viewer.scene.camera
    geometry = pane.series.slices[0].geometry
    world = np.array(pixel_rc) * (geometry.row_spacing_mm, geometry.column_spacing_mm)
    y, x = (world - np.array(camera.center)[1:]) * camera.zoom
    return QPoint(round(canvas.width() / 2 + x), round(canvas.height() / 2 + y))


def move_mouse(
    canvas: QWidget,
    at: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    modifiers: Qt.KeyboardModifier = _NONE,
) -> None:
    """Move the mouse over a widget with a button or keys held, which QTest cannot."""
    kind, nothing = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    where = QPointF(at)
    event = QMouseEvent(kind, where, QPointF(canvas.mapToGlobal(at)), nothing, button, modifiers)
    QApplication.sendEvent(canvas, event)


def canvases_of(dock: ReaderDock) -> tuple[QWidget, QWidget]:
    """The native canvas widgets of the sagittal and the axial pane."""
    axial: Any = dock.axial_canvas.canvas.native
    natives = [w for w in QApplication.allWidgets() if type(w) is type(axial) and w is not axial]
    return next(w for w in natives if w.window() is dock.window()), axial


def drag(
    canvas: QWidget,
    start: QPoint,
    stop: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifiers: Qt.KeyboardModifier = _NONE,
) -> None:
    """Press, move in two steps, release."""
    QTest.mousePress(canvas, button, modifiers, start)
    for share in (0.5, 1.0):
        QTest.qWait(_LOOK_MS)
        move_mouse(canvas, start + (stop - start) * share, button, modifiers)
    QTest.qWait(_LOOK_MS)
    QTest.mouseRelease(canvas, button, modifiers, stop)


def turn_wheel(widget: QWidget, at: QPoint, steps: int, modifiers: Qt.KeyboardModifier = _NONE) -> None:
    """Turn the mouse wheel over a widget by so many notches, away from the person if positive."""
    where, turn = QPointF(at), QPoint(0, 120 * steps)
    nothing, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        where, QPointF(widget.mapToGlobal(at)), QPoint(), turn, nothing, modifiers, phase, False
    )
    QApplication.sendEvent(widget, event)
