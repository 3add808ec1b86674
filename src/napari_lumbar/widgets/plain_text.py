"""Text of a study as text: Qt takes what looks like markup for markup, pictures to be loaded among it."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows ``text`` letter by letter, and wraps long lines."""
    lines = escape(text).replace("\n", "<br>")
    return f"<qt>{lines}</qt>" if text else ""


def plain_label(text: str = "") -> QLabel:
    """Return a label that shows ``text`` letter by letter, and wraps it."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
