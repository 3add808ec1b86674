"""The series of a study with their pictures, and the role of each, to be changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QKeyEvent, QPixmap, QWheelEvent
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from ..domain.study import SeriesRole
from .plain_text import plain_tooltip
from .study_words import SeriesRow, role_text
from .thumbnails import Thumbnail

_COLUMNS = ("", "Series", "Role", "Why")
_IMAGE, _SERIES, _ROLE, _WHY = range(4)
_PICTURE_PX = 44
_ROW_HEIGHT_PX = 48
#: So many rows are shown where there is room, and never fewer than the second number.
_SHOWN_ROWS, _FEWEST_ROWS = 4, 2
_HEADER_PX = 24
_WIDTHS_PX = {_IMAGE: 48, _SERIES: 176, _ROLE: 144}
#: In the order of the combo boxes.
_ROLES = (None, *SeriesRole)
_BY_HAND = "✎ "


class SeriesTable(QTableWidget):
    """One row a series; arrow keys walk the rows, Enter or Space opens the role of the current one.

    Signals
    -------
    role_chosen
        (series_id, role or None): a person chose a role.
    row_described
        Everything that is known of the current row.
    """

    role_chosen = Signal(str, object)
    row_described = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._rows: tuple[SeriesRow, ...] = ()
        self.setAccessibleName("Series of the study")
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT_PX)
        header = self.horizontalHeader()
        for column, width in _WIDTHS_PX.items():
            header.resizeSection(column, width)
        header.setSectionResizeMode(_WHY, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setFixedHeight(_HEADER_PX)
        self.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(_height_px(_FEWEST_ROWS))
        self.setMaximumHeight(_height_px(_SHOWN_ROWS))
        self.currentCellChanged.connect(lambda *_: self._describe())

    def sizeHint(self) -> QSize:
        """Room for several rows; the table scrolls where there are more, or less room."""
        return QSize(super().sizeHint().width(), _height_px(_SHOWN_ROWS))

    def show_rows(self, rows: Sequence[SeriesRow]) -> None:
        """List these series; where they are the ones listed, rows and focus stay where they are."""
        same = [row.series_id for row in rows] == [row.series_id for row in self._rows]
        self._rows = tuple(rows)
        if not same:
            self.clearContents()
            self.setRowCount(len(rows))
            for index, row in enumerate(rows):
                self._build_row(index, row)
            self._fit_roles()
            self.setCurrentCell(0 if rows else -1, _SERIES)
        for index, row in enumerate(rows):
            self._fill_row(index, row)
        self._describe()

    def show_thumbnails(self, pictures: Mapping[str, Thumbnail]) -> None:
        """Put the pictures beside the series that they belong to, by ``series_id``."""
        for index, row in enumerate(self._rows):
            picture = pictures.get(row.series_id)
            if picture is not None:
                self.item(index, _IMAGE).setIcon(_icon(picture))

    def role_box(self, series_id: str) -> QComboBox:
        """The combo box that holds the role of a series."""
        index = [row.series_id for row in self._rows].index(series_id)
        return self.cellWidget(index, _ROLE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the role of the current row with Enter or Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._rows:
            box = self.cellWidget(self.currentRow(), _ROLE)
            box.setFocus()
            box.showPopup()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Make room for roles in another font: the theme's comes when the table is put into its window."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._fit_roles()

    def _build_row(self, index: int, row: SeriesRow) -> None:
        for column in (_IMAGE, _SERIES, _WHY):
            self.setItem(index, column, QTableWidgetItem())
        box = _RoleBox(row)
        box.activated.connect(lambda chosen: self._ask(index, _ROLES[chosen]))
        self.setCellWidget(index, _ROLE, box)

    def _ask(self, index: int, role: SeriesRole | None) -> None:
        """Ask for a role; the box shows the one in force, whether or not that is the one asked for."""
        self.role_chosen.emit(self._rows[index].series_id, role)
        if index < len(self._rows):  # another study may be listed by now
            self._fill_row(index, self._rows[index])

    def _fit_roles(self) -> None:
        """Make the column as wide as the longest role is in the font of the screen."""
        boxes = [self.cellWidget(index, _ROLE) for index in range(self.rowCount())]
        for box in boxes:
            box.ensurePolished()
        wide = [box.sizeHint().width() for box in boxes]
        self.horizontalHeader().resizeSection(_ROLE, max([_WIDTHS_PX[_ROLE], *wide]))

    def _fill_row(self, index: int, row: SeriesRow) -> None:
        mark = _BY_HAND if row.is_by_hand else ""
        for column, text in {
            _SERIES: f"{row.name}\n{row.extent}\n{row.weighting}",
            _WHY: f"{mark}{row.why}",
        }.items():
            self.item(index, column).setText(text)
            self.item(index, column).setToolTip(plain_tooltip(row.details))
        self.cellWidget(index, _ROLE).setCurrentIndex(_ROLES.index(row.role))

    def _describe(self) -> None:
        index = self.currentRow()
        self.row_described.emit(self._rows[index].details if 0 <= index < len(self._rows) else "")


class _RoleBox(QComboBox):
    """A role to choose; the wheel scrolls the table and never changes it by accident."""

    def __init__(self, row: SeriesRow) -> None:
        super().__init__()
        self.setAccessibleName(f"Role of {row.name}")
        self.addItems([role_text(role) for role in _ROLES])
        for index, role in enumerate(_ROLES):
            if role is not None and role not in row.possible:
                self.model().item(index).setEnabled(False)
                self.setItemData(index, "Its slices lie in another plane", Qt.ItemDataRole.ToolTipRole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the table."""
        event.ignore()


def _height_px(rows: int) -> int:
    return _HEADER_PX + rows * _ROW_HEIGHT_PX + 4


def _icon(picture: Thumbnail) -> QIcon:
    rows, columns = picture.shape
    image = QImage(picture.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    pixmap = QPixmap.fromImage(image.copy())  # the bytes go when this returns
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # a selected row must not tint it
    return icon
