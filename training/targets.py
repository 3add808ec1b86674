"""Heatmaps to aim at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray


def gaussian_map(points_rc: FloatArray, shape: tuple[int, int], sigma: float) -> npt.NDArray[np.float32]:
    """Pointwise maximum of Gaussians of height 1 at ``points_rc``, shape (n, 2), on a map of ``shape``."""
    result = np.zeros(shape, np.float32)
    rows, columns = np.arange(shape[0]), np.arange(shape[1])
    for row, column in points_rc:
        down = np.exp(-((rows - row) ** 2) / (2 * sigma**2))
        across = np.exp(-((columns - column) ** 2) / (2 * sigma**2))
        np.maximum(result, np.outer(down, across), out=result)
    return result
