"""What a study says is shown letter by letter, wherever it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import QLabel

from napari_lumbar.domain.study import Study
from napari_lumbar.session import RecentStudies
from napari_lumbar.widgets.plain_text import LinesLabel, plain_tooltip
from napari_lumbar.widgets.study_panel import StudyPanel

pytestmark = pytest.mark.gui

EVIL = ['<img src="file:///etc/passwd">', "<b>T2</b>", "a <br> b", "plain & simple", "x < y > z", "&lt;b&gt;"]


def shown(tooltip: str) -> str:
    """What a person reads in a tooltip."""
    if not Qt.mightBeRichText(tooltip):
        return tooltip
    document = QTextDocument()
    document.setHtml(tooltip)
    return document.toPlainText()


@pytest.mark.parametrize("text", EVIL)
def test_a_tooltip_shows_every_letter(text: str) -> None:
    assert shown(plain_tooltip(text)) == text


@pytest.mark.parametrize("text", EVIL)
def test_a_series_description_is_text(small_study: Study, tmp_path: Path, qtbot: Any, text: str) -> None:
    panel = StudyPanel(RecentStudies(tmp_path / "recent.json"))
    qtbot.addWidget(panel)
    study = replace(small_study, series=tuple(replace(s, description=text) for s in small_study.series))
    panel.show_study(study, study)
    for row in range(3):
        item = panel.series_table.item(row, 1)
        assert item is not None
        assert item.text().startswith(f"{text}\n")
        assert shown(item.toolTip()).startswith(f"{text}:")


@pytest.mark.parametrize("text", ["", "short", "a long text " * 60, "<b>no markup</b>"])
def test_a_label_of_lines_is_as_high_whatever_it_says(qtbot: Any, text: str) -> None:
    label = LinesLabel(2)
    qtbot.addWidget(label)
    label.resize(300, label.sizeHint().height())
    height = label.minimumSizeHint().height()
    label.setText(text)
    assert label.sizeHint().height() == label.minimumSizeHint().height() == height
    assert not label.hasHeightForWidth()
    assert height >= 2 * label.fontMetrics().lineSpacing()
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_a_label_of_lines_says_that_there_is_more(qtbot: Any) -> None:
    label = LinesLabel(2, "the disc called L4/L5 becomes L5/S1, every other disc likewise; " * 5)
    qtbot.addWidget(label)
    label.setStyleSheet("border: 2px solid")
    label.show()
    for width in range(180, 340):
        label.resize(width, label.sizeHint().height())
        room, shown_text = label.contentsRect(), QLabel.text(label)
        flags = int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
        needed = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 0), flags, shown_text)
        assert shown_text.endswith("…")
        assert needed.height() <= room.height(), f"{width} px wide: its end is cut off"
