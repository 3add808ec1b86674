"""The whole images in which a ``PointRegressor`` finds its points, and how to get back.

Series come in the usual view. Images of the patient's right side show their slices the other way round, from
the middle of the body outwards as on the left, so that one network serves both foramina.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.study import MRSlice, PixelArray
from .resample import sample_box


def sagittal_image(slices: Sequence[MRSlice], place: int, size: int, reverse: bool = False) -> PixelArray:
    """A slice between its neighbours, shape (3, size, size); at the ends of the stack the last one repeats.

    ``reverse`` is for the patient's right side.
    """
    places = np.clip([place - 1, place, place + 1], 0, len(slices) - 1)
    return np.stack([whole_image(slices[i], size) for i in (places[::-1] if reverse else places)])


def whole_image(mr_slice: MRSlice, size: int) -> PixelArray:
    """A slice resized to (size, size), whatever its shape."""
    geometry = mr_slice.geometry
    return sample_box(
        mr_slice.pixels, (-0.5, -0.5, geometry.rows - 0.5, geometry.columns - 0.5), (size, size)
    )


def relative_from_pixel(pixel_rc: FloatArray, geometry: SliceGeometry) -> FloatArray:
    """(row, column), shape (..., 2), relative to the image's outer borders: 0..1 inside."""
    return (pixel_rc + 0.5) / (geometry.rows, geometry.columns)


def pixel_from_relative(relative_rc: FloatArray, geometry: SliceGeometry) -> FloatArray:
    """Inverse of ``relative_from_pixel``."""
    return relative_rc * (geometry.rows, geometry.columns) - 0.5
