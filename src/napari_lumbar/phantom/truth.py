"""Exact landmarks of the 25 findings."""

from __future__ import annotations

from ..domain.geometry import Vector3, vector3
from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey
from ..domain.study import MRSeries, SeriesRole, Study
from .paint_canal import SIGN
from .shape import (
    FORAMEN_ABOVE_MM,
    FORAMEN_BEHIND_MM,
    FORAMEN_LATERAL_MM,
    RECESS_BEHIND_MM,
    RECESS_LATERAL_MM,
    SpineShape,
)

#: The series on which each condition is marked, as in the RSNA 2024 tables.
ROLE_OF_GROUP = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
    ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
}
#: Middle of the canal behind the posterior wall, mm.
CANAL_MIDDLE_MM = 8.0


def anatomical_point(shape: SpineShape, key: FindingKey) -> Vector3:
    """Where the finding lies in the anatomy, LPS mm.

    The canal's middle on the disc's mid-plane; the foramen's middle, a little above it; the lateral
    recess beside the sac's front.
    """
    disc, rank, size = shape.disc(key.level), key.level.rank, shape.size
    side = key.condition.side
    sign = float(SIGN[side]) if side else 0.0
    wall = disc.half_depth_mm
    group = key.condition.group
    if group is ConditionGroup.CANAL:
        place = (disc.centre_mm, wall + CANAL_MIDDLE_MM * size, 0.0)
    elif group is ConditionGroup.FORAMINAL:
        along = disc.centre_mm - FORAMEN_ABOVE_MM * size
        place = (along, wall + FORAMEN_BEHIND_MM[rank] * size, sign * FORAMEN_LATERAL_MM[rank] * size)
    else:
        place = (disc.centre_mm, wall + RECESS_BEHIND_MM * size, sign * RECESS_LATERAL_MM[rank] * size)
    return shape.curve.point_lps_mm(*place)


def landmark_on(series: MRSeries, key: FindingKey, point_lps_mm: Vector3) -> Landmark:
    """The landmark projected onto the nearest slice's plane."""
    index = series.nearest_slice_index(point_lps_mm)
    geometry = series.slices[index].geometry
    row, column = (float(v) for v in geometry.pixel_from_lps(point_lps_mm))
    on_plane = vector3(geometry.lps_from_pixel((row, column)))
    return Landmark(key, on_plane, series.series_id, index, (row, column), 1.0)


def true_landmarks(study: Study, shape: SpineShape) -> Landmarks:
    """All 25 landmarks, each on a slice of the series that its condition is marked on."""
    points = {}
    for key in ALL_FINDINGS:
        series = study.first(ROLE_OF_GROUP[key.condition.group])
        assert series is not None  # noqa: S101 - a phantom has all three roles
        points[key] = landmark_on(series, key, anatomical_point(shape, key))
    return Landmarks(points)


def disc_centres(shape: SpineShape) -> dict[str, Vector3]:
    """Disc centres T12/L1 .. L5/S1 by name, LPS mm."""
    return {d.name: shape.curve.point_lps_mm(d.centre_mm) for d in shape.discs[1:7]}
