"""The three questions that stop a person: all are safe to answer by Enter or Escape."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget


def may_swap_sides(parent: QWidget, consequence: str) -> bool:
    """Ask before left and right change places for every finding."""
    text = f"{consequence}\n\nThe images say which side is left: swap only if you know that they are wrong."
    return _asked(parent, "Swap left and right?", text, ("Swap left and right", "No"))


def may_take_over(parent: QWidget, owner: str) -> bool:
    """Ask before another reader's session is continued as one's own."""
    text = (
        f"This study has a session by {owner}.\n\nTaken over, its corrections become yours, and a copy of "
        "their file is kept. Read without saving, theirs stays as it is, and nothing you do is kept."
    )
    return _asked(parent, "Another reader's session", text, ("Take it over", "Read without saving"))


def may_leave_unsaved(parent: QWidget, why: str) -> bool:
    """Ask before corrections that could not be saved are left."""
    text = f"The corrections of this study are not on disk: {why}\n\nIf you leave them now, they are lost."
    return _asked(parent, "Corrections are not saved", text, ("Leave without them", "Stay"))


def _asked(parent: QWidget, title: str, text: str, answers: tuple[str, str]) -> bool:
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    yes = box.addButton(answers[0], QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(answers[1], QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.exec()
    return bool(box.clickedButton() is yes)
