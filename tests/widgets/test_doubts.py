"""What speaks against an analysis is said in the window, not only in the files it exports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_lumbar.domain.landmarks import Landmarks, Numbering
from napari_lumbar.domain.spine import Level
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.reader_dock import ReaderDock
from napari_lumbar.widgets.study_dialogs import WarningsDialog

from .window import analyse, click

pytestmark = pytest.mark.gui

NUMBERING = Numbering(True, 0.9, contrasts_differ_by=1)
SENTENCE = (
    "The numbering of the levels is unsure: sagittal T1 and T2 name the same discs 1 level apart. "
    "To do: compare with images that show the sacrum or the ribs"
)


@pytest.fixture
def unsure(fake_system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The fake system, which T1 and T2 give different names to."""
    locate = fake_system.localizer.locate

    def unsurely(*arguments: Any) -> Landmarks:
        return replace(locate(*arguments), numbering=NUMBERING, notes=("A note.",))

    monkeypatch.setattr(fake_system.localizer, "locate", unsurely)
    return fake_system


@pytest.mark.usefixtures("unsure")
def test_doubts_of_an_analysis_are_said_and_one_click_away(dock: ReaderDock, qtbot: Any) -> None:
    button = dock.study_panel.warnings_button
    before = button.text()
    analyse(dock, qtbot)
    assert "The numbering of the levels is unsure." in dock.status_label.text()
    assert button.isVisible()
    assert button.text().endswith(" levels?")
    assert button.text() != before
    headings = [dock.matrix.verticalHeaderItem(level.rank) for level in Level]
    assert [heading.text() for heading in headings] == [f"{level.value}?" for level in Level]
    assert "numbering confidence 0.90; sagittal T1 and T2 name" in headings[0].toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (dialog,) = dock.study_panel.findChildren(WarningsDialog)
    words = dialog.list.toPlainText()
    assert SENTENCE in words
    assert "A note." in words
    dialog.reject()

    # what a person did to the names is listed, too; they are theirs from now on
    count = int(button.text().split()[1])
    click(dock, Command.NAMES_DOWN, qtbot)
    assert int(button.text().split()[1]) > count
    assert not button.text().endswith("levels?")
    assert [heading.text() for heading in headings] == [level.value for level in Level]
    click(dock, Command.UNDO, qtbot)
    assert headings[0].text() == "L1/L2?"
