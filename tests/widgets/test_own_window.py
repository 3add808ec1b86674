"""What the reader changes in a window around it, and gives back."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

from napari_lumbar.widgets.own_window import hide_slice_numbers


def test_napari_numbers_are_hidden_while_the_reader_is_there(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    number, other, reader = QWidget(window), QWidget(window), QWidget(window)
    number.setObjectName("slice_label")
    window.show()
    for _ in range(2):  # napari shows its number again when another series comes
        hide_slice_numbers(reader)
        assert (number.isVisible(), other.isVisible()) == (False, True)
        number.show()
    hide_slice_numbers(reader)
    reader.deleteLater()
    qtbot.waitUntil(number.isVisible)
