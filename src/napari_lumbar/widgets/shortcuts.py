"""The keys of the reader: one table, from which they are bound, shown on a sheet and put into tooltips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from napari.components.viewer_model import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from .commands import Command

#: No bare digit, which napari may take for deleting points, and no letter that opens a menu or a button.
COMMAND_KEYS: Mapping[Command, str] = {
    Command.UNDO: "Ctrl+Z",
    Command.REDO: "Ctrl+Shift+Z",
    Command.GRADE_NORMAL: "Alt+1",
    Command.GRADE_MODERATE: "Alt+2",
    Command.GRADE_SEVERE: "Alt+3",
    Command.CLEAR_GRADE: "Alt+0",
    Command.PUT_HERE: "Alt+M",
    Command.MARK_ABSENT: "Alt+X",
    Command.RESET: "Alt+R",
    Command.REGRADE: "Alt+G",
    Command.PROPOSE: "Alt+Y",
    Command.LEAVE: "Alt+N",
    Command.NAMES_UP: "Alt+Shift+Up",
    Command.NAMES_DOWN: "Alt+Shift+Down",
    Command.SWAP_SIDES: "Alt+Shift+Left",
    Command.SHOW_KEYS: "F1",
}


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Parameters
    ----------
    keys
        As Qt writes them: ``Ctrl+Shift+Z``.
    text
        What it does, for a person.
    action
        Called on the GUI thread.
    on_panel
        Whether it also works where the focus is in the panel; keys that widgets need for themselves do not.
    group
        Heading under which the sheet of keys lists it.
    """

    keys: str
    text: str
    action: Callable[[], None]
    on_panel: bool = True
    group: str = "Looking"


def key_text(keys: str) -> str:
    """Keys as this computer writes them."""
    return str(QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText))


def bind_on_canvas(shortcuts: Sequence[Shortcut], model: ViewerModel, owner: QWidget) -> None:
    """Bind the keys on a canvas, for as long as ``owner`` lives."""
    for shortcut in shortcuts:
        act = shortcut.action
        model.bind_key(_napari_keys(shortcut.keys), lambda _viewer, act=act: act(), overwrite=True)
    names = [_napari_keys(shortcut.keys) for shortcut in shortcuts]
    owner.destroyed.connect(lambda: [model.bind_key(name, None) for name in names])


def bind_on_panel(shortcuts: Sequence[Shortcut], panel: QWidget) -> None:
    """The same keys where the focus is in the panel; the canvases have their own key maps."""
    for shortcut in shortcuts:
        if shortcut.on_panel:
            key = QShortcut(QKeySequence(shortcut.keys), panel)
            key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(shortcut.action)


def _napari_keys(keys: str) -> str:
    """Qt's name of a key as napari writes it: ``Control-Shift-Z``."""
    names = {"Ctrl": "Control", "PgDown": "PageDown", "PgUp": "PageUp", "Del": "Delete"}
    return "-".join(names.get(name, name) for name in keys.split("+"))
