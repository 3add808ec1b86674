"""The linked panes in a real window, with real mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.hands import come_to_rest, drag, move_mouse, on_screen
from qtpy.QtCore import QPoint, Qt

from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.own_window import layer_docks
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import canvas_of, seen

pytestmark = pytest.mark.gui

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT, MIDDLE, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton
PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dock(
    make_napari_viewer_proxy: Any, fake_system: System, small_study: Study, tmp_path: Path, qtbot: Any
) -> Iterator[ReaderDock]:
    viewer = make_napari_viewer_proxy(show=True)
    dock = ReaderDock(viewer, lambda: fake_system, SessionStore(tmp_path))
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1590, 950)
    qtbot.waitExposed(dock.window())
    dock.take_the_window()
    qtbot.wait(200)
    dock.reading.show_study(small_study)
    yield dock
    dock.reading.close()
    # pytest keeps this value until after napari has looked for canvases left alive: let the canvas go.
    dock.__dict__.clear()


def cursor(pane: Pane) -> Any:
    arms = seen(pane.viewer.layers["Cursor"])
    return (pane.slice_index, *arms[:, 0].mean(axis=0)) if len(arms) else None


def keys_do_what_the_bar_does(dock: ReaderDock, qtbot: Any) -> None:
    sagittal, axial = dock.panes
    canvas, other = canvas_of(dock, sagittal), canvas_of(dock, axial)
    camera = sagittal.viewer.scene.camera
    centre = np.array(camera.center)

    # keys: T1 at the same place, reset, fit, switches
    mine, zoom = sagittal.windowing.window, camera.zoom
    qtbot.keyClick(canvas, Qt.Key.Key_Q)
    assert dock.view_bar.sagittal_role is SeriesRole.SAGITTAL_T1
    assert sagittal.series is not None
    assert sagittal.series.series_id == "t1"
    assert camera.zoom == zoom
    np.testing.assert_allclose(camera.center[1:], centre[1:], atol=1e-6)
    qtbot.keyClick(other, Qt.Key.Key_Q)
    assert sagittal.windowing.window == mine
    qtbot.keyClick(canvas, Qt.Key.Key_W, SHIFT)
    assert sagittal.windowing.window != mine
    qtbot.keyClick(canvas, Qt.Key.Key_G)
    for key, name in ((Qt.Key.Key_J, "Reference lines"), (Qt.Key.Key_H, "Level names")):
        qtbot.keyClick(other, key)
        assert not sagittal.viewer.layers[name].visible
        assert not axial.viewer.layers[name].visible
    dock.view_bar.opacity_slider.setValue(40)
    assert axial.viewer.layers["Attention"].opacity == pytest.approx(0.4)


def test_mouse_and_keys_in_linked_panes(dock: ReaderDock, qtbot: Any) -> None:
    sagittal, axial = dock.panes
    canvas, other = canvas_of(dock, sagittal), canvas_of(dock, axial)

    # both panes have the same room, and the layer docks come back on demand
    assert abs(canvas.width() - other.width()) < 40
    assert not any(d.isVisible() for d in layer_docks(dock))
    qtbot.mouseClick(dock.view_bar.layers_button, LEFT)
    assert len(layer_docks(dock)) == 2
    assert all(d.isVisible() for d in layer_docks(dock))
    qtbot.mouseClick(dock.view_bar.layers_button, LEFT)
    qtbot.wait(100)

    # a click goes through every drawing of ours; a move with Shift is followed
    come_to_rest(sagittal, canvas)
    place = on_screen(sagittal, canvas, (24, 40))
    drag(canvas, place, place)
    assert axial.slice_index == 4  # L2/L3
    assert cursor(sagittal) == pytest.approx((3, 24, 40), abs=0.5)
    assert cursor(axial) == pytest.approx((4, 26, 28), abs=0.8)
    move_mouse(canvas, on_screen(sagittal, canvas, (56, 30)), modifiers=SHIFT)
    qtbot.waitUntil(lambda: axial.slice_index == 10, timeout=20000)

    # a drag with the left button moves the picture and points at nothing
    camera, before = sagittal.viewer.scene.camera, cursor(sagittal)
    centre = np.array(camera.center)
    drag(canvas, QPoint(100, 200), QPoint(160, 240))
    assert np.abs(np.array(camera.center) - centre).max() > 1
    assert cursor(sagittal) == before

    # the middle button, or Ctrl and the left one, sets the window and leaves the picture where it is
    centre = np.array(camera.center)
    for button, keys in ((MIDDLE, PLAIN), (LEFT, CONTROL)):
        window = sagittal.windowing.window
        assert window is not None
        drag(canvas, QPoint(100, 200), QPoint(160, 240), button, keys)
        changed = sagittal.windowing.window
        assert changed is not None
        assert changed.width > window.width
        assert changed.level > window.level
    np.testing.assert_allclose(camera.center, centre)

    keys_do_what_the_bar_does(dock, qtbot)


def test_points_come_before_the_cursor_whatever_layer_is_chosen(dock: ReaderDock, qtbot: Any) -> None:
    qtbot.mouseClick(dock.study_panel.analyse_button, LEFT)
    qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=20000)
    qtbot.wait(100)
    pane = dock.panes.sagittal
    canvas = canvas_of(dock, pane)
    dock.matrix.choose(CANAL)
    pane.viewer.layers.selection.active = pane.viewer.layers[0]
    come_to_rest(pane, canvas)
    point, target = on_screen(pane, canvas, (56, 30)), on_screen(pane, canvas, (60, 42))
    drag(canvas, point, point, MIDDLE)  # no other button takes a point
    drag(canvas, point, target)
    session = dock.reading.session
    assert session is not None
    assert session.state.landmarks.points[CANAL].pixel_rc == pytest.approx((60, 42), abs=0.7)
    assert cursor(pane) is None
    qtbot.waitUntil(lambda: not dock.reading.is_regrading, timeout=20000)
