"""The whole window, with real mouse and keys: analyse, drag, see old and new, undo, cancel, close."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QDockWidget, QLabel, QWidget

from napari_lumbar import RESEARCH_USE_ONLY
from napari_lumbar.domain.landmarks import dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level
from napari_lumbar.session import Corrections, Spot
from napari_lumbar.widgets.cells import CellState
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import activate, analyse, button, canvas_of, cells, drag_point, is_current, seen

pytestmark = pytest.mark.gui

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


def boxes(dock: ReaderDock) -> int:
    """How many sides of crop boxes are drawn on the slices that are shown."""
    return sum(len(seen(pane.viewer.layers["Crops"])) for pane in dock.panes)


def test_correct_and_regrade_with_the_mouse(dock: ReaderDock, fake_grader: Any, qtbot: Any) -> None:
    analyse(dock, qtbot)
    before = cells(dock)
    assert {cell.title for cell in before.values()} == {"● Normal/Mild"}
    assert not dock.study_panel.series_table.isVisible()

    # the matrix moves both canvases; the axial point is dragged to the patient's left
    dock.matrix.choose(LEFT)
    assert dock.panes.axial.slice_index == 10
    fake_grader.gate.clear()
    drag_point(dock, dock.panes.axial, LEFT, (20, 48))
    session = dock.reading.session
    assert session is not None
    assert session.state.landmarks.points[LEFT].pixel_rc == pytest.approx((20, 48), abs=0.5)
    assert {key for key, cell in cells(dock).items() if cell.state is CellState.REGRADING} == (
        dependent_findings(LEFT)
    )
    assert cells(dock)[LEFT].title == "Regrading…"
    # nothing shows the old grade as the one of the place on the screen
    assert dock.finding_panel.title.text().endswith("regrading, was Normal/Mild 0.85")
    assert dock.finding_panel.strip.accessibleName().startswith("Before the change:")
    assert boxes(dock) == 0
    fake_grader.gate.set()
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)
    assert fake_grader.asked[1:] == [dependent_findings(LEFT)]
    after = cells(dock)
    assert {key for key in ALL_FINDINGS if after[key] != before[key]} == dependent_findings(LEFT)
    assert boxes(dock) > 0
    assert after[LEFT].title == "◆ Severe"
    assert after[LEFT].note.endswith("was Normal")
    assert "Normal/Mild 0.85 → Severe" in dock.finding_panel.title.text()
    assert "corrected" in dock.finding_panel.detail.text()

    # the main canvas, too; a click on a point chooses its finding
    dock.matrix.choose(CANAL)
    drag_point(dock, dock.panes.sagittal, CANAL, (60, 42))
    qtbot.waitUntil(lambda: is_current(dock) and len(fake_grader.asked) == 3, timeout=20000)
    assert dock.matrix.current_key == CANAL
    assert fake_grader.asked[2] == {CANAL}

    # keys on either canvas undo; the predictions stand again without asking the grader
    for pane in (dock.panes.axial, dock.panes.sagittal):
        qtbot.keyClick(canvas_of(dock, pane), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.state.corrections == Corrections()
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)
    assert cells(dock) == before
    qtbot.mouseClick(button(dock, Command.REDO), Qt.MouseButton.LeftButton)
    assert set(session.state.corrections.by_spot) == {Spot(LEFT.condition, LEFT.level.rank)}
    assert dock.matrix.current_key == LEFT


def test_keys_in_the_window_never_delete_a_point(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    dock.matrix.choose(LEFT)
    canvas = canvas_of(dock, dock.panes.axial)
    layer = dock.axial_model.layers["Landmarks"]
    layer.selected_data = {0, 1}
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        qtbot.keyClick(canvas, key)
    for key in (Qt.Key.Key_C, Qt.Key.Key_V):
        qtbot.keyClick(canvas, key, Qt.KeyboardModifier.ControlModifier)
    assert len(layer.data) == 10
    assert dock.reading.session is not None
    assert dock.reading.session.state.corrections == Corrections()

    # arrow keys walk the matrix; page keys walk the levels from either canvas
    qtbot.keyClick(dock.matrix, Qt.Key.Key_Left)
    assert dock.matrix.current_key == CANAL
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert dock.matrix.current_key == FindingKey(CANAL.condition, Level.L5_S1)

    # a point is put on another slice, and brought back
    dock.panes.sagittal.go_to_slice(5)
    qtbot.mouseClick(button(dock, Command.PUT_HERE), Qt.MouseButton.LeftButton)
    landmark = dock.reading.session.state.landmarks.points[FindingKey(CANAL.condition, Level.L5_S1)]
    assert (landmark.slice_index, landmark.pixel_rc) == (5, (72, 30))
    qtbot.mouseClick(button(dock, Command.RESET), Qt.MouseButton.LeftButton)
    assert dock.reading.session.state.corrections == Corrections()

    # napari's keys that drag a whole layer would part images from their points
    for pane in dock.panes:
        for layer in pane.viewer.layers:
            pane.viewer.layers.selection.active = layer
            for transform in (Qt.Key.Key_2, Qt.Key.Key_5, Qt.Key.Key_7):
                qtbot.keyClick(canvas_of(dock, pane), transform)
                assert layer.mode != "transform", layer.name


def test_a_low_window_stays_low_and_says_what_happened(dock: ReaderDock, qtbot: Any) -> None:
    dock.window().resize(1280, 720)
    qtbot.waitUntil(lambda: dock.window().height() == 720)
    analyse(dock, qtbot)
    assert dock.window().height() == 720
    assert dock.layout().count() == 1, "napari put an empty space below the images"
    assert dock.axial_canvas.height() > 500
    research = next(label for label in dock.findChildren(QLabel) if label.text() == RESEARCH_USE_ONLY)
    for label in (research, dock.status_label):
        assert not label.visibleRegion().isEmpty(), label.text()
    # keys reach what lies below the edge
    undo = button(dock, Command.UNDO)
    dock.editing.mark_absent()
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)
    activate(dock, qtbot)
    dock.matrix.setFocus()
    for _ in range(60):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if undo.hasFocus():
            break
    assert undo.hasFocus()
    assert undo.visibleRegion().boundingRect() == undo.rect()
    # one number of the slice is enough: napari's own counts from 0
    numbers = dock.window().findChildren(QWidget, "slice_label")
    assert numbers
    assert not any(number.isVisible() for number in numbers)


def test_what_a_person_must_always_see_and_cannot_break(
    dock: ReaderDock, locate_gate: threading.Event, fake_grader: Any, qtbot: Any
) -> None:
    labels = [label.text() for label in dock.findChildren(QLabel) if label.isVisible()]
    assert RESEARCH_USE_ONLY in labels
    assert dock.study_panel.study_label.text() == "Study small"

    # the dock stays in its window, whatever napari's title bar offers
    around = dock.parentWidget()
    while not isinstance(around, QDockWidget):
        around = around.parentWidget()
    assert not around.features() & QDockWidget.DockWidgetFeature.DockWidgetFloatable
    assert not around.titleBarWidget().float_button.isVisible()

    # an error is said in the status row and the study stays
    fake_grader.error = RuntimeError("CUDA out of memory")
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "CUDA out of memory" in dock.status_label.text(), timeout=20000)
    assert dock.status_label.text().startswith("⚠")
    fake_grader.error = None

    # cancelled in the middle: nothing changes; closed in the middle: the fixture ends well
    locate_gate.clear()
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.study_panel.progress_bar.format().startswith("locating"), timeout=20000)
    qtbot.mouseClick(dock.study_panel.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.reading.is_busy, timeout=20000)
    assert {cell.state for cell in cells(dock).values()} == {CellState.EMPTY}
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    assert dock.reading.is_busy
