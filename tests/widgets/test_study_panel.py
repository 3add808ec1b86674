"""The study browser with real mouse, wheel and keys: the table of roles, dialogs, ways to open, drops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QFileDialog, QLabel, QWidget

from napari_lumbar.dicom import StudyListing
from napari_lumbar.dicom.codes import Exclusion
from napari_lumbar.dicom.stacks import Plane
from napari_lumbar.domain.study import FileAccounting, FileOutcome, FileRecord, Study
from napari_lumbar.session import RecentStudies
from napari_lumbar.widgets.dropping import StudyDrop
from napari_lumbar.widgets.open_buttons import OpenButtons
from napari_lumbar.widgets.study_dialogs import FilesDialog, StudiesDialog, WarningsDialog
from napari_lumbar.widgets.study_panel import StudyPanel

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def odd_study(small_study: Study) -> Study:
    """The small study with a hostile name, warnings and files that were left out."""
    t1 = replace(small_study.series[0], description="<b>t1</b> sag", weighting="T1")
    empty, text = Exclusion.EMPTY, Exclusion.NOT_DICOM
    records = [
        FileRecord("a.dcm", FileOutcome.USED, "used", ""),
        FileRecord("Doe^Jane.dcm", FileOutcome.EXCLUDED, empty.code, empty.sentence, empty.remedy),
        FileRecord("x.txt", FileOutcome.EXCLUDED, text.code, text.sentence, text.remedy),
        FileRecord("y.txt", FileOutcome.EXCLUDED, text.code, text.sentence, text.remedy),
    ]
    return replace(
        small_study,
        series=(t1, *small_study.series[1:]),
        accounting=FileAccounting(tuple(records)),
        warnings=("series t2: <i>uneven</i>", "2 images were compressed with loss"),
    )


@pytest.fixture
def panel(qtbot: Any, tmp_path: Path, odd_study: Study) -> StudyPanel:
    panel = StudyPanel(RecentStudies(tmp_path / "recent.json"))
    qtbot.addWidget(panel)
    panel.resize(540, 400)
    panel.show()
    panel.show_study(odd_study, odd_study)
    return panel


def all_text(widget: QWidget) -> str:
    labels = [label.text() for label in widget.findChildren(QLabel)]
    tables = [widget.table] if hasattr(widget, "table") else []
    cells = [
        table.item(row, column).text()
        for table in tables
        for row in range(table.rowCount())
        for column in range(table.columnCount())
        if not table.isColumnHidden(column)
    ]
    return "\n".join(labels + cells)


def test_every_series_has_a_row_and_its_role_is_changed_by_hand(
    panel: StudyPanel, odd_study: Study, qtbot: Any
) -> None:
    table = panel.series_table
    assert table.item(0, 1).text() == "<b>t1</b> sag\nsagittal · 7 slices\nT1"
    assert "&lt;b&gt;t1&lt;/b&gt; sag" in table.item(0, 1).toolTip()
    assert panel.details.text().startswith("<b>t1</b> sag: sagittal")
    assert panel.details.textFormat() == Qt.TextFormat.PlainText
    assert not panel.automatic_button.isEnabled()

    # the wheel over a role scrolls the table and changes nothing; the keys do
    chosen: list[tuple[str, Any]] = []
    panel.role_chosen.connect(lambda *what: chosen.append(what))
    box = table.role_box("t1")
    centre = QPointF(box.rect().center())
    none, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    down = QPoint(0, -120)
    turn = QWheelEvent(
        centre, box.mapToGlobal(centre), down, down, Qt.MouseButton.NoButton, none, phase, False
    )
    QApplication.sendEvent(box, turn)
    assert (chosen, box.currentText()) == ([], "Sagittal T1")
    qtbot.mouseClick(table.viewport(), LEFT, pos=table.visualItemRect(table.item(0, 1)).center())
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: box.view().isVisible())
    qtbot.keyClick(box.view(), Qt.Key.Key_Up)
    qtbot.keyClick(box.view(), Qt.Key.Key_Return)
    assert chosen == [("t1", None)]

    # the row says so, nothing moves, and one click takes it back
    changed = odd_study.assigning("t1", None)
    panel.show_study(changed, odd_study)
    assert table.role_box("t1") is box
    assert table.item(0, 3).text().startswith("✎ By hand. Automatic: Sagittal T1 (made for this role).")
    with qtbot.waitSignal(panel.automatic_asked):
        qtbot.mouseClick(panel.automatic_button, LEFT)


def test_pictures_stand_beside_their_series(panel: StudyPanel) -> None:
    panel.show_thumbnails(
        {"t2": np.full((88, 88), 200, dtype=np.uint8), "gone": np.zeros((88, 88), np.uint8)}
    )
    table = panel.series_table
    assert [not table.item(row, 0).icon().isNull() for row in range(3)] == [False, True, False]
    image = table.item(1, 0).icon().pixmap(44, 44).toImage()
    assert image.pixelColor(20, 20).red() == 200


def test_files_and_warnings_are_one_click_away(panel: StudyPanel, qtbot: Any) -> None:
    assert panel.files_label.text() == "4 files found = 1 used + 3 excluded"
    assert panel.files_button.text().replace("&", "") == "3 files excluded…"
    qtbot.mouseClick(panel.files_button, LEFT)
    (files,) = panel.findChildren(FilesDialog)
    shown = all_text(files)
    assert "4 files found = 1 used + 3 excluded. Nothing is left out in silence." in shown
    assert [files.table.item(row, 0).text() for row in range(2)] == ["2", "1"]
    for why in (Exclusion.EMPTY, Exclusion.NOT_DICOM):
        assert why.sentence[1:] in shown
        assert why.remedy[1:] in shown
    assert "Doe" not in shown + files.names.toPlainText()
    files.names_box.click()
    assert "Doe^Jane.dcm: the file is empty" in files.names.toPlainText()
    files.names_box.click()
    assert not files.names.toPlainText()
    files.reject()

    assert panel.warnings_button.text() == "⚠ 2"
    assert panel.warnings_button.accessibleName() == "2 warnings"
    qtbot.mouseClick(panel.warnings_button, LEFT)
    (warnings,) = panel.findChildren(WarningsDialog)
    text = warnings.list.toPlainText()
    assert "⚠ Sagittal T2/STIR: <i>uneven</i>" in text
    assert "⚠ 2 images were compressed with loss" in text
    warnings.reject()


def test_a_study_without_oddities_has_no_badge(panel: StudyPanel, small_study: Study) -> None:
    panel.show_study(small_study, small_study)
    assert not panel.warnings_button.isVisible()
    assert not panel.files_button.isVisible()
    assert not panel.files_label.text()


def test_one_of_several_studies_is_chosen_with_the_keys(qtbot: Any) -> None:
    found = (
        StudyListing("1.2.1", 3, 40, 38, (Plane.SAGITTAL, Plane.AXIAL), "20240131"),
        StudyListing("1.2.2", 1, 3, 3, (None,), ""),
    )
    window = QWidget()
    qtbot.addWidget(window)  # not the dialog: chosen from, it deletes itself
    dialog = StudiesDialog(found, window)
    dialog.show()
    shown = all_text(dialog)
    assert "1 sagittal, 1 axial" in shown
    assert "2024" not in shown
    assert "1.2.1" not in shown
    dialog.dates_box.click()
    assert "2024-01-31" in all_text(dialog)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    assert chosen.args == ["1.2.2"]


@pytest.fixture
def buttons(qtbot: Any, tmp_path: Path) -> OpenButtons:
    buttons = OpenButtons(RecentStudies(tmp_path / "recent.json"))
    qtbot.addWidget(buttons)
    buttons.show()
    return buttons


def test_the_buttons_open_folders_files_and_recent_studies(
    buttons: OpenButtons, small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "DICOMDIR"), ""))
    chosen: list[tuple[list[Path], str | None]] = []
    buttons.chosen.connect(lambda *what: chosen.append(what))
    qtbot.mouseClick(buttons.folder_button, LEFT)
    actions(buttons)["Open a DICOMDIR or an image…"].trigger()
    assert chosen == [([tmp_path], None), ([tmp_path / "DICOMDIR"], None)]

    # off at first; once on, a study is offered without its path, until it is forgotten
    buttons.remember(tmp_path / "Doe^Jane", small_study)
    assert not actions(buttons)["Remember studies that I open"].isChecked()
    assert "patient" in actions(buttons)["Remember studies that I open"].toolTip()
    actions(buttons)["Remember studies that I open"].trigger()
    buttons.remember(tmp_path / "Doe^Jane", small_study)
    (recent,) = (text for text in actions(buttons) if text.startswith("Study small, opened 2"))
    assert not any("Doe" in text for text in actions(buttons))
    actions(buttons)[recent].trigger()
    assert chosen[2] == ([tmp_path / "Doe^Jane"], small_study.study_uid)
    actions(buttons)["Forget recent studies"].trigger()
    assert not actions(buttons)["Forget recent studies"].isEnabled()
    actions(buttons)["Remember studies that I open"].trigger()
    assert not (tmp_path / "recent.json").exists()


def actions(buttons: OpenButtons) -> dict[str, Any]:
    buttons.fill_menu()
    return {action.text().replace("&", ""): action for action in buttons.menu.actions()}


def test_what_is_dropped_is_taken_and_other_drags_are_not(qtbot: Any, tmp_path: Path) -> None:
    target = QWidget()
    qtbot.addWidget(target)
    dropped: list[list[Path]] = []
    StudyDrop(target).dropped.connect(dropped.append)
    folders = QMimeData()
    folders.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/study")])
    text = QMimeData()
    text.setText("a word")
    assert drag(target, folders)
    assert not drag(target, text)
    assert dropped == [[tmp_path]]


def drag(target: QWidget, carried: QMimeData) -> bool:
    """Drag something onto a widget and let go where it is welcome."""
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, carried, LEFT, none)
    enter.setAccepted(False)
    QApplication.sendEvent(target, enter)
    if enter.isAccepted():
        QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), copy, carried, LEFT, none))
    return bool(enter.isAccepted())
