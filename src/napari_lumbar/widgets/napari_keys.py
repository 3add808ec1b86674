"""Keys by which napari would add, select or delete points, taken off the reader's layers."""

from __future__ import annotations

from typing import Any, Final

from napari.layers import Points

#: What adds, deletes, copies or pastes points, or leaves the mode in which the mouse moves the picture.
_TAKEN_OFF: Final = (
    "1",
    "2",
    "3",
    "Delete",
    "Backspace",
    "Control-C",
    "Control-V",
    "Control-X",
    "A",
    "P",
    "S",
    "Control-A",
    "Shift-A",
)


def take_off_editing_keys(layer: Points) -> None:
    """Leave a layer none of napari's keys that change it: ``editable`` and ``locked`` do not stop them."""
    for name in _TAKEN_OFF:
        layer.bind_key(name, _do_nothing, overwrite=True)


def keep_from_editing(layer: Points) -> None:
    """Let nobody edit a layer, by key or mouse; napari calls it editable again whenever it is drawn."""
    take_off_editing_keys(layer)
    layer.editable = False
    layer.events.mode.connect(_leave_mode)


def _leave_mode(event: Any) -> None:
    if event.source.mode != "pan_zoom":
        event.source.mode = "pan_zoom"


def _do_nothing(_layer: Points) -> None:
    """Take a key away from napari."""
