"""What the canvases show and how: sagittal series, drawings, grey window, room for the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QPushButton, QSlider, QVBoxLayout, QWidget

from ..domain.study import SeriesRole, Study
from ..domain.windows import PRESETS
from .shortcuts import Shortcut
from .shown import Shown

_SAGITTAL = {SeriesRole.SAGITTAL_T2: "Sag T2", SeriesRole.SAGITTAL_T1: "Sag T1"}
_SLIDER_PX = 70
_WINDOW_TIP = (
    "Grey window: drag with the middle button, or with Ctrl and the left one. "
    "To the right the window widens, downwards the picture darkens."
)


class ViewBar(QWidget):
    """Switches above the axial canvas; its keys belong into the reader's table of keys."""

    sagittal_chosen = Signal(object)
    shown_changed = Signal(object)
    window_chosen = Signal(str)
    window_reset_asked = Signal()
    fit_asked = Signal()
    layers_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[Shortcut] = []
        self._roles = QButtonGroup(self)
        self.role_buttons = {role: self._role_button(role, text) for role, text in _SAGITTAL.items()}
        self._keys.append(Shortcut("Q", "Sagittal T2 or T1 at the same place", self.switch_sagittal, False))
        self.attention_box = self._switch("Attention", "K", "Where the grader looked")
        self.opacity_slider = _opacity_slider()
        self.boxes_box = self._switch("Boxes", "U", "The crops that the grader was given")
        self.lines_box = self._switch("Lines", "J", "Where the other pane's slices lie")
        self.names_box = self._switch("Names", "H", "The names of the levels")
        self.window_button = self._window_button()
        self.fit_button = self._button("Fit", "G", "Show the whole images", self.fit_asked.emit)
        self.layers_button = _button("Layers", "napari's layer list and layer controls", checkable=True)
        self.layers_button.toggled.connect(self.layers_toggled)
        self._lay_out()
        for box in (self.attention_box, self.boxes_box, self.lines_box, self.names_box):
            box.toggled.connect(self._on_shown)
        self.opacity_slider.valueChanged.connect(self._on_shown)

    @property
    def keys(self) -> Sequence[Shortcut]:
        """The keys of the bar, for the one table."""
        return tuple(self._keys)

    @property
    def shown(self) -> Shown:
        """What is switched on."""
        return Shown(
            self.attention_box.isChecked(),
            self.opacity_slider.value() / 100,
            self.boxes_box.isChecked(),
            self.lines_box.isChecked(),
            self.names_box.isChecked(),
        )

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

    def switch_sagittal(self) -> None:
        """Switch to the sagittal role that is not on the screen."""
        other = next((role for role in self.role_buttons if role is not self.sagittal_role), None)
        if other is not None:
            self.choose_sagittal(other)

    def offer_windows(self, names: Sequence[str]) -> None:
        """Enable the preset windows that the series on the screen have."""
        for name, action in self._window_actions.items():
            action.setEnabled(name in names)

    def next_window(self) -> None:
        """Choose the preset after the one that was chosen last."""
        usable = [name for name, action in self._window_actions.items() if action.isEnabled()]
        if usable:
            after = usable.index(self._window_name) + 1 if self._window_name in usable else 0
            self._choose_window(usable[after % len(usable)])

    def _choose_window(self, name: str) -> None:
        self._window_name = name
        self.window_chosen.emit(name)

    def _on_shown(self, _value: Any = None) -> None:
        self.opacity_slider.setEnabled(self.attention_box.isChecked())
        self.shown_changed.emit(self.shown)

    def _role_button(self, role: SeriesRole, text: str) -> QPushButton:
        button = _button(text, f"{role.value} in the main canvas (Q switches)", checkable=True)
        button.setEnabled(False)
        button.toggled.connect(lambda on: self.sagittal_chosen.emit(role) if on else None)
        self._roles.addButton(button)
        return button

    def _button(self, text: str, key: str, tip: str, act: Any) -> QPushButton:
        button = _button(text, f"{tip} ({key})")
        button.clicked.connect(lambda: act())
        self._keys.append(Shortcut(key, tip, lambda: act(), False))
        return button

    def _switch(self, text: str, key: str, tip: str) -> QPushButton:
        button = _button(text, f"{tip} ({key})", checkable=True)
        button.setChecked(True)
        self._keys.append(Shortcut(key, f"{tip}: on or off", button.toggle, False))
        return button

    def _window_button(self) -> QPushButton:
        button = _button("W/L", f"{_WINDOW_TIP} (W: next preset, Shift+W: reset)")
        menu = QMenu(button)
        self._window_name = ""
        self._window_actions = {name: self._window_action(menu, name) for name in PRESETS}
        menu.addSeparator()
        menu.addAction("Reset").triggered.connect(lambda: self.window_reset_asked.emit())
        button.setMenu(menu)
        self._keys += [
            Shortcut("W", "Next window preset", self.next_window, False),
            Shortcut("Shift+W", "Reset the windows", lambda: self.window_reset_asked.emit(), False),
        ]
        return button

    def _window_action(self, menu: QMenu, name: str) -> QAction:
        action = menu.addAction(name)
        action.triggered.connect(lambda: self._choose_window(name))
        return action

    def _lay_out(self) -> None:
        # Two rows of fixed height: a layout whose height follows its width would make the canvas jump.
        rows = (
            (*self.role_buttons.values(), self.window_button, self.fit_button, None, self.layers_button),
            (self.attention_box, self.opacity_slider, self.boxes_box, self.lines_box, self.names_box, None),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widgets in rows:
            row = QHBoxLayout()
            row.setSpacing(3)
            for widget in widgets:
                if widget is None:
                    row.addStretch(1)
                else:
                    row.addWidget(widget)
            column.addLayout(row)


def _button(text: str, tip: str, checkable: bool = False) -> QPushButton:
    button = QPushButton(text)
    button.setStyleSheet("QPushButton { padding: 2px 6px }")
    button.setToolTip(tip)
    button.setCheckable(checkable)
    return button


def _opacity_slider() -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(10, 100)
    slider.setValue(100)
    slider.setFixedWidth(_SLIDER_PX)
    slider.setToolTip("How strong the attention is drawn")
    slider.setAccessibleName("Opacity of the attention")
    return slider
