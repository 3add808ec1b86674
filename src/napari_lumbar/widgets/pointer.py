"""Mouse gestures on a canvas: point at a place, hold a landmark, set the window.

A click without a drag, or a move with Shift, points at a place. A press on a landmark holds it, so that
napari drags it; anywhere else the left button moves the picture. The middle button, or Ctrl and the left
one where there is no middle button, sets the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from napari.components import ViewerModel
from psygnal import Signal
from superqt.utils import qthrottled

_LEFT, _MIDDLE = 1, 3
#: A hand trembles by this much during a click.
_TREMOR_PX = 4
#: While the mouse moves with Shift, the other pane follows this often.
_FOLLOW_MS = 40


class Pointer:
    """Listens to a canvas.

    Parameters
    ----------
    viewer
        The canvas's model.
    grab
        Whether a press is on a landmark, which is then held until ``let_go`` is called.

    Signals
    -------
    pointed
        World coordinates, (slice, row, column) in mm, shape (3,).
    windowed
        How far the mouse went to the right and downwards, in pixels of the screen.
    """

    pointed: ClassVar[Signal] = Signal(object)
    windowed: ClassVar[Signal] = Signal(float, float)

    def __init__(self, viewer: ViewerModel, grab: Callable[[Any], bool], let_go: Callable[[], None]) -> None:
        self._viewer = viewer
        self._grab = grab
        self._let_go = let_go
        self._follow = qthrottled(lambda world: self.pointed.emit(world), timeout=_FOLLOW_MS)
        viewer.mouse_drag_callbacks.append(self._on_press)
        viewer.mouse_move_callbacks.append(self._on_move)

    def close(self) -> None:
        """Listen no more."""
        self._follow.cancel()
        for callbacks, own in (
            (self._viewer.mouse_drag_callbacks, self._on_press),
            (self._viewer.mouse_move_callbacks, self._on_move),
        ):
            if own in callbacks:
                callbacks.remove(own)

    def _on_move(self, _viewer: ViewerModel, event: Any) -> None:
        if "Shift" in event.modifiers:
            self._follow(_world(event))

    def _on_press(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:
        plain = not len(event.modifiers)
        if event.button == _MIDDLE or (event.button == _LEFT and "Control" in event.modifiers):
            yield from self._set_window(event)
        elif event.button == _LEFT and plain and self._grab(event):
            yield from _until_release(event)
            self._let_go()
        elif event.button == _LEFT and plain:
            yield from self._click(event)

    def _set_window(self, event: Any) -> Iterator[None]:
        last = np.array(event.pos)
        event.handled = True  # the camera stays where it is
        yield
        while event.type == "mouse_move":
            right, down = np.array(event.pos) - last
            last = np.array(event.pos)
            event.handled = True
            self.windowed.emit(float(right), float(down))
            yield

    def _click(self, event: Any) -> Iterator[None]:
        start, still = np.array(event.pos), True
        yield
        while event.type == "mouse_move":
            still = still and bool(np.abs(np.array(event.pos) - start).max() <= _TREMOR_PX)
            event.handled = still  # the picture moves only once this is a drag
            yield
        if still:
            self.pointed.emit(_world(event))


def _until_release(event: Any) -> Iterator[None]:
    yield
    while event.type == "mouse_move":
        yield


def _world(event: Any) -> np.ndarray:
    return np.array(event.position[-3:], dtype=float)
