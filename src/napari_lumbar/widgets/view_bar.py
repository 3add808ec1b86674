"""What the canvases show: which sagittal series, and whether evidence is drawn."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QRadioButton, QWidget

from ..domain.study import SeriesRole, Study

_SAGITTAL = {SeriesRole.SAGITTAL_T2: "T2", SeriesRole.SAGITTAL_T1: "T1"}


class ViewBar(QWidget):
    """One row of switches above the axial canvas."""

    sagittal_chosen = Signal(object)
    visibility_changed = Signal(bool, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role_buttons = {role: QRadioButton(text) for role, text in _SAGITTAL.items()}
        self.attention_box = _check_box("A&ttention", "Show where the grader looked")
        self.boxes_box = _check_box("&Boxes", "Show the crops the grader was given")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Sagittal (left canvas)"))
        for role, button in self.role_buttons.items():
            button.setToolTip(f"Show {role.value} in the main canvas")
            button.setEnabled(False)
            button.toggled.connect(lambda on, role=role: self.sagittal_chosen.emit(role) if on else None)
            row.addWidget(button)
        row.addStretch(1)
        for box in (self.attention_box, self.boxes_box):
            box.toggled.connect(self._on_toggled)
            row.addWidget(box)

    @property
    def sagittal_role(self) -> SeriesRole | None:
        """The sagittal role that is switched on."""
        return next((role for role, button in self.role_buttons.items() if button.isChecked()), None)

    def show_study(self, study: Study) -> None:
        """Offer the sagittal roles that the study has; T2 first."""
        for role, button in self.role_buttons.items():
            button.setEnabled(study.first(role) is not None)
        usable = [button for button in self.role_buttons.values() if button.isEnabled()]
        if usable and not any(button.isChecked() for button in usable):
            usable[0].setChecked(True)

    def choose_sagittal(self, role: SeriesRole) -> None:
        """Switch to a sagittal role, where the study has it."""
        if self.role_buttons[role].isEnabled():
            self.role_buttons[role].setChecked(True)

    def _on_toggled(self) -> None:
        self.visibility_changed.emit(self.attention_box.isChecked(), self.boxes_box.isChecked())


def _check_box(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setChecked(True)
    return box
