"""Each command that corrects, given by mouse and by key in a real window."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QLabel, QMessageBox

from napari_lumbar.domain.findings import GradeSource, Override
from napari_lumbar.domain.landmarks import LandmarkSource
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.session import Corrections, SessionState, SessionStore
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.reader_dock import ReaderDock
from napari_lumbar.widgets.shortcuts import COMMAND_KEYS, key_text

from .window import activate, analyse, button, canvas_of, click, drag_point, is_current

pytestmark = pytest.mark.gui

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
RIGHT = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LOWER = FindingKey(CANAL.condition, Level.L5_S1)
ALT, CONTROL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def state_of(dock: ReaderDock) -> SessionState:
    assert dock.reading.session is not None
    return dock.reading.session.state


def pressing(key: Qt.Key, qtbot: Any) -> Callable[[QMessageBox], None]:
    return lambda box: qtbot.keyClick(box, key)


def by_keyboard(press: Callable[[QMessageBox], None], asked: list[str]) -> None:
    """Answer the next question as soon as it is there."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(50, answer)
            return
        asked.append(box.text())
        press(box)

    QTimer.singleShot(50, answer)


def test_grades_by_hand(dock: ReaderDock, qtbot: Any) -> None:
    panel = dock.finding_panel.corrections
    assert not button(dock, Command.MARK_ABSENT).isEnabled()
    assert button(dock, Command.MARK_ABSENT).toolTip().startswith("Analyse a study first")
    analyse(dock, qtbot)
    dock.matrix.choose(CANAL)
    canvas = canvas_of(dock, dock.panes.sagittal)
    assert panel.saved_label.text() == "Nothing to save yet"

    # a grade by hand with its reason, from the keys of a canvas; the points stay
    activate(dock, qtbot)
    qtbot.mouseClick(panel.reason_edit, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(panel.reason_edit, "motion")
    qtbot.keyClick(canvas, Qt.Key.Key_3, ALT)
    probs = state_of(dock).predicted(CANAL).probs
    assert state_of(dock).finding(CANAL).override == Override(Severity.SEVERE, "motion", probs)
    assert panel.grade_buttons[Severity.SEVERE].isChecked()
    assert "graded by hand: motion" in dock.finding_panel.certainty.text().lower()
    assert panel.saved_label.text().startswith("Saved ")
    assert len(dock.panes.sagittal.viewer.layers["Landmarks"].data) == 5
    # the keys work where the reason is typed, too; a reason changed later belongs to the grade
    qtbot.keyClick(panel.reason_edit, Qt.Key.Key_2, ALT)
    qtbot.keyClicks(panel.reason_edit, " artefact")
    qtbot.keyClick(panel.reason_edit, Qt.Key.Key_Return)
    assert state_of(dock).finding(CANAL).override == Override(Severity.MODERATE, "motion artefact", probs)
    # the button of the grade that stands leaves it; Alt+0 takes it back
    qtbot.mouseClick(panel.grade_buttons[Severity.MODERATE], Qt.MouseButton.LeftButton)
    assert panel.grade_buttons[Severity.MODERATE].isChecked()
    qtbot.keyClick(canvas, Qt.Key.Key_0, ALT)
    assert state_of(dock).finding(CANAL).source is GradeSource.PREDICTED
    assert panel.reason_edit.text() == ""
    assert not button(dock, Command.CLEAR_GRADE).isEnabled()


def test_what_is_absent_comes_back_by_reset(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    dock.matrix.choose(CANAL)
    panel, canvas = dock.finding_panel.corrections, canvas_of(dock, dock.panes.sagittal)
    assert "Nothing to take back" in button(dock, Command.UNDO).toolTip()
    click(dock, Command.MARK_ABSENT, qtbot)
    assert state_of(dock).finding(CANAL).source is GradeSource.ABSENT
    assert not panel.grade_buttons[Severity.SEVERE].isEnabled()
    assert "marked absent: reset its point first" in panel.grade_buttons[Severity.SEVERE].toolTip()
    qtbot.keyClick(canvas, Qt.Key.Key_1, ALT)
    assert "is marked absent and cannot be graded Normal/Mild" in dock.status_label.text()
    assert button(dock, Command.UNDO).toolTip() == (
        f"Take back: Marked absent: {CANAL.text} ({key_text('Ctrl+Z')})"
    )
    qtbot.keyClick(canvas, Qt.Key.Key_R, ALT)
    assert state_of(dock).corrections == Corrections()
    assert not button(dock, Command.RESET).isEnabled()
    assert button(dock, Command.RESET).toolTip().startswith("The point is where it was predicted")


def test_the_names_move_and_the_reader_stays_at_the_same_disc(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    dock.matrix.choose(CANAL)
    canvas = canvas_of(dock, dock.panes.sagittal)
    assert "L5/S1 loses its name (5 points kept, not shown)" in button(dock, Command.NAMES_DOWN).toolTip()
    qtbot.keyClick(canvas, Qt.Key.Key_Down, ALT | SHIFT)
    assert dock.matrix.current_key == LOWER
    assert dock.status_label.text().startswith(
        "Level names moved down by 1: the disc called L4/L5 becomes L5/S1, every other disc likewise"
    )
    assert dock.status_label.text().endswith("Ctrl+Z takes it back.")
    click(dock, Command.NAMES_UP, qtbot)
    assert (state_of(dock).corrections, dock.matrix.current_key) == (Corrections(), CANAL)
    click(dock, Command.UNDO, qtbot)
    click(dock, Command.UNDO, qtbot)
    assert (state_of(dock).corrections, dock.matrix.current_key) == (Corrections(), CANAL)
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)


def test_left_and_right_are_swapped_only_after_a_yes(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    dock.matrix.choose(LEFT)
    asked: list[str] = []
    canvas = canvas_of(dock, dock.panes.axial)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):  # No is the default, and what Escape means
        by_keyboard(pressing(key, qtbot), asked)
        qtbot.keyClick(canvas, Qt.Key.Key_Left, ALT | SHIFT)
        assert state_of(dock).corrections == Corrections()
    by_keyboard(lambda box: qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton), asked)
    click(dock, Command.SWAP_SIDES, qtbot)
    assert state_of(dock).corrections.naming.sides_swapped
    assert dock.matrix.current_key == RIGHT
    assert len(asked) == 3
    assert asked[0].startswith("Left and right change places for every finding: 20 points and 0 grades")
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    assert (state_of(dock).corrections, dock.matrix.current_key) == (Corrections(), LEFT)


def test_a_question_about_a_study_that_was_left_swaps_nothing(
    dock: ReaderDock, small_study: Study, qtbot: Any
) -> None:
    analyse(dock, qtbot)
    left = dock.reading.session
    assert left is not None
    asked: list[str] = []

    def other_study_comes_first(box: QMessageBox) -> None:
        dock.reading.show_study(replace(small_study, study_id="other", study_uid="1.2.840.2"))
        qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton)

    by_keyboard(other_study_comes_first, asked)
    click(dock, Command.SWAP_SIDES, qtbot)
    assert len(asked) == 1
    assert left.state.corrections == Corrections()
    assert dock.status_label.text().endswith(
        "Nothing was swapped: what was asked about is not shown any more."
    )
    for pane in dock.panes:
        assert len(pane.viewer.layers["Level names"].data) == 0


