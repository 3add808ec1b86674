"""Intensity scaling. MR has no unit: every network sees images scaled by their own percentiles."""

from __future__ import annotations

import numpy as np

from ..domain.study import PixelArray


def percentile_scale(pixels: PixelArray, low: float = 1.0, high: float = 99.0) -> PixelArray:
    """Clip to two percentiles and scale to 0..1; a constant image becomes zeros. Any shape."""
    bottom, top = np.percentile(pixels, (low, high))
    if top <= bottom:
        return np.zeros(pixels.shape, dtype=np.float32)
    scaled = (pixels.astype(np.float32) - np.float32(bottom)) / np.float32(top - bottom)
    return np.asarray(np.clip(scaled, 0, 1), dtype=np.float32)
