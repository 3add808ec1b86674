"""The buttons that correct: a grade by hand, the point of the chosen finding, the names, undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from ..domain.findings import Override
from ..domain.spine import FindingKey, Severity
from ..export.severity_style import SEVERITY_STYLES
from ..session import Session
from .commands import GRADE_COMMANDS, Command
from .edit_hints import hints, saved_text
from .shortcuts import COMMAND_KEYS, key_text

_ROWS: Mapping[str, Mapping[Command, str]] = {
    "Point": {
        Command.PUT_HERE: "Put here",
        Command.MARK_ABSENT: "Absent",
        Command.RESET: "Reset",
        Command.REGRADE: "Regrade",
    },
    "Names": {
        Command.NAMES_UP: "▲ Up",
        Command.NAMES_DOWN: "▼ Down",
        Command.SWAP_SIDES: "Left ⇄ right…",
        Command.EXPORT: "&Export…",
    },
    "Edits": {Command.UNDO: "Undo", Command.REDO: "Redo", Command.SHOW_KEYS: "Keys ?"},
}


class CorrectionPanel(QWidget):
    """Four rows of buttons; each says in its tooltip what it would do and by which key, or why it cannot.

    Signals
    -------
    asked
        A ``Command`` other than a grade.
    grade_asked
        (severity, reason) of a grade by hand.
    """

    asked = Signal(object)
    grade_asked = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grade_buttons = {severity: _grade_button(severity) for severity in Severity}
        self.reason_edit = _reason_edit()
        self.buttons = {command: QPushButton(text) for row in _ROWS.values() for command, text in row.items()}
        self.buttons[Command.CLEAR_GRADE] = QPushButton("Clear")
        self.saved_label = QLabel()
        self.saved_label.setTextFormat(Qt.TextFormat.PlainText)
        self._override: Override | None = None
        self._shown: tuple[Session | None, FindingKey | None] = (None, None)
        self._lay_out()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._connect()
        self.draw(None, None, False)

    @property
    def reason(self) -> str:
        """Why a grade is given by hand, as typed."""
        return str(self.reason_edit.text()).strip()

    def draw(self, session: Session | None, key: FindingKey | None, regrading: bool) -> None:
        """Enable what can be done now, and say what it would do."""
        state = session.state if session else None
        told = hints(state, key, regrading)
        for command, button in self._all_buttons().items():
            hint = told.get(command)
            button.setEnabled(hint is None or hint.is_possible)
            button.setToolTip(_tip(command, hint.text if hint else command.value))
        self._draw_override(session, key)
        text, in_full = saved_text(session, datetime.now().astimezone())
        self.saved_label.setText(text)
        self.saved_label.setToolTip(in_full)

    def _draw_override(self, session: Session | None, key: FindingKey | None) -> None:
        """Show a grade by hand and its reason; a reason that is being typed for this finding stays."""
        override = session.state.correction(key).override if session and key else None
        if (session, key) != self._shown or override != self._override:
            self.reason_edit.setText(override.reason if override else "")
        self._shown, self._override = (session, key), override
        self.reason_edit.setEnabled(self.grade_buttons[Severity.NORMAL_MILD].isEnabled())
        self._check()

    def _check(self) -> None:
        for severity, button in self.grade_buttons.items():
            button.setChecked(self._override is not None and self._override.severity is severity)

    def _all_buttons(self) -> Mapping[Command, QPushButton]:
        return {**self.buttons, **{GRADE_COMMANDS[s]: button for s, button in self.grade_buttons.items()}}

    def _on_grade(self, severity: Severity) -> None:
        self.grade_asked.emit(severity, self.reason)
        self._check()  # Qt toggled the button, whether or not the grade changed

    def _on_reason(self) -> None:
        """A reason typed after the grade belongs to it."""
        if self._override is not None and self.reason != self._override.reason:
            self.grade_asked.emit(self._override.severity, self.reason)

    def _connect(self) -> None:
        for severity, button in self.grade_buttons.items():
            button.clicked.connect(lambda _on, severity=severity: self._on_grade(severity))
        for command, button in self.buttons.items():
            button.clicked.connect(lambda _on, command=command: self.asked.emit(command))
        self.reason_edit.editingFinished.connect(self._on_reason)

    def _lay_out(self) -> None:
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(6)
        rows.setVerticalSpacing(4)
        grades = (*self.grade_buttons.values(), self.reason_edit, self.buttons[Command.CLEAR_GRADE])
        _add_row(rows, "Grade", grades)
        for heading, commands in _ROWS.items():
            _add_row(rows, heading, [self.buttons[command] for command in commands])
        last = rows.itemAtPosition(rows.rowCount() - 1, 1).layout()
        last.addStretch(1)
        last.addWidget(self.saved_label)


def _add_row(rows: QGridLayout, heading: str, widgets: list[QWidget] | tuple[QWidget, ...]) -> None:
    row, number = QHBoxLayout(), rows.count() // 2
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    rows.addWidget(QLabel(heading), number, 0)
    rows.addLayout(row, number, 1)


def _tip(command: Command, text: str) -> str:
    keys = COMMAND_KEYS.get(command)
    return f"{text} ({key_text(keys)})" if keys else text


def _grade_button(severity: Severity) -> QPushButton:
    style = SEVERITY_STYLES[severity]
    button = QPushButton(f"{style.symbol} {severity.label}")
    button.setCheckable(True)
    button.setAccessibleName(f"Grade by hand: {severity.label}")
    return button


def _reason_edit() -> QLineEdit:
    edit = QLineEdit()
    edit.setPlaceholderText("reason (optional)")
    edit.setAccessibleName("Reason of the grade by hand")
    edit.setToolTip("Stands beside the grade in every result: write nothing that tells who the patient is")
    edit.setMinimumWidth(90)
    return edit
