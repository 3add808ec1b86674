"""The 5 x 5 matrix of findings, laid out as the body lies on the screen: patient's right at the left."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPalette, QPen
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
from .cells import EMPTY_CELL, Cell, CellState, shorter
from .label_font import FontOfLabels
from .plain_text import plain_tooltip

_CELL_ROLE = Qt.ItemDataRole.UserRole
#: Space around the two lines of a cell, and of a heading.
_CELL_MARGIN_PX = 8
#: A text that does not fit is made smaller, down to the last share, before it is cut.
_TEXT_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)
_NOTE_TEXT = 0.85
_DOUBT = "?"
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
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
        self._font_of_labels = FontOfLabels(self)
        self._fix_headers()
        self._fix_heights()
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

    def draw_names(self, resting_on: str, are_doubted: bool) -> None:
        """Say what the levels' names rest on, and mark them where they are in doubt: ``L4/L5?``."""
        for row, level in enumerate(_LEVELS):
            heading = self.verticalHeaderItem(row)
            heading.setText(f"{level.value}{_DOUBT if are_doubted else ''}")
            heading.setToolTip(plain_tooltip(resting_on))

    @property
    def cells(self) -> dict[FindingKey, Cell]:
        """All cells as they are shown."""
        return {key: self.cell(key) for key in ALL_FINDINGS}

    def cell(self, key: FindingKey) -> Cell:
        """The cell as it is shown."""
        cell: Cell = self.item(*_place(key)).data(_CELL_ROLE)
        return cell

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fix_heights()

    def _fix_headers(self) -> None:
        horizontal, vertical = self.horizontalHeader(), self.verticalHeader()
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for header in (horizontal, vertical):
            header.setSectionsClickable(False)
            header.setHighlightSections(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for column, condition in enumerate(_CONDITIONS):
            self.horizontalHeaderItem(column).setToolTip(_column_text(condition))

    def _fix_heights(self) -> None:
        """Two lines in every row and heading, and room for a level in doubt, whatever the font."""
        height = 2 * self.fontMetrics().height() + _CELL_MARGIN_PX
        self.verticalHeader().setDefaultSectionSize(height)
        self.horizontalHeader().setFixedHeight(height)
        longest = max(self.fontMetrics().horizontalAdvance(level.value + _DOUBT) for level in _LEVELS)
        self.verticalHeader().setMinimumWidth(longest + 2 * _CELL_MARGIN_PX)
        self.setFixedHeight((len(_LEVELS) + 1) * height + 2 * self.frameWidth())

    def _on_current_cell_changed(self, row: int, column: int, *_: int) -> None:
        if row >= 0 and column >= 0:
            self.chosen.emit(FindingKey(_CONDITIONS[column], _LEVELS[row]))


class _CellDelegate(QStyledItemDelegate):
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell, or two bundles' one above the other; a frame if current."""
        cell: Cell = index.data(_CELL_ROLE)
        box = QRectF(option.rect).adjusted(2, 2, -2, -2)
        palette = option.widget.palette()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if cell.other is None:
            _write(painter, box, cell, _fill(painter, box, cell, palette))
        else:
            _paint_both(painter, box, cell, cell.other, palette)
        if option.state & QStyle.StateFlag.State_Selected:
            _frame(painter, box, palette.windowText().color(), 2)
        painter.restore()


def _fill(painter: QPainter, box: QRectF, cell: Cell, palette: QPalette) -> QColor:
    """Fill a cell with its colour, hatched while stale; return the ink that reads on it."""
    background, ink = theme.cell_colours(cell.severity, palette)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(background)
    painter.drawRoundedRect(box, 3, 3)
    if cell.state in (CellState.STALE, CellState.REGRADING):
        painter.setBrush(QBrush(theme.mix(background, ink, 0.25), Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(box, 3, 3)
    return ink


def _paint_both(painter: QPainter, box: QRectF, first: Cell, second: Cell, palette: QPalette) -> None:
    """One bundle's answer above the other's; where they differ, a sign of it and a frame."""
    middle = box.center().y()
    halves = (
        QRectF(box.topLeft(), QPointF(box.right(), middle)),
        QRectF(QPointF(box.left(), middle), box.bottomRight()),
    )
    signs = ("≠" if first.differs else "", "")
    for half, cell, sign in zip(halves, (first, second), signs, strict=True):
        sign_px = painter.fontMetrics().horizontalAdvance(sign) + 2
        painter.setPen(_fill(painter, half, cell, palette))
        short = shorter(cell.title)
        texts = (f"{cell.title} {cell.note}", f"{short} {cell.note}", short)
        _fit(painter, half.adjusted(3, 0, -sign_px, 0), *texts, smallest=_TEXT_SHARES[-1])
        painter.drawText(half.adjusted(0, 0, -2, 0), _MIDDLE | Qt.AlignmentFlag.AlignRight, sign)
    if first.differs:
        _frame(painter, box, QColor(theme.BOX_COLOUR), 2)


def _frame(painter: QPainter, box: QRectF, colour: QColor, width_px: int) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, width_px))
    painter.drawRoundedRect(box, 3, 3)


def _write(painter: QPainter, box: QRectF, cell: Cell, ink: QColor) -> None:
    painter.setPen(ink)
    inside = box.adjusted(5, 1, -2, -2)
    title = inside.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(cell.mark), 0)
    if not cell.note:
        _fit(painter, title, cell.title, shorter(cell.title))
    else:
        title.setHeight(inside.height() / 2)
        _fit(painter, title, cell.title, shorter(cell.title))
        _fit(painter, inside.adjusted(0, inside.height() / 2, 0, 0), cell.note, scale=_NOTE_TEXT)
    painter.drawText(inside, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, cell.mark)


def _fit(painter: QPainter, box: QRectF, *texts: str, scale: float = 1.0, smallest: float = 1.0) -> None:
    """Write the fullest text that fits on one line; if none does, the last one, smaller or cut with dots.

    A text fits that may be made smaller to do so, down to the share ``smallest``.
    """
    usual = painter.font()
    narrowest = QFontMetricsF(_scaled(usual, scale * smallest)).horizontalAdvance
    text = next((text for text in texts if narrowest(text) <= box.width()), texts[-1])
    font = _shrunk(_scaled(usual, scale), text, box.width())
    painter.setFont(font)
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, _MIDDLE | Qt.TextFlag.TextDontClip, shown)
    painter.setFont(usual)


def _shrunk(font: QFont, text: str, width_px: float) -> QFont:
    """The font, as little smaller as the text needs; letters do not narrow exactly as the size does."""
    sizes = [_scaled(font, share) for share in _TEXT_SHARES]
    return next((f for f in sizes if QFontMetricsF(f).horizontalAdvance(text) <= width_px), sizes[-1])


def _scaled(font: QFont, scale: float) -> QFont:
    scaled = QFont(font)
    scaled.setPointSizeF(font.pointSizeF() * scale)
    return scaled


def _column_text(condition: Condition) -> str:
    """What a column is about, in full: ``Right neural foraminal narrowing, on the patient's right``."""
    side = f", on the patient's {condition.side.value.lower()}" if condition.side else ""
    return condition.value.capitalize() + side


def _place(key: FindingKey) -> tuple[int, int]:
    return key.level.rank, _CONDITIONS.index(key.condition)
