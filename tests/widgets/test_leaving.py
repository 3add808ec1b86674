"""Corrections that are on no disk are left only where a person says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.session import Session
from napari_lumbar.widgets.leaving import Leaving
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import analyse

pytestmark = pytest.mark.gui

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


class FullDisk:
    """A disk that takes nothing until it is freed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        monkeypatch.setattr("os.fsync", self._fsync)

    def _fsync(self, _descriptor: int) -> None:
        if self.is_full:
            raise OSError("disk full")


@pytest.fixture
def disk(dock: ReaderDock, monkeypatch: pytest.MonkeyPatch, qtbot: Any) -> Iterator[FullDisk]:
    """The disk under corrections that could not be saved."""
    analyse(dock, qtbot)
    disk = FullDisk(monkeypatch)
    session_of(dock).mark_absent(CANAL)
    yield disk
    disk.is_full = False
    dock.reading.save_view()  # the window closes without a question


def session_of(dock: ReaderDock) -> Session:
    assert dock.reading.session is not None
    return dock.reading.session


def is_open(dock: ReaderDock, session: Session) -> bool:
    return dock.reading.session is session


def answering(key: Qt.Key, qtbot: Any, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """Answer the next question by keyboard as soon as it is there; what it was."""
    asked: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(50, answer)
            return
        asked.append(f"{box.windowTitle()}: {box.text()}")
        meanwhile()
        qtbot.keyClick(box, key)

    QTimer.singleShot(50, answer)
    return asked


def choose_role(dock: ReaderDock, series_id: str, role: str) -> None:
    box = dock.study_panel.series_table.role_box(series_id)
    box.setCurrentText(role)
    box.activated.emit(box.currentIndex())


def test_a_role_that_would_lose_corrections_is_not_taken_unasked(
    dock: ReaderDock, disk: FullDisk, small_study: Study, qtbot: Any
) -> None:
    session, table = session_of(dock), dock.study_panel.series_table
    axial = next(s for s in small_study.series if s.role is SeriesRole.AXIAL_T2)
    before = table.role_box(axial.series_id).currentText()
    asked = answering(Qt.Key.Key_Escape, qtbot)
    choose_role(dock, axial.series_id, "Not used")
    assert asked == [
        "Corrections are not saved: The corrections of this study are not on disk: disk full. "
        "Free the disk, then edit again.\n\nIf you leave them now, they are lost."
    ]
    assert is_open(dock, session)
    assert table.role_box(axial.series_id).currentText() == before
    # once the disk has room there is nothing to ask
    disk.is_full = False
    choose_role(dock, axial.series_id, "Not used")
    assert not is_open(dock, session)
    assert table.role_box(axial.series_id).currentText() == "Not used"


def test_other_networks_are_not_taken_unasked(dock: ReaderDock, disk: FullDisk, qtbot: Any) -> None:
    session, box = session_of(dock), dock.system_row.device_box
    asked = answering(Qt.Key.Key_Return, qtbot)
    box.setCurrentText("cpu")
    box.activated.emit(box.currentIndex())
    assert len(asked) == 1
    assert (dock.reading.session, box.currentText()) == (session, "auto")
    asked = answering(Qt.Key.Key_Tab, qtbot, lambda: click_leave(qtbot))
    box.setCurrentText("cpu")
    box.activated.emit(box.currentIndex())
    assert len(asked) == 1
    assert (dock.reading.session, box.currentText()) == (None, "cpu")


def click_leave(qtbot: Any) -> None:
    box = QApplication.activeModalWidget()
    button = next(button for button in box.buttons() if button.text() == "Leave without them")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_another_study_is_not_opened_unasked(
    dock: ReaderDock, disk: FullDisk, tmp_path: Path, qtbot: Any
) -> None:
    session = session_of(dock)
    asked = answering(Qt.Key.Key_Escape, qtbot)
    dock.study_panel.opening_asked.emit([tmp_path], None)
    assert len(asked) == 1
    assert (dock.reading.session, dock.reading.is_busy) == (session, False)


def test_the_window_is_not_closed_unasked(dock: ReaderDock, disk: FullDisk, qtbot: Any) -> None:
    asked = answering(Qt.Key.Key_Escape, qtbot)
    dock.window().close()
    assert len(asked) == 1
    assert dock.window().isVisible()


def test_what_was_asked_of_one_study_is_not_done_to_the_next(
    dock: ReaderDock, disk: FullDisk, small_study: Study, qtbot: Any
) -> None:
    done: list[str] = []
    following = replace(small_study, study_id="next", study_uid="1.2.840.9")

    def agree_late(_why: str) -> bool:
        dock.reading.show_study(following)
        return True

    Leaving(dock.reading, agree_late, dock).asking(done.append)("role")
    assert (done, dock.reading.study) == ([], following)


def test_without_a_risk_nothing_is_asked(dock: ReaderDock, qtbot: Any) -> None:
    analyse(dock, qtbot)
    session_of(dock).mark_absent(CANAL)
    leaving = Leaving(dock.reading, lambda why: pytest.fail(why), dock)
    assert leaving.may_leave()
