"""Where one MR slice lies in patient space (DICOM LPS, millimetres).

Pixel coordinates are ``(row, column)``, zero-based; (0, 0) is the **centre** of the top-left pixel.
DICOM PS3.3 C.7.6.2.1.1: the first triplet of ImageOrientationPatient points along a row (increasing
column), the second along a column (increasing row); PixelSpacing is (between rows, between columns).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .errors import GeometryError

FloatArray = npt.NDArray[np.float64]
Vector3 = tuple[float, float, float]

#: Unit vectors may miss length 1 and right angles by this much (headers are rounded to six digits).
UNIT_TOLERANCE = 1e-3


def _read_only(values: npt.ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


def vector3(values: Sequence[float] | FloatArray) -> Vector3:
    """Return three floats as a hashable tuple."""
    x, y, z = (float(v) for v in values)
    return x, y, z


@dataclass(frozen=True)
class SliceGeometry:
    """Position, axes and spacing of one slice; holds no pixels.

    Parameters
    ----------
    position_lps_mm
        Centre of pixel (0, 0) in patient space (ImagePositionPatient).
    along_row, along_column
        Unit vectors of increasing column and increasing row.
    row_spacing_mm, column_spacing_mm
        Distance between neighbouring rows, and between neighbouring columns.
    rows, columns
        Size of the image in pixels.

    Raises
    ------
    GeometryError
        If a number is not finite, a spacing or size not positive, or the axes not orthonormal.
    """

    position_lps_mm: Vector3
    along_row: Vector3
    along_column: Vector3
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int
    columns: int

    def __post_init__(self) -> None:
        numbers = (*self.position_lps_mm, *self.along_row, *self.along_column)
        if not all(map(math.isfinite, (*numbers, self.row_spacing_mm, self.column_spacing_mm))):
            raise GeometryError(f"slice geometry holds a number that is not finite: {self!r}")
        if min(self.row_spacing_mm, self.column_spacing_mm) <= 0 or min(self.rows, self.columns) < 1:
            raise GeometryError(
                f"spacing {(self.row_spacing_mm, self.column_spacing_mm)} mm and size "
                f"{(self.rows, self.columns)} must be positive"
            )
        lengths = math.hypot(*self.along_row), math.hypot(*self.along_column)
        cosine = sum(a * b for a, b in zip(self.along_row, self.along_column, strict=True))
        if max(abs(length - 1) for length in lengths) > UNIT_TOLERANCE or abs(cosine) > UNIT_TOLERANCE:
            raise GeometryError(
                f"axes {self.along_row} and {self.along_column} are not orthonormal within "
                f"{UNIT_TOLERANCE} (ImageOrientationPatient, DICOM PS3.3 C.7.6.2.1.1)"
            )

    # A study is asked for these thousands of times: computed once.
    @cached_property
    def normal(self) -> FloatArray:
        """Unit normal, ``along_row`` x ``along_column``, shape (3,); read only."""
        normal = np.cross(self.along_row, self.along_column)
        return _read_only(normal / np.linalg.norm(normal))

    @property
    def spacing_rc_mm(self) -> FloatArray:
        """(between rows, between columns) in millimetres, shape (2,)."""
        return np.array([self.row_spacing_mm, self.column_spacing_mm])

    @property
    def steps_lps_mm(self) -> FloatArray:
        """Patient-space step of one row and of one column, shape (2, 3), in that order."""
        return np.stack(
            [
                np.array(self.along_column) * self.row_spacing_mm,
                np.array(self.along_row) * self.column_spacing_mm,
            ]
        )

    @property
    def centre_lps_mm(self) -> FloatArray:
        """Patient-space centre of the image, shape (3,)."""
        return self.lps_from_pixel(np.array([(self.rows - 1) / 2, (self.columns - 1) / 2]))

    def lps_from_pixel(self, pixel_rc: npt.ArrayLike) -> FloatArray:
        """Map (row, column), shape (..., 2), to patient space in mm, shape (..., 3)."""
        pixel = np.asarray(pixel_rc, dtype=np.float64)
        return np.array(self.position_lps_mm) + pixel @ self.steps_lps_mm

    def pixel_from_lps(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """Project points in mm, shape (..., 3), along the normal onto (row, column), shape (..., 2)."""
        offset = np.asarray(point_lps_mm, dtype=np.float64) - np.array(self.position_lps_mm)
        return np.asarray(offset @ self._along_axes / self.spacing_rc_mm, dtype=np.float64)

    @cached_property
    def _along_axes(self) -> FloatArray:
        """What projects an offset onto rows and columns, shape (3, 2).

        Headers are rounded: solve rather than assume exactly orthonormal axes, so round trips close.
        """
        return _read_only(np.linalg.pinv(np.stack([self.along_column, self.along_row], axis=-1)).T)

    def signed_distance_mm(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """Distance from the plane along the normal, shape (...,) for points of shape (..., 3)."""
        offset = np.asarray(point_lps_mm, dtype=np.float64) - np.array(self.position_lps_mm)
        return np.asarray(offset @ self.normal, dtype=np.float64)

    def contains(self, pixel_rc: npt.ArrayLike) -> bool:
        """Say whether (row, column) lies on the image, half a pixel of border included."""
        row, column = np.asarray(pixel_rc, dtype=np.float64)
        return bool(-0.5 <= row <= self.rows - 0.5 and -0.5 <= column <= self.columns - 0.5)


def median_step_mm(geometries: Sequence[SliceGeometry]) -> float:
    """Median distance in mm between neighbouring slices in spatial order, or 0 for a single slice."""
    depths = [float(geometries[0].signed_distance_mm(g.centre_lps_mm)) for g in geometries]
    return float(np.median(np.abs(np.diff(depths)))) if len(depths) > 1 else 0.0
