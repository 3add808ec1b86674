"""The geometry of one slice from its header: complete and possible, or a complaint. Never a default."""

from __future__ import annotations

import numpy as np
from pydicom import Dataset

from ..domain.errors import GeometryError
from ..domain.geometry import UNIT_TOLERANCE, FloatArray, SliceGeometry, vector3
from .codes import Exclusion
from .complaint import Complaint
from .elements import numbers, text

#: In-plane spacings of lumbar MR, in mm; others are errors of the header (a cm, a comma, a default).
PLAUSIBLE_SPACING_MM = (0.1, 3.0)
#: Largest field of view that is believed, in mm.
LARGEST_FIELD_MM = 600.0


def slice_geometry(dataset: Dataset) -> SliceGeometry | Complaint:
    """Return position, axes and spacing (DICOM PS3.3 C.7.6.2), axes made orthonormal, or why not."""
    position = numbers(dataset, "ImagePositionPatient", 3)
    axes = numbers(dataset, "ImageOrientationPatient", 6)
    spacing = numbers(dataset, "PixelSpacing", 2)
    if position is None or axes is None or spacing is None:
        return _missing(dataset, position is None, axes is None, spacing is None)
    along_row, along_column = _orthonormal(np.array(axes[:3]), np.array(axes[3:]))
    try:
        geometry = SliceGeometry(
            position_lps_mm=vector3(position),
            along_row=vector3(along_row),
            along_column=vector3(along_column),
            row_spacing_mm=spacing[0],
            column_spacing_mm=spacing[1],
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
        )
    except (GeometryError, TypeError, ValueError) as error:
        return Complaint(Exclusion.BAD_GEOMETRY, str(error))
    return _implausible(geometry) or geometry


def _missing(dataset: Dataset, position: bool, axes: bool, spacing: bool) -> Complaint:
    keywords = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    named = [keyword for keyword, gone in zip(keywords, (position, axes, spacing), strict=True) if gone]
    anonymised = text(dataset, "PatientIdentityRemoved").upper() == "YES" and (position or axes)
    why = Exclusion.GEOMETRY_REMOVED if anonymised else Exclusion.NO_GEOMETRY
    return Complaint(why, f"{' and '.join(named)} missing or unreadable")


def _orthonormal(row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take rounding out of the axes; axes that are further off are returned as they are, to be refused."""
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > UNIT_TOLERANCE or abs(row @ column) > UNIT_TOLERANCE:
        return row, column
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _implausible(geometry: SliceGeometry) -> Complaint | None:
    smallest, largest = PLAUSIBLE_SPACING_MM
    spacings = geometry.row_spacing_mm, geometry.column_spacing_mm
    field_mm = max(geometry.rows * spacings[0], geometry.columns * spacings[1])
    if min(spacings) >= smallest and max(spacings) <= largest and field_mm <= LARGEST_FIELD_MM:
        return None
    return Complaint(
        Exclusion.IMPLAUSIBLE_SPACING,
        f"PixelSpacing {spacings} mm gives a field of {field_mm:.0f} mm; expected {smallest} to {largest} mm "
        f"and at most {LARGEST_FIELD_MM:.0f} mm",
    )
