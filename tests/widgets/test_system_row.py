"""The row that chooses networks and device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_lumbar.models.bundle import BundleManifest, write_manifest
from napari_lumbar.widgets.system_row import SystemRow
from napari_lumbar.widgets.systems import RecentBundles, SystemChoice

pytestmark = pytest.mark.gui


def bundle(folder: Path, name: str) -> Path:
    folder.mkdir()
    write_manifest(folder, BundleManifest(name=name, recipe="mscan", preset="tiny", networks={}, training={}))
    return folder


@pytest.fixture
def fold(tmp_path: Path) -> Path:
    return bundle(tmp_path / "fold", "fold 3")


@pytest.fixture
def row(tmp_path: Path, qtbot: Any) -> SystemRow:
    row = SystemRow(RecentBundles(tmp_path / "recent.json"))
    qtbot.addWidget(row)
    row.show()
    return row


def pick(box: Any, text: str) -> None:
    """As a person chooses an entry."""
    index = box.findText(text)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_it_folds_and_says_what_works_where(row: SystemRow, qtbot: Any) -> None:
    assert row.now_label.text() == "Embedded on auto, not loaded yet"
    assert not row.choices.isVisible()
    qtbot.mouseClick(row.fold_button, Qt.MouseButton.LeftButton)
    assert row.choices.isVisible()
    row.show_system("cpu")
    assert row.now_label.text() == "Embedded on cpu"
    row.show_busy(True)
    assert not row.bundle_box.isEnabled()


def test_a_folder_is_chosen_named_and_remembered(
    row: SystemRow, fold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[SystemChoice] = []
    refused: list[str] = []
    row.chosen.connect(chosen.append)
    row.refused.connect(lambda text, _: refused.append(text))
    row.show_system("cpu")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    pick(row.bundle_box, "Another folder…")
    assert chosen == []
    assert refused[0].endswith("is not a bundle: it holds no bundle.json")
    assert row.bundle_box.currentText() == "Embedded"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(fold))
    pick(row.bundle_box, "Another folder…")
    assert chosen == [SystemChoice(fold, "auto")]
    assert row.bundle_box.currentText() == "fold 3 (mscan, tiny)"
    # what the old networks ran on is not told of the new ones
    assert row.now_label.text() == "fold 3 (mscan, tiny) on auto, not loaded yet"
    pick(row.device_box, "cpu")
    assert chosen[-1] == SystemChoice(fold, "cpu")
    pick(row.device_box, "cpu")
    assert len(chosen) == 2
    pick(row.bundle_box, "Embedded")
    assert chosen[-1] == SystemChoice(None, "cpu")
    assert row.bundle_box.findText("fold 3 (mscan, tiny)") > 0


def test_a_comparison_is_asked_for_and_ended(row: SystemRow, fold: Path, tmp_path: Path) -> None:
    RecentBundles(tmp_path / "recent.json").remember(fold)
    row.choose(SystemChoice())
    asked: list[SystemChoice] = []
    ended: list[bool] = []
    row.comparison_asked.connect(asked.append)
    row.comparison_ended.connect(lambda: ended.append(True))
    pick(row.other_box, "fold 3 (mscan, tiny)")
    pick(row.other_box, "Embedded")
    assert asked == [SystemChoice(fold), SystemChoice()]
    row.show_comparison("2 of 25 findings differ.")
    assert row.comparison_label.isVisible()
    assert row.other_box.currentText() == "Embedded"
    pick(row.other_box, "Nothing")
    assert ended == [True]
    row.show_comparison("")
    assert not row.comparison_label.isVisible()


def test_the_box_names_the_bundle_whose_grades_are_shown(
    row: SystemRow, fold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = RecentBundles(tmp_path / "recent.json")
    recent.remember(bundle(tmp_path / "other", "fold 4"))
    recent.remember(fold)
    row.choose(SystemChoice())
    box = row.other_box
    pick(box, "fold 3 (mscan, tiny)")
    assert box.currentText() == "Nothing", "no grades of it are there yet"
    row.show_comparison("2 of 25 findings differ.")
    assert box.currentText() == "fold 3 (mscan, tiny)"
    # the list is in another order now
    row.choose(SystemChoice(tmp_path / "other"))
    assert box.currentText() == "fold 3 (mscan, tiny)"
    row.show_comparison("2 of 25 findings differ.")
    assert box.currentText() == "fold 3 (mscan, tiny)"
    # no folder was chosen
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    pick(box, "Another folder…")
    assert box.currentText() == "fold 3 (mscan, tiny)"
    # the list has forgotten it
    (tmp_path / "recent.json").unlink()
    row.choose(SystemChoice())
    assert [box.itemText(i) for i in range(box.count())] == [
        "Nothing",
        "Embedded",
        "fold 3 (mscan, tiny)",
        "Another folder…",
    ]
    assert box.currentText() == "fold 3 (mscan, tiny)"
    row.show_comparison("")
    assert box.currentText() == "Nothing"


def test_a_name_that_does_not_fit_is_elided_and_said_in_full_on_hover(
    row: SystemRow, fold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(fold))
    row.fold_button.setChecked(True)
    pick(row.bundle_box, "Another folder…")
    row.bundle_box.resize(90, row.bundle_box.height())
    assert row.bundle_box.shown_text.startswith("fold")
    assert row.bundle_box.shown_text.endswith("…")
    assert row.bundle_box.toolTip() == "fold 3 (mscan, tiny)"
    row.bundle_box.resize(400, row.bundle_box.height())
    assert row.bundle_box.shown_text == "fold 3 (mscan, tiny)"
