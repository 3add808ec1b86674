"""Widgets that paint their own text, in the font that napari gives its labels."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QWidget


class FontOfLabels(QObject):
    """Keeps the font of a widget equal to that of a label inside it.

    napari's style sheet sets the size of text for labels and buttons, not for widgets that paint.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._label = QLabel(widget)
        self._label.hide()
        widget.installEventFilter(self)
        self._label.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Follow the label when the style changes, and once it is first shown."""
        if event.type() in (QEvent.Type.Polish, QEvent.Type.StyleChange, QEvent.Type.Show):
            self._label.ensurePolished()
            size = self._label.font().pointSizeF()
            if size > 0 and size != self._widget.font().pointSizeF():
                font = self._widget.font()
                font.setPointSizeF(size)
                self._widget.setFont(font)
        return False
