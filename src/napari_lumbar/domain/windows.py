"""Grey windows: which signal is shown black and which white."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .study import MRSeries

SCANNER, PERCENTILES, FULL = "Scanner's (DICOM)", "1\N{EN DASH}99 %", "Full range"
#: Percentiles of the signal that are shown black and white. MR signal has no unit, so that a preset in
#: numbers would fit one scanner only: fluid stays below white on T2, marrow fat and cord stand apart on T1.
_SHARES = {"Spine T2": (2.0, 99.8), "Spine T1": (5.0, 98.0), PERCENTILES: (1.0, 99.0), FULL: (0.0, 100.0)}
PRESETS = (SCANNER, *_SHARES)
#: A drag over this many pixels goes through the whole range of the signal.
_PIXELS_PER_RANGE = 500.0


@dataclass(frozen=True)
class Window:
    """What is shown black, and what white, in units of the pixels; ``low < high``."""

    low: float
    high: float

    @classmethod
    def around(cls, level: float, width: float) -> Window:
        """The window of this width around a level."""
        return cls(level - width / 2, level + width / 2)

    @property
    def width(self) -> float:
        """White minus black."""
        return self.high - self.low

    @property
    def level(self) -> float:
        """The middle grey."""
        return (self.low + self.high) / 2

    def dragged(self, right_px: float, down_px: float, full: Window) -> Window:
        """The window after a drag: to the right it widens, downwards the picture darkens.

        Parameters
        ----------
        right_px, down_px
            How far the mouse went on the screen.
        full
            The range of the series' signal, which sets the pace.
        """
        pace = full.width / _PIXELS_PER_RANGE
        return Window.around(self.level + down_px * pace, max(self.width + right_px * pace, pace))


def presets(series: MRSeries) -> Mapping[str, Window]:
    """The windows of ``PRESETS`` for a series; the scanner's is left out where it shows nothing of it."""
    sample = np.concatenate([s.pixels[::2, ::2].ravel() for s in series.slices])
    values = np.percentile(sample, [share for pair in _SHARES.values() for share in pair])
    windows = {
        name: Window(float(low), float(max(high, low + 1.0)))
        for name, (low, high) in zip(_SHARES, values.reshape(-1, 2), strict=True)
    }
    scanner = Window.around(*series.window) if series.window else None
    if scanner is None or scanner.low >= windows[FULL].high or scanner.high <= windows[FULL].low:
        return windows
    return {SCANNER: scanner, **windows}


def first_window(windows: Mapping[str, Window]) -> Window:
    """How a series is shown first: as the scanner proposes, else between its 1st and 99th percentile."""
    return windows.get(SCANNER) or windows[PERCENTILES]
