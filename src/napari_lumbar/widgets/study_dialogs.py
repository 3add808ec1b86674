"""Three small windows: which study of several, which files were left out and why, and every warning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..dicom import StudyListing
from ..dicom.accounting import excluded_counts
from ..domain.study import FileAccounting
from .plain_text import plain_label, plain_tooltip
from .study_words import accounting_sentence, listing_cells

_SIZE_PX = (640, 360)
_DATE = 4


class StudiesDialog(QDialog):
    """Choose one of the studies of a folder; a study's date is shown only when asked for.

    Signals
    -------
    chosen
        StudyInstanceUID of the study to read.
    """

    chosen = Signal(str)

    def __init__(self, found: Sequence[StudyListing], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found = found
        column = _laid_out(self, "Which study?")
        column.addWidget(plain_label(f"The folder holds {len(found)} studies, the newest first."))
        self.table = _table(("Study", "Series", "Files", "Planes", "Date"), map(listing_cells, found))
        self.table.setAccessibleName("Studies of the folder")
        self.table.setColumnHidden(_DATE, True)
        self.table.selectRow(0)
        self.dates_box = QCheckBox("Show the &dates of the studies")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.open_button = buttons.button(QDialogButtonBox.StandardButton.Open)
        for widget in (self.table, self.dates_box, buttons):
            column.addWidget(widget)
        self.dates_box.toggled.connect(lambda on: self.table.setColumnHidden(_DATE, not on))
        self.table.doubleClicked.connect(self.accept)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(self._found[self.table.currentRow()].study_uid))


class FilesDialog(QDialog):
    """What became of every file; their names are shown only when asked for: they can hold a patient's."""

    def __init__(self, accounting: FileAccounting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._accounting = accounting
        column = _laid_out(self, "Files that were left out")
        column.addWidget(plain_label(f"{accounting_sentence(accounting)}. Nothing is left out in silence."))
        rows = (
            (str(one.count), _sentence(one.why.sentence), _sentence(one.why.remedy))
            for one in excluded_counts(accounting)
        )
        self.table = _table(("Files", "Why they were left out", "What can be done"), rows)
        self.table.setAccessibleName("Reasons why files were left out")
        self.names_box = QCheckBox("Show the &names of the files (they can identify a patient)")
        self.names = QPlainTextEdit()
        self.names.setAccessibleName("Files that were left out")
        self.names.setReadOnly(True)
        self.names.hide()
        for widget in (self.table, self.names_box, self.names, _close_button(self)):
            column.addWidget(widget)
        self.names_box.toggled.connect(self._show_names)

    def _show_names(self, shown: bool) -> None:
        lines = (f"{record.path}: {record.reason}" for record in self._accounting.excluded)
        self.names.setPlainText("\n".join(lines) if shown else "")
        self.names.setVisible(shown)


class WarningsDialog(QDialog):
    """Every warning about a study, in full."""

    def __init__(self, lines: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = _laid_out(self, "Warnings about this study")
        column.addWidget(
            plain_label("What is odd about the images, or speaks against what was found on them:")
        )
        self.list = QPlainTextEdit("\n\n".join(f"⚠ {_sentence(line)}" for line in lines))
        self.list.setAccessibleName("Warnings about this study")
        self.list.setReadOnly(True)
        self.list.setTabChangesFocus(True)
        for widget in (self.list, _close_button(self)):
            column.addWidget(widget)


def _laid_out(dialog: QDialog, title: str) -> QVBoxLayout:
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.resize(*_SIZE_PX)
    return QVBoxLayout(dialog)


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> QTableWidget:
    cells = list(rows)
    table = QTableWidget(len(cells), len(header))
    table.setHorizontalHeaderLabels(list(header))
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTabKeyNavigation(False)
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(plain_tooltip(text))
            table.setItem(row, column, item)
    sections = table.horizontalHeader()
    sections.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    sections.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    sections.setStretchLastSection(True)
    return table


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
