"""Text of a study as text: Qt takes what looks like markup for markup, pictures to be loaded among it."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QLabel, QSizePolicy
from superqt import QElidingLabel

#: Above and below a label's lines, in all.
_PADDING_PX = 8
#: The last line ends this far before the label's border.
_SLACK_PX = 8


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


class LinesLabel(QElidingLabel):
    """A label of so many lines, whatever the text and the width; what does not fit is elided."""

    def __init__(self, lines: int, text: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setEllipsesWidth(_SLACK_PX)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._lines = lines

    def sizeHint(self) -> QSize:
        """As high as the lines are in the label's font."""
        return QSize(super().sizeHint().width(), self._lines * self.fontMetrics().lineSpacing() + _PADDING_PX)

    def minimumSizeHint(self) -> QSize:
        """No lower than that, and as narrow as need be."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def _wrappedText(self) -> list[str]:
        # superqt wraps at the outer width; the label would wrap such lines again and lose the last one.
        return self.wrapText(self._text, self.contentsRect().width(), self.font())

    def hasHeightForWidth(self) -> bool:
        """No: the height is fixed, though the text wraps."""
        return False
