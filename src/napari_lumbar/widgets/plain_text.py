"""Text of a study as text: Qt takes what looks like markup for markup, pictures to be loaded among it."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt


def plain_tooltip(text: str) -> str:
    """Return ``text`` so that a tooltip shows it letter by letter."""
    return f"<span>{escape(text)}</span>" if Qt.mightBeRichText(text) else text
