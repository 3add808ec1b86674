"""Normalisation that can be taken back: places in an image, and intensities.

Abdullah et al. write that the data were normalised and that they "denormalise" them to restore "spatial and
intensity information", without a formula. Both readings are here as maps with an exact inverse: places
between 0 and 1 and pixels, and stored intensities and those of a window. Only ``windowed`` clips, and comes
last, so nothing is lost before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..domain.geometry import FloatArray
from ..domain.study import PixelArray


@dataclass(frozen=True)
class RelativePlaces:
    """Places in an image of this shape as shares of its height and width.

    Pixel centres are whole numbers, so the outer borders, -0.5 and n - 0.5, are 0 and 1.
    """

    rows: int
    columns: int

    def normalise(self, pixel_rc: FloatArray) -> FloatArray:
        """(row, column) in pixels, shape (..., 2), to shares of the image."""
        return np.asarray((np.asarray(pixel_rc) + 0.5) / self._size, np.float64)

    def denormalise(self, relative_rc: FloatArray) -> FloatArray:
        """Shares of the image, shape (..., 2), to (row, column) in pixels."""
        return np.asarray(np.asarray(relative_rc) * self._size - 0.5, np.float64)

    @property
    def _size(self) -> FloatArray:
        return np.array([self.rows, self.columns], np.float64)


@dataclass(frozen=True)
class IntensityRange:
    """Two intensities that become 0 and 1; values beyond them stay beyond 0 and 1.

    Raises
    ------
    ValueError
        If the upper one is not above the lower one: such a map has no inverse.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.high > self.low:
            raise ValueError(
                f"intensities from {self.low} to {self.high} are no range: the upper one must be greater"
            )

    @classmethod
    def of(cls, pixels: PixelArray, low: float = 1.0, high: float = 99.0) -> IntensityRange | None:
        """Between two percentiles of an array of any shape; None for a constant one."""
        bottom, top = (float(v) for v in np.percentile(pixels, (low, high)))
        return cls(bottom, top) if top > bottom else None

    def normalise(self, pixels: PixelArray) -> PixelArray:
        """Stored intensities to shares of the range; any shape."""
        return np.asarray((pixels - np.float32(self.low)) / np.float32(self.high - self.low), np.float32)

    def denormalise(self, shares: PixelArray) -> PixelArray:
        """Shares of the range back to stored intensities; any shape."""
        return np.asarray(shares * np.float32(self.high - self.low) + np.float32(self.low), np.float32)


def windowed(pixels: PixelArray) -> PixelArray:
    """Scale to 0..1 by the pixels' own 1-99 percentiles and clip; zeros for a constant array.

    The result is the same for any positive multiple of the pixels plus any constant, so it does not matter
    whether an earlier normalisation of that kind was taken back first.
    """
    found = IntensityRange.of(pixels)
    if found is None:
        return np.zeros(pixels.shape, np.float32)
    return np.clip(found.normalise(pixels), 0, 1)
