"""Labels on a canvas that show what its corners say, on dark plates; the mouse goes through them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLabel, QWidget

from .corner_text import Corner, CornerText

_MARGIN_PX = 6
#: Two lines of napari's own at the lower border: what the software may be used for, and which way that is.
_LOWER_LINES_PX = 36
_STYLE = "color: white; background: rgba(13, 13, 20, 170); padding: 1px 3px; font-size: 9pt"


class CornerLabels(QObject):
    """Three labels in the corners of a canvas.

    Parameters
    ----------
    canvas
        The widget they lie on.
    text
        What they say.
    parent
        They go when it goes: the canvas may be a person's own.
    """

    def __init__(self, canvas: QWidget, text: CornerText, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._text = canvas, text
        self._labels = {corner: _label(canvas) for corner in Corner}
        canvas.installEventFilter(self)
        text.changed.connect(self._draw)
        for label in self._labels.values():
            parent.destroyed.connect(label.deleteLater)
        for corner in Corner:
            self._draw(corner)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the labels in their corners."""
        if event.type() == QEvent.Type.Resize:
            for corner in Corner:
                self._place(corner)
        return bool(super().eventFilter(watched, event))

    def _draw(self, corner: Corner) -> None:
        label, words = self._labels[corner], self._text.words[corner]
        label.setText(words)
        label.setVisible(bool(words))
        self._place(corner)

    def _place(self, corner: Corner) -> None:
        label, canvas = self._labels[corner], self._canvas
        label.adjustSize()
        x = canvas.width() - label.width() - _MARGIN_PX if corner is Corner.WINDOW else _MARGIN_PX
        lower = canvas.height() - label.height() - _LOWER_LINES_PX - _MARGIN_PX
        label.move(x, lower if corner is Corner.LINK else _MARGIN_PX)


def _label(canvas: QWidget) -> QLabel:
    label = QLabel(canvas)
    # Words come from files, too: they are shown as they are.
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.setStyleSheet(_STYLE)
    label.hide()
    return label
