"""Text of unknown origin on the screen: shown as it is, never read as HTML."""

from __future__ import annotations

import html

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


def plain_tip(text: str) -> str:
    """Return a tooltip that shows ``text`` as it is; Qt reads what looks like HTML as HTML, and wraps it."""
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>") if text else ""


def plain_label(text: str = "") -> QLabel:
    """Return a label that wraps its text and shows it as it is."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