def test_a_moved_point_leaves_a_ghost(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    dock.matrix.choose(CANAL)
    sagittal = dock.panes.sagittal
    old = state_of(dock).landmarks.points[CANAL]
    assert "Predicted" not in sagittal.viewer.layers
    drag_point(dock, sagittal, CANAL, (64, 42))
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)

    rings, lines = sagittal.viewer.layers["Predicted"], sagittal.viewer.layers["Moved"]
    assert rings.data.tolist() == [[old.slice_index, *old.pixel_rc]]
    assert lines.data[0].sum(0)[1:] == pytest.approx((64, 42), abs=0.5)
    assert not rings.editable
    assert rings.border_color[0][3] == 1
    names = [layer.name for layer in sagittal.viewer.layers]
    assert names[-3:] == ["Predicted", "Moved", "Landmarks"]
    assert sagittal.viewer.layers.selection.active.name == "Landmarks"
    shown = np.asarray(sagittal.viewer.screenshot(canvas_only=True, flash=False))
    rings.visible = False
    hidden = np.asarray(sagittal.viewer.screenshot(canvas_only=True, flash=False))
    rings.visible = True
    assert (shown != hidden).any()
    dock.matrix.choose(LEFT)
    assert rings.border_color[0][3] == pytest.approx(0.4)


