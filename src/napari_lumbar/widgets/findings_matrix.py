"""The 5 x 5 matrix of findings, laid out as the body lies on the screen: patient's right at the left."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QPainter, QPen
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ..domain.spine import ALL_FINDINGS, Condition, FindingKey, Level
from ..export.severity_style import CONDITION_HEADINGS
from . import theme
from .cells import EMPTY_CELL, Cell, CellState
from .plain_text import plain_tooltip

_CELL_ROLE = Qt.ItemDataRole.UserRole
_ROW_HEIGHT_PX = 38
_HEADER_HEIGHT_PX = 36
_CONDITIONS, _LEVELS = list(Condition), list(Level)


class FindingsMatrix(QTableWidget):
    """Levels in rows, conditions in columns; click or arrow keys choose a finding."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(_LEVELS), len(_CONDITIONS), parent)
        self.setAccessibleName("Findings, levels by conditions, patient's right at the left")
        self.setHorizontalHeaderLabels([CONDITION_HEADINGS[c].replace(" ", "\n", 1) for c in _CONDITIONS])
        self.setVerticalHeaderLabels([level.value for level in _LEVELS])
        self.setItemDelegate(_CellDelegate(self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self._fix_geometry()
        for key in ALL_FINDINGS:
            self.setItem(*_place(key), QTableWidgetItem())
        self.draw({})
        self.currentCellChanged.connect(self._on_current_cell_changed)

    @property
    def current_key(self) -> FindingKey | None:
        """The finding that is chosen, or None."""
        if self.currentRow() < 0:
            return None
        return FindingKey(_CONDITIONS[self.currentColumn()], _LEVELS[self.currentRow()])

    def choose(self, key: FindingKey) -> None:
        """Make ``key`` the current finding."""
        self.setCurrentCell(*_place(key))

    def draw(self, cells: Mapping[FindingKey, Cell]) -> None:
        """Show the cells; those that are not given are empty."""
        for key in ALL_FINDINGS:
            cell, item = cells.get(key, EMPTY_CELL), self.item(*_place(key))
            if item.data(_CELL_ROLE) != cell:
                item.setData(_CELL_ROLE, cell)
                item.setToolTip(plain_tooltip(cell.tooltip))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, cell.tooltip)

    def cell(self, key: FindingKey) -> Cell:
        """The cell as it is shown."""
        cell: Cell = self.item(*_place(key)).data(_CELL_ROLE)
        return cell

    def _fix_geometry(self) -> None:
        horizontal, vertical = self.horizontalHeader(), self.verticalHeader()
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(_ROW_HEIGHT_PX)
        for header in (horizontal, vertical):
            header.setSectionsClickable(False)
            header.setHighlightSections(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        horizontal.setFixedHeight(_HEADER_HEIGHT_PX)
        self.setFixedHeight(_HEADER_HEIGHT_PX + len(_LEVELS) * _ROW_HEIGHT_PX + 2 * self.frameWidth())

    def _on_current_cell_changed(self, row: int, column: int, *_: int) -> None:
        if row >= 0 and column >= 0:
            self.chosen.emit(FindingKey(_CONDITIONS[column], _LEVELS[row]))


class _CellDelegate(QStyledItemDelegate):
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell: fill, hatching while stale, two lines of text, a frame if current."""
        cell: Cell = index.data(_CELL_ROLE)
        box = QRectF(option.rect).adjusted(2, 2, -2, -2)
        background, ink = theme.cell_colours(cell.severity, option.widget.palette())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(box, 3, 3)
        if cell.state in (CellState.STALE, CellState.REGRADING):
            painter.setBrush(QBrush(theme.mix(background, ink, 0.25), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(box, 3, 3)
        _write(painter, box, cell, ink)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(option.widget.palette().windowText().color(), 2))
            painter.drawRoundedRect(box, 3, 3)
        painter.restore()


def _write(painter: QPainter, box: QRectF, cell: Cell, ink: QColor) -> None:
    painter.setPen(ink)
    font = painter.font()
    inside = box.adjusted(6, 1, -1, -2)
    if not cell.note:
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, cell.title)
    else:
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, cell.title)
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        painter.drawText(inside, Qt.AlignmentFlag.AlignBottom, cell.note)
    if cell.corrected:
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, "✎")


def _place(key: FindingKey) -> tuple[int, int]:
    return key.level.rank, _CONDITIONS.index(key.condition)
