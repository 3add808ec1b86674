"""The finding that is chosen, what the grader looked at, and the buttons that correct it."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..domain.spine import FindingKey
from ..session import Session
from .cells import certainty_text, describe, headline, source_text
from .correction_panel import CorrectionPanel
from .evidence_strip import EvidenceStrip
from .plain_text import LinesLabel, plain_tooltip

#: What is known of a grade's certainty does not always fit into one line.
_CERTAINTY_LINES = 2


class FindingPanel(QWidget):
    """A few lines of text, the strip of crops, and the buttons that correct."""

    jumped = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.detail, self.certainty = LinesLabel(1), LinesLabel(1), LinesLabel(_CERTAINTY_LINES)
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.strip = EvidenceStrip()
        self.corrections = CorrectionPanel()
        self._lay_out()
        self.strip.jumped.connect(self.jumped)
        self.draw(None, None, False)

    def draw(self, session: Session | None, key: FindingKey | None, regrading: bool) -> None:
        """Show the chosen finding and what can be done now."""
        self.corrections.draw(session, key, regrading)
        self.strip.setVisible(session is not None)
        if session is None or key is None:
            self._say("No finding chosen", "", "Analyse a study, then click a cell or use the arrow keys.")
            self.strip.draw((), (), None, True)
            return
        state = session.state
        cell, finding = describe(state, key, regrading), state.finding(key)
        why = finding.not_gradable.reason if finding.not_gradable else certainty_text(finding)
        placed = source_text(state.landmarks.get(key))
        self._say(
            f"{key.text}: {headline(state, key, cell.state)}",
            why,
            f"Point: {placed}. Grade: {cell.state.value}.",
        )
        self.strip.draw(finding.evidence, finding.by_plane, session.study, key not in state.outdated)

    def _say(self, title: str, certainty: str, detail: str) -> None:
        """Write the three lines; what a narrow window cuts off can be read by pointing at it."""
        texts = (title, certainty, detail)
        for label, text in zip((self.title, self.certainty, self.detail), texts, strict=True):
            label.setText(text)
            label.setToolTip(plain_tooltip(text))

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        for widget in (self.title, self.detail, self.certainty):
            whole.addWidget(widget)
        whole.addWidget(self.strip, 1)
        whole.addWidget(self.corrections)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
