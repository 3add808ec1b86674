"""Text of a study as text: Qt takes what looks like markup for markup, pictures to be loaded among it."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt


def plain_tooltip(text: str) -> str:
    """Return ``text`` so that a tooltip shows it letter by letter."""
    if not Qt.mightBeRichText(text):
        return text
    lines = escape(text).replace("\n", "<br>")
    return f"<span>{lines}</span>"
