"""The grey window of the series on one canvas; each series keeps its own while a person switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari.layers import Image

from ..domain.study import MRSeries
from ..domain.windows import FULL, Window, first_window, presets


class Windowing:
    """Sets the window of the image that is shown.

    Parameters
    ----------
    told
        Called with the window whenever it changed, by whatever means.
    """

    def __init__(self, told: Callable[[Window], None]) -> None:
        self._told = told
        self._image: Image | None = None
        self._series_id = ""
        self._presets: Mapping[str, Window] = {}
        self._kept: dict[str, Window] = {}

    def forget(self) -> None:
        """Another study: its series begin with their own windows."""
        self._kept = {}

    def show(self, series: MRSeries, image: Image) -> None:
        """Set the window that the series had, or its first one."""
        if self._image is not None:
            self._image.events.contrast_limits.disconnect(self._on_changed)
        self._series_id, self._presets, self._image = series.series_id, presets(series), image
        image.contrast_limits_range = _pair(self._presets[FULL])
        image.events.contrast_limits.connect(self._on_changed)
        self._set(self._kept.get(series.series_id, first_window(self._presets)))
        self._on_changed(None)

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the presets that this series has."""
        return tuple(self._presets)

    @property
    def window(self) -> Window | None:
        """The window now; None where nothing is shown."""
        return Window(*map(float, self._image.contrast_limits)) if self._image is not None else None

    def choose(self, name: str) -> None:
        """Set a preset, where the series has it."""
        if name in self._presets:
            self._set(self._presets[name])

    def reset(self) -> None:
        """Back to the first window."""
        if self._presets:
            self._set(first_window(self._presets))

    def drag(self, right_px: float, down_px: float) -> None:
        """Change the window by a drag on the screen."""
        if self.window is not None:
            self._set(self.window.dragged(right_px, down_px, self._presets[FULL]))

    def _set(self, window: Window) -> None:
        if self._image is not None:
            self._image.contrast_limits = _pair(window)

    def _on_changed(self, _event: Any) -> None:
        if self.window is not None:
            self._kept[self._series_id] = self.window
            self._told(self.window)


def _pair(window: Window) -> tuple[float, float]:
    return window.low, window.high
