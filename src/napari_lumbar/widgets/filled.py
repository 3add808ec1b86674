"""A layer that is shown only while something is drawn on it.

napari slices, compiles and draws a visible layer at every step of the slider, empty or not, and an empty one
costs as much as a full one.
"""

from __future__ import annotations

from typing import Any

from napari.layers import Layer


class HiddenWhileEmpty:
    """Hides an empty layer; whether a person wants to see it at all is kept apart from that.

    Parameters
    ----------
    layer
        A layer that nothing is drawn on yet.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._is_wanted, self._is_filled, self._is_writing = True, False, False
        layer.events.visible.connect(self._on_eye)
        self._apply()

    def want(self, is_wanted: bool) -> None:
        """Show the layer where there is something on it, or never."""
        self._is_wanted = is_wanted
        self._apply()

    def fill(self, is_filled: bool) -> None:
        """Something is drawn on the layer now, or nothing."""
        self._is_filled = is_filled
        self._apply()

    def _apply(self) -> None:
        is_visible = self._is_wanted and self._is_filled
        if self._layer.visible != is_visible:
            self._is_writing = True
            try:
                self._layer.visible = is_visible
            finally:
                self._is_writing = False

    def _on_eye(self, _event: Any) -> None:
        """Somebody else switched the layer: in napari's list, or from a script."""
        if not self._is_writing:
            self._is_wanted = self._layer.visible
