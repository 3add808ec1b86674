"""From files on a disk to the window: drops, several studies, roles by hand, and what cannot be opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_lumbar.domain.errors import Cancelled, StudyError
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.pseudonym import pseudonym
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack, Study
from napari_lumbar.phantom import PhantomStudy
from napari_lumbar.phantom.write import write_study
from napari_lumbar.pipeline.progress import CancelToken, Progress
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import RecentStudies, SessionStore
from napari_lumbar.widgets.reader_dock import ReaderDock
from napari_lumbar.widgets.study_dialogs import FilesDialog, StudiesDialog
from napari_lumbar.widgets.study_source import StudyChoice, read_chosen

WriteStudy = Callable[[Path, str], Path]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def write_folder(small_study: Study) -> WriteStudy:
    """``write_folder(folder, study_uid)``: the small study as DICOM files; returns the folder."""

    def write(folder: Path, study_uid: str) -> Path:
        series = tuple(_with_uids(s, f"{study_uid}.{i}") for i, s in enumerate(small_study.series))
        study = replace(small_study, study_id="1", study_uid=study_uid, series=series)
        thickness = {s.series_id: 4.0 for s in series}
        write_study(PhantomStudy(study, {}, {}, Landmarks({}), {}, {}, {}, thickness), folder)
        return folder

    return write


def _with_uids(series: MRSeries, uid: str) -> MRSeries:
    stacks = tuple(
        SliceStack(tuple(replace(s, sop_instance_uid=f"{uid}.{s.instance_number}") for s in stack.slices))
        for stack in series.stacks
    )
    return replace(series, series_uid=uid, stacks=stacks, frame_of_reference_uid="1.2.9")


def test_a_study_is_read_with_progress_and_can_be_stopped(write_folder: WriteStudy, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "disc", "1.2.1")
    steps: list[Progress] = []
    study = read_chosen(folder, None, steps.append, CancelToken())
    assert isinstance(study, Study)
    assert {series.role for series in study.series} >= {SeriesRole.AXIAL_T2}
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert list(dict.fromkeys(step.stage for step in steps)) == ["Reading headers", "Decoding images"]
    assert len(steps) == 2 * 29, "each of 29 files is scanned and decoded"
    stopped = CancelToken()
    with pytest.raises(Cancelled):
        read_chosen(folder, None, lambda step: stopped.cancel() if step.fraction > 0.5 else None, stopped)


def test_several_studies_come_back_as_a_choice(write_folder: WriteStudy, tmp_path: Path) -> None:
    for uid in ("1.2.1", "1.2.2"):
        write_folder(tmp_path / "disc" / uid, uid)
    choice = read_chosen(tmp_path / "disc", None, lambda _: None, CancelToken())
    assert isinstance(choice, StudyChoice)
    assert [(listing.study_uid, listing.n_series) for listing in choice.found] == [("1.2.1", 3), ("1.2.2", 3)]
    study = read_chosen(tmp_path / "disc", "1.2.2", lambda _: None, CancelToken())
    assert isinstance(study, Study)
    assert study.study_uid == "1.2.2"
    with pytest.raises(StudyError, match="holds no study"):
        read_chosen(tmp_path / "disc", "1.2.3", lambda _: None, CancelToken())


@pytest.fixture
def dock(
    make_napari_viewer_proxy: Any, fake_system: System, tmp_path: Path, qtbot: Any
) -> Iterator[ReaderDock]:
    """The reader in a window, with nothing opened yet."""
    viewer = make_napari_viewer_proxy(show=True)
    store, recent = SessionStore(tmp_path / "sessions"), RecentStudies(tmp_path / "recent.json")
    recent.switch(True)
    dock = ReaderDock(viewer, lambda: fake_system, store, recent=recent)
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1500, 950)
    qtbot.waitExposed(dock.window())
    qtbot.wait(100)
    yield dock
    dock.reading.close()
    # pytest keeps this value until after napari has looked for canvases left alive: let the canvas go.
    dock.__dict__.clear()


def drop(dock: ReaderDock, *paths: Path) -> None:
    """Drop files or folders onto the panel, as a file manager does."""
    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(40, 200), copy, carried, LEFT, none)
    QApplication.sendEvent(dock, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(dock, QDropEvent(QPointF(40, 200), copy, carried, LEFT, none))


def opened(dock: ReaderDock, study_uid: str, qtbot: Any) -> Study:
    """Wait until a study is on the screen, and return it."""
    reading = dock.reading
    qtbot.waitUntil(lambda: bool(reading.study and reading.study.study_uid == study_uid), timeout=30000)
    assert reading.study is not None
    return reading.study


@pytest.mark.gui
def test_what_is_dropped_ends_in_a_study_or_a_sentence(
    dock: ReaderDock, write_folder: WriteStudy, tmp_path: Path, qtbot: Any
) -> None:
    panel = dock.study_panel
    folder = write_folder(tmp_path / "Doe^Jane", "1.2.1")
    (folder / "README.TXT").write_text("about this disc")
    name = f"Study {pseudonym('1.2.1')}"

    # a folder of one study: its series, pictures and files
    drop(dock, folder)
    assert panel.cancel_button.isVisible()
    shown = opened(dock, "1.2.1", qtbot)
    table = panel.series_table
    qtbot.waitUntil(lambda: not table.item(2, 0).icon().isNull(), timeout=20000)
    assert panel.study_label.text() == name
    assert table.rowCount() == 3
    assert panel.files_label.text() == "30 files found = 29 used + 1 excluded"
    qtbot.mouseClick(panel.files_button, LEFT)
    (files,) = dock.findChildren(FilesDialog)
    files.reject()
    assert [study.name for study in RecentStudies(tmp_path / "recent.json").studies] == [name]

    # what cannot be opened is said, and the study stays
    (tmp_path / "empty").mkdir()
    (tmp_path / "study.zip").write_bytes(b"PK\x03\x04")
    words = {
        tmp_path / "empty": "the folder is empty: no file was found",
        tmp_path / "study.zip": "archives are not read: unpack it",
        folder / "README.TXT": "this file is not DICOM",
        folder / "gone": "nothing at this place any more",
    }
    for path, sentence in words.items():
        drop(dock, path)
        qtbot.waitUntil(lambda said=sentence: said in dock.status_label.text(), timeout=30000)
        assert dock.status_label.text().startswith("⚠")
        assert "Doe" not in dock.status_label.text()
    assert dock.reading.study is shown
    assert panel.study_label.text() == name


@pytest.mark.gui
def test_a_role_by_hand_outlives_another_study(
    dock: ReaderDock, write_folder: WriteStudy, locate_gate: threading.Event, tmp_path: Path, qtbot: Any
) -> None:
    panel = dock.study_panel
    for uid in ("1.2.1", "1.2.2"):
        write_folder(tmp_path / "disc" / uid, uid)

    # two studies in one folder: a dialog asks
    drop(dock, tmp_path / "disc")
    qtbot.waitUntil(lambda: bool(dock.findChildren(StudiesDialog)), timeout=30000)
    (dialog,) = dock.findChildren(StudiesDialog)
    assert panel.study_label.text() == "No study"
    qtbot.mouseClick(dialog.open_button, LEFT)
    study = opened(dock, "1.2.1", qtbot)

    # a role by hand, with the mouse; a click on an open list counts only after a moment
    box = panel.series_table.role_box(study.series[0].series_id)
    qtbot.mouseClick(box, LEFT)
    qtbot.waitUntil(lambda: box.view().isVisible())
    qtbot.wait(QApplication.doubleClickInterval() + 100)
    not_used = box.view().visualRect(box.model().index(0, 0)).center()
    qtbot.mouseClick(box.view().viewport(), LEFT, pos=not_used)
    qtbot.waitUntil(lambda: "Role changed" in dock.status_label.text())
    assert panel.series_table.item(0, 3).text().startswith("✎ By hand.")

    # an analysis under way gives way to another study, dropped as the images of one folder
    locate_gate.clear()
    qtbot.mouseClick(panel.analyse_button, LEFT)
    drop(dock, *(tmp_path / "disc" / "1.2.2" / "t1").iterdir())
    assert len(opened(dock, "1.2.2", qtbot).series) == 1
    assert dock.reading.session is None

    # opened again, the first study has the role that was given
    drop(dock, tmp_path / "disc" / "1.2.1")
    assert opened(dock, "1.2.1", qtbot).series[0].role is None
    assert "as you left them" in dock.status_label.text()
