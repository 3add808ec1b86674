"""The finding that is chosen, what can be done to its landmark, and what the grader looked at."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from ..domain.spine import FindingKey
from ..session import Session
from .cells import certainty_text, change_text, describe, source_text
from .evidence_strip import EvidenceStrip
from .plain_text import plain_tooltip

_LINE_PX = 20


class FindingPanel(QWidget):
    """Three lines of text, the strip of crop weights, and the buttons that edit."""

    undo_asked = Signal()
    redo_asked = Signal()
    reset_asked = Signal()
    place_asked = Signal()
    regrade_asked = Signal()
    export_asked = Signal()
    jumped = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.certainty, self.detail = QElidingLabel(), QElidingLabel(), QElidingLabel()
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        for label in (self.title, self.certainty, self.detail):
            label.setMinimumHeight(_LINE_PX)
        self.strip = EvidenceStrip()
        self.undo_button = _button("&Undo", "Take the last edit back (Ctrl+Z)")
        self.redo_button = _button("Re&do", "Do it again (Ctrl+Shift+Z)")
        self.reset_button = _button("&Reset point", "Bring the predicted point back")
        self.place_button = _button(
            "Put point &here", "Move the point to the slice that is shown, or set one"
        )
        self.regrade_button = _button("Re&grade", "Grade every stale finding again")
        self.export_button = _button("&Export…", "Write CSV, JSON and a report")
        self._lay_out()
        self.undo_button.clicked.connect(self.undo_asked)
        self.redo_button.clicked.connect(self.redo_asked)
        self.reset_button.clicked.connect(self.reset_asked)
        self.place_button.clicked.connect(self.place_asked)
        self.regrade_button.clicked.connect(self.regrade_asked)
        self.export_button.clicked.connect(self.export_asked)
        self.strip.jumped.connect(self.jumped)
        self.draw(None, None, False)

    def draw(self, session: Session | None, key: FindingKey | None, regrading: bool) -> None:
        """Show the chosen finding and enable what can be done now."""
        self._enable(session, key, regrading)
        if session is None or key is None:
            self._say("No finding chosen", "", "Analyse a study, then click a cell or use the arrow keys.")
            self.strip.draw(())
            return
        state = session.state
        cell, finding = describe(state, key, regrading), state.finding(key)
        why = f". {finding.not_gradable.reason}" if finding.not_gradable else ""
        placed = source_text(state.landmarks.get(key))
        self._say(
            f"{key.text}: {change_text(state, key)}{why}",
            certainty_text(finding),
            f"Point: {placed}. Grade: {cell.state.value}.",
        )
        self.strip.draw(finding.evidence)

    def _say(self, title: str, certainty: str, detail: str) -> None:
        """Write the three lines; what a narrow window cuts off can be read by pointing at it."""
        texts = (title, certainty, detail)
        for label, text in zip((self.title, self.certainty, self.detail), texts, strict=True):
            label.setText(text)
            label.setToolTip(plain_tooltip(text))

    def _enable(self, session: Session | None, key: FindingKey | None, regrading: bool) -> None:
        state = session.state if session else None
        self.undo_button.setEnabled(session is not None and bool(session.state.work.done))
        self.redo_button.setEnabled(session is not None and bool(session.state.work.undone))
        self.reset_button.setEnabled(
            state is not None and key is not None and state.correction(key).moves_point
        )
        self.place_button.setEnabled(state is not None and key is not None)
        self.regrade_button.setEnabled(state is not None and bool(state.outdated) and not regrading)
        self.export_button.setEnabled(state is not None)

    def _lay_out(self) -> None:
        edits, whole = QHBoxLayout(), QVBoxLayout(self)
        for button in (self.undo_button, self.redo_button, self.reset_button, self.place_button):
            edits.addWidget(button)
        edits.addWidget(self.regrade_button)
        edits.addStretch(1)
        edits.addWidget(self.export_button)
        for widget in (self.title, self.certainty, self.detail, self.strip):
            whole.addWidget(widget)
        whole.addLayout(edits)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
