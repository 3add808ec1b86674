"""A question that can wait: one line and two buttons, in a place that is always kept free for it."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget
from superqt import QElidingLabel

from ..session.offers import ProposalOffer
from .commands import Command
from .shortcuts import COMMAND_KEYS, key_text

_TIPS = {
    Command.PROPOSE: "Look at the nearest axial slice and put both side points there, as one edit",
    Command.LEAVE: "Leave the side points as they are",
}


class OfferRow(QWidget):
    """Offers to propose side points; hidden while there is nothing to offer.

    Signals
    -------
    asked
        ``Command.PROPOSE`` or ``Command.LEAVE``.
    """

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QElidingLabel()
        self.propose_button, self.leave_button = QPushButton("Propose"), QPushButton("Leave")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        for button, command in ((self.propose_button, Command.PROPOSE), (self.leave_button, Command.LEAVE)):
            button.clicked.connect(lambda _on, command=command: self.asked.emit(command))
            button.setToolTip(f"{_TIPS[command]} ({key_text(COMMAND_KEYS[command])})")
            row.addWidget(button)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.setVisible(False)

    def draw(self, offer: ProposalOffer | None, working: bool) -> None:
        """Show an offer, or that it is being worked on, or nothing."""
        if offer is not None:
            text = "Looking for the side points…" if working else offer.text
            self.label.setText(text)
            self.label.setToolTip(text)
        for button in (self.propose_button, self.leave_button):
            button.setEnabled(not working)
        self.setVisible(offer is not None)