def test_a_moved_canal_point_offers_to_propose_its_side_points(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    said: list[str] = []
    dock.reading.said.connect(lambda text, _is_error: said.append(text))
    dock.matrix.choose(CANAL)
    sagittal = dock.panes.sagittal
    drag_point(dock, sagittal, CANAL, (64, 42))
    # the offer stands until it is answered; left, and made again by the next move
    assert dock.offer_row.isVisible()
    # 24 mm, as far as whole pixels of the screen allow
    offer = r"L4/L5 canal point moved 2[34] mm: propose side points again\?"
    assert re.fullmatch(offer, dock.offer_row.label.text())
    canvas = canvas_of(dock, sagittal)
    qtbot.keyClick(canvas, Qt.Key.Key_N, ALT)
    assert not dock.offer_row.isVisible()
    drag_point(dock, sagittal, CANAL, (56, 30))
    assert dock.offer_row.isVisible()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    assert not dock.offer_row.isVisible(), "the point it was made for is not there any more"
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL | SHIFT)

    # accepted: both side points in one step, on the axial slice of the new place, told as propagated
    drag_point(dock, sagittal, CANAL, (72, 30))
    n_steps = len(state_of(dock).work.done)
    qtbot.mouseClick(dock.offer_row.propose_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(state_of(dock).work.done) == n_steps + 1, timeout=20000)
    points = [state_of(dock).landmarks.points[key] for key in (LEFT, RIGHT)]
    assert [point.source for point in points] == [LandmarkSource.PROPAGATED] * 2
    assert dock.panes.axial.slice_index == points[0].slice_index == 13
    assert any("were put on axial slice 14: check them" in text for text in said)
    assert not dock.offer_row.isVisible()
    qtbot.waitUntil(lambda: is_current(dock), timeout=20000)
    # what there is to check is still said when it was graded
    assert "check them" in dock.status_label.text()
    assert "Graded again: " in dock.status_label.text()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    assert [state_of(dock).landmarks.points[key].slice_index for key in (LEFT, RIGHT)] == [10, 10]


def test_a_reading_goes_on_where_it_was_left_and_asks_before_another_readers(
    dock: ReaderDock, tmp_path: Path, qtbot: Any
) -> None:
    analyse(dock, qtbot)
    assert dock.reading.study is not None
    dock.matrix.choose(LEFT)
    click(dock, Command.MARK_ABSENT, qtbot)
    dock.panes.axial.go_to_slice(4)
    image = dock.axial_model.layers[0]
    image.contrast_limits = (60.0, 130.0)
    dock.reading.show_study(dock.reading.study)
    image.contrast_limits = (0.0, 1.0)
    analyse(dock, qtbot)
    assert (dock.matrix.current_key, dock.panes.axial.slice_index) == (LEFT, 4)
    assert tuple(dock.axial_model.layers[0].contrast_limits) == (60.0, 130.0)

    # somebody else's session by now: Enter reads without saving, and the panel says so
    path = SessionStore(tmp_path).path(dock.reading.study.study_uid, "ab" * 32, dock.reading.study.series)
    text = path.read_text("utf-8").replace('"reader": ""', '"reader": "AB"')
    path.write_text(text, "utf-8")
    asked: list[str] = []
    by_keyboard(pressing(Qt.Key.Key_Return, qtbot), asked)
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(asked) and "will not be saved" in dock.status_label.text(), timeout=20000)
    assert asked[0].startswith("This study has a session by reader 'AB', saved 2")
    saved = dock.finding_panel.corrections.saved_label
    assert saved.text() == "⚠ Not saved"
    assert "is that of reader 'AB'" in saved.toolTip()
    assert state_of(dock).corrections == Corrections()
    assert path.read_text("utf-8") == text

    # taken over: the work is there, and a copy of their file is kept
    by_keyboard(lambda box: qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton), asked)
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Taken over from reader 'AB'" in dock.status_label.text(), timeout=20000)
    assert state_of(dock).correction(LEFT).absent
    assert saved.text().startswith("Saved ")
    (kept,) = tmp_path.glob("*.kept")
    assert kept.read_text("utf-8") == text


def test_the_sheet_lists_every_key_and_closes_by_keyboard(dock: ReaderDock, qtbot: Any) -> None:
    qtbot.keyClick(canvas_of(dock, dock.panes.axial), Qt.Key.Key_F1)
    sheet = dock.key_sheet
    assert sheet.isVisible()
    assert not sheet.isModal()
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    for command, keys in COMMAND_KEYS.items():
        assert texts[texts.index(command.value) - 1] == key_text(keys)
    assert {"Correcting", "Looking", "Next level down"} <= set(texts)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    click(dock, Command.SHOW_KEYS, qtbot)
    assert sheet.isVisible()
    sheet.close()


def test_no_key_means_two_things() -> None:
    assert len(set(COMMAND_KEYS.values())) == len(COMMAND_KEYS)
