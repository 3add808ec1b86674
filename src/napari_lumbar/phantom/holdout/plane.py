"""A slice sampled several times, and quantities that are affine in the place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...domain.geometry import FloatArray, SliceGeometry
from .frames import Frame
from .section import Floats

#: Rows and columns of a part of an image.
Box: TypeAlias = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Slab:
    """Samples of one slice's pixels within its thickness, in the patient frame.

    Parameters
    ----------
    origin_mm, row_step_mm, column_step_mm
        Centre of pixel (0, 0) of the slice, steps to the next row and column; shape (3,).
    shifts_mm
        From a pixel's centre to its samples, shape (n, 3).
    rows, columns
        Size of the image.
    """

    origin_mm: FloatArray
    row_step_mm: FloatArray
    column_step_mm: FloatArray
    shifts_mm: FloatArray
    rows: int
    columns: int

    @classmethod
    def of(cls, geometry: SliceGeometry, pose: Frame, samples: FloatArray) -> Slab:
        """A slice, seen from the patient whose frame lies in the scanner like ``pose``.

        ``samples``, shape (n, 3), are in rows, columns, and millimetres along the normal.
        """
        row_step, column_step = geometry.steps_lps_mm @ pose.axes
        shifts = samples @ np.stack([row_step, column_step, geometry.normal @ pose.axes])
        origin = pose.inner(geometry.position_lps_mm)
        return cls(origin, row_step, column_step, shifts, geometry.rows, geometry.columns)

    @property
    def whole(self) -> Box:
        """All rows and columns."""
        return slice(0, self.rows), slice(0, self.columns)

    def along(self, direction: npt.ArrayLike, origin_mm: npt.ArrayLike, box: Box) -> Floats:
        """Way of the box's points from ``origin_mm`` along a direction, shape (samples, rows, columns)."""
        way = np.asarray(direction, dtype=np.float64)
        start = (self.origin_mm - np.asarray(origin_mm)) @ way + self.shifts_mm @ way
        rows = np.arange(box[0].start, box[0].stop) * (self.row_step_mm @ way)
        columns = np.arange(box[1].start, box[1].stop) * (self.column_step_mm @ way)
        first = (start[:, None] + rows).astype(np.float32)
        return np.asarray(first[:, :, None] + columns.astype(np.float32))

    def box_of(self, corners_mm: FloatArray) -> Box | None:
        """The part of the image that can show the hull of some corners, shape (n, 3); None where none can."""
        offset = corners_mm - self.origin_mm
        depth, sampled = offset @ self._normal, self.shifts_mm @ self._normal
        if depth.min() > sampled.max() or depth.max() < sampled.min():
            return None
        rows = offset @ self.row_step_mm / (self.row_step_mm @ self.row_step_mm)
        columns = offset @ self.column_step_mm / (self.column_step_mm @ self.column_step_mm)
        box = _range(rows, self.rows), _range(columns, self.columns)
        return box if all(part.start < part.stop for part in box) else None

    @cached_property
    def _normal(self) -> FloatArray:
        return np.cross(self.column_step_mm, self.row_step_mm)

    @property
    def middle(self) -> Slab:
        """The same pixels, sampled at their centres only."""
        return replace(self, shifts_mm=np.zeros((1, 3)))


def _range(places: FloatArray, size: int) -> slice:
    low, high = int(np.floor(places.min())), int(np.ceil(places.max())) + 1
    return slice(min(max(low, 0), size), min(max(high, 0), size))
