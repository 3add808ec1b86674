"""The volume that the slice-index network sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..domain.geometry import FloatArray
from ..domain.study import MRSlice, PixelArray
from .resample import sample_box

VOLUME_SLICES = 32


def slice_volume(slices: Sequence[MRSlice], size: int) -> PixelArray:
    """Slices scaled to ``size`` x ``size``, shape (32, size, size), clipped at the volume's 1-99 percentiles.

    As published: fewer than 32 slices end in zeros, more are interpolated to 32.
    """
    images = np.stack(
        [
            sample_box(s.pixels, (-0.5, -0.5, s.geometry.rows - 0.5, s.geometry.columns - 0.5), (size, size))
            for s in slices
        ]
    )
    low, high = np.percentile(images, (1, 99))
    images = np.clip((images - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    count = len(images)
    if count > VOLUME_SLICES:
        return np.asarray(ndimage.zoom(images, (VOLUME_SLICES / count, 1, 1), order=1), dtype=np.float32)
    return np.concatenate([images, np.zeros((VOLUME_SLICES - count, size, size), np.float32)])


def volume_index(slice_index: FloatArray, count: int) -> FloatArray:
    """Where slices of a series of ``count`` slices lie in its volume."""
    return slice_index * _squeeze(count)


def slice_place(index: FloatArray, count: int) -> FloatArray:
    """Inverse of ``volume_index``."""
    return index / _squeeze(count)


def _squeeze(count: int) -> float:
    """The first and the last slice of a long series are the first and the last of the volume."""
    return (VOLUME_SLICES - 1) / (count - 1) if count > VOLUME_SLICES else 1.0
