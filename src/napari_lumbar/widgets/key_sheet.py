"""All keys at a glance, from the same table that binds them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from .shortcuts import Shortcut, key_text


class KeySheet(QDialog):
    """A sheet that may stay open beside the window; Escape closes it."""

    def __init__(self, shortcuts: Sequence[Shortcut], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of the lumbar reader")
        self.setModal(False)
        grid, whole = QGridLayout(), QVBoxLayout(self)
        grid.setHorizontalSpacing(24)
        for group, members in groupby(sorted(shortcuts, key=_group), key=_group):
            _add_heading(grid, group)
            for shortcut in members:
                _add_line(grid, shortcut)
        whole.addLayout(grid)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole.addWidget(buttons)

    def toggle(self) -> None:
        """Show the sheet, or close it."""
        if self.isVisible():
            self.close()
        else:
            self.show()
            self.raise_()
            self.activateWindow()


def _group(shortcut: Shortcut) -> str:
    return shortcut.group


def _add_heading(grid: QGridLayout, group: str) -> None:
    label = QLabel(group)
    bold = label.font()
    bold.setBold(True)
    label.setFont(bold)
    grid.addWidget(label, grid.rowCount(), 0, 1, 2)


def _add_line(grid: QGridLayout, shortcut: Shortcut) -> None:
    row = grid.rowCount()
    for column, text in enumerate((key_text(shortcut.keys), shortcut.text)):
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        grid.addWidget(label, row, column)
