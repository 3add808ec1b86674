"""The matrix as a widget: keys, words, and two bundles in one cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QFontMetricsF

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.export.severity_style import SEVERITY_STYLES
from napari_lumbar.widgets import findings_matrix, theme
from napari_lumbar.widgets.cells import Cell, CellState
from napari_lumbar.widgets.findings_matrix import FindingsMatrix

pytestmark = pytest.mark.gui

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
NORMAL = Cell(CellState.CURRENT, Severity.NORMAL_MILD, "● Normal/Mild", "0.90", tooltip="fine")
SEVERE = Cell(CellState.CURRENT, Severity.SEVERE, "◆ Severe", "0.80", tooltip="<b>by hand</b>")


@pytest.fixture
def matrix(qtbot: Any) -> FindingsMatrix:
    matrix = FindingsMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(540, matrix.height())
    matrix.draw(dict.fromkeys(ALL_FINDINGS, NORMAL))
    matrix.show()
    qtbot.waitExposed(matrix)
    return matrix


def colours(matrix: FindingsMatrix, key: FindingKey) -> set[str]:
    """Every colour in the cell of ``key``."""
    image = matrix.grab().toImage()
    index = matrix.model().index(key.level.rank, list(Condition).index(key.condition))
    box = matrix.visualRect(index).translated(matrix.viewport().pos())
    xs, ys = range(box.left(), box.right()), range(box.top(), box.bottom())
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


def test_keys_walk_the_rows_and_go_to_their_ends(matrix: FindingsMatrix, qtbot: Any) -> None:
    chosen: list[FindingKey] = []
    matrix.chosen.connect(chosen.append)
    matrix.choose(CANAL)
    for key in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Down):
        qtbot.keyClick(matrix, key)
    qtbot.keyClick(matrix, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    first, *_, last = Condition
    assert chosen == [
        CANAL,
        FindingKey(first, Level.L3_L4),
        FindingKey(last, Level.L3_L4),
        FindingKey(last, Level.L4_L5),
        FindingKey(first, Level.L1_L2),
    ]


def test_headings_say_whose_side_it_is_and_tooltips_are_plain(matrix: FindingsMatrix) -> None:
    first, middle = matrix.horizontalHeaderItem(0), matrix.horizontalHeaderItem(2)
    assert first.text() == "Right\nforamen"
    assert first.toolTip() == "Right neural foraminal narrowing, on the patient's right"
    assert middle.toolTip() == "Spinal canal stenosis"
    matrix.draw({CANAL: SEVERE})
    item = matrix.item(CANAL.level.rank, 2)
    assert "&lt;b&gt;by hand&lt;/b&gt;" in item.toolTip()
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "<b>by hand</b>"


def test_two_bundles_share_a_cell_and_a_frame_says_that_they_differ(matrix: FindingsMatrix) -> None:
    severe = QColor(SEVERITY_STYLES[Severity.SEVERE].fill).name()
    frame = QColor(theme.BOX_COLOUR).name()
    assert not colours(matrix, CANAL) & {severe, frame}
    matrix.draw({CANAL: replace(NORMAL, other=SEVERE, differs=True)})
    assert {severe, frame} < colours(matrix, CANAL)
    matrix.draw({CANAL: replace(NORMAL, other=NORMAL)})
    assert not colours(matrix, CANAL) & {severe, frame}


def test_it_grows_with_the_font(matrix: FindingsMatrix) -> None:
    before = matrix.height()
    font = matrix.font()
    font.setPointSizeF(2 * font.pointSizeF())
    matrix.setFont(font)
    assert matrix.height() > 1.4 * before
    assert matrix.rowViewportPosition(4) + matrix.rowHeight(4) <= matrix.viewport().height()


def test_both_answers_of_a_shared_cell_say_how_sure_they_are(
    matrix: FindingsMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    class Recording(QFontMetricsF):
        def elidedText(self, *arguments: Any) -> str:
            written.append(shown := super().elidedText(*arguments))
            return shown

    monkeypatch.setattr(findings_matrix, "QFontMetricsF", Recording)
    matrix.resize(600, matrix.height())
    moderate = Cell(CellState.CURRENT, Severity.MODERATE, "▲ Moderate?", "0.62")
    matrix.draw(dict.fromkeys(ALL_FINDINGS, replace(SEVERE, other=moderate, differs=True)))
    matrix.grab()
    assert set(written) == {"◆ Severe 0.80", "▲ Moderate? 0.62"}
