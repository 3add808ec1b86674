"""Turn slices by flips and transposition only, so that networks always see the usual view.

Sagittal: columns run to posterior, rows to caudal. Axial: columns run to the patient's left, rows to
posterior. Geometry turns with the pixels, so every point in patient space stays where it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry, vector3
from ..domain.study import MRSeries, MRSlice, SeriesRole, SliceStack

#: (direction of increasing column, direction of increasing row) in LPS.
_AXES = {
    SeriesRole.SAGITTAL_T1: (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    SeriesRole.SAGITTAL_T2: (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    SeriesRole.AXIAL_T2: (np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])),
}


def canonical_series(series: MRSeries) -> MRSeries:
    """Return the series with every slice in the usual view; order and patient space unchanged.

    Raises
    ------
    ValueError
        If the series has no role.
    """
    if series.role is None:
        raise ValueError(f"series {series.series_id} has no role, so no usual view")
    column_axis, row_axis = _AXES[series.role]
    stacks = tuple(
        SliceStack(tuple(_canonical_slice(s, column_axis, row_axis) for s in stack.slices))
        for stack in series.stacks
    )
    return replace(series, stacks=stacks)


def _canonical_slice(mr_slice: MRSlice, column_axis: FloatArray, row_axis: FloatArray) -> MRSlice:
    if abs(np.dot(mr_slice.geometry.along_row, column_axis)) < abs(
        np.dot(mr_slice.geometry.along_row, row_axis)
    ):
        mr_slice = _transposed(mr_slice)
    if np.dot(mr_slice.geometry.along_row, column_axis) < 0:
        mr_slice = _columns_reversed(mr_slice)
    if np.dot(mr_slice.geometry.along_column, row_axis) < 0:
        mr_slice = _rows_reversed(mr_slice)
    return mr_slice


def _transposed(mr_slice: MRSlice) -> MRSlice:
    g = mr_slice.geometry
    turned = SliceGeometry(
        g.position_lps_mm,
        g.along_column,
        g.along_row,
        row_spacing_mm=g.column_spacing_mm,
        column_spacing_mm=g.row_spacing_mm,
        rows=g.columns,
        columns=g.rows,
    )
    return replace(mr_slice, geometry=turned, pixels=mr_slice.pixels.T)


def _columns_reversed(mr_slice: MRSlice) -> MRSlice:
    g = mr_slice.geometry
    corner = vector3(g.lps_from_pixel((0, g.columns - 1)))
    turned = replace(g, position_lps_mm=corner, along_row=vector3(-np.array(g.along_row)))
    return replace(mr_slice, geometry=turned, pixels=mr_slice.pixels[:, ::-1])


def _rows_reversed(mr_slice: MRSlice) -> MRSlice:
    g = mr_slice.geometry
    corner = vector3(g.lps_from_pixel((g.rows - 1, 0)))
    turned = replace(g, position_lps_mm=corner, along_column=vector3(-np.array(g.along_column)))
    return replace(mr_slice, geometry=turned, pixels=mr_slice.pixels[::-1])
