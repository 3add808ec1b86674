"""A study full of canaries in the window: only series are named, and nothing is kept or told to anybody."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QTableWidget, QWidget
from tests.canaries import Canaries, asking_a_network, write_canaries

from napari_lumbar.pipeline import System, load_system
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import click

pytestmark = pytest.mark.gui


@pytest.fixture
def fake_system() -> System:
    """The embedded one: the study has other series than the small one."""
    return load_system(None, "cpu")


def words_in(window: QWidget) -> Iterator[str]:
    """Everything a person may read in a window, tooltips and names for screen readers too."""
    for widget in window.findChildren(QWidget):
        yield from (widget.windowTitle(), widget.toolTip(), widget.statusTip())
        yield from (widget.accessibleName(), widget.accessibleDescription())
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
            yield widget.text()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(i) for i in range(widget.count()))
        if isinstance(widget, QTableWidget):
            items = (
                widget.item(row, column)
                for row in range(widget.rowCount())
                for column in range(widget.columnCount())
            )
            yield from (text for item in items if item for text in (item.text(), item.toolTip()))


def test_a_network_that_is_asked_is_noticed() -> None:
    with asking_a_network() as asked, socket.socket() as one, pytest.raises(OSError, match="refused"):
        one.connect(("127.0.0.1", 1))
    assert [event.split()[0] for event in asked] == ["socket.connect"]


def test_a_study_is_opened_analysed_and_kept_without_the_words_of_its_files(
    dock: ReaderDock, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, qtbot: Any
) -> None:
    QApplication.clipboard().clear()
    canaries = Canaries()
    folder = write_canaries(tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("root"), canaries)
    before = dock.reading.study
    assert before is not None
    with asking_a_network() as asked:
        dock.reading.open_paths([folder])
        qtbot.waitUntil(lambda: dock.reading.study is not before, timeout=60000)
        study = dock.reading.study
        assert study is not None
        qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=120000)
        click(dock, Command.MARK_ABSENT, qtbot)
        qtbot.waitUntil(
            lambda: dock.finding_panel.corrections.saved_label.text().startswith("Saved"), timeout=20000
        )
        qtbot.mouseClick(dock.study_panel.series_button, Qt.MouseButton.LeftButton)
        assert dock.study_panel.series_table.isVisible()
        shown = [*words_in(dock.window()), dock.window().windowTitle()]
        layers = [layer.name + str(layer.metadata) for pane in dock.panes for layer in pane.viewer.layers]
    assert asked == []
    assert len(shown) > 100
    # a person has to know the series apart; nothing else of the files is on the screen
    series = {found for one in study.series for found in Canaries.seen_in(one.description.encode())}
    assert series
    assert set(Canaries.seen_in(" ".join(shown + layers).encode())) <= series
    kept = [tmp_path, Path(os.environ["XDG_STATE_HOME"]), Path(os.environ["XDG_CONFIG_HOME"])]
    files = [path for root in kept for path in root.rglob("*") if path.is_file()]
    assert any(path.is_relative_to(tmp_path) for path in files), "a reading was kept"
    leaks = [path.name for path in files if Canaries.seen_in(bytes(path) + path.read_bytes())]
    assert leaks == []
    assert QApplication.clipboard().text() == ""
