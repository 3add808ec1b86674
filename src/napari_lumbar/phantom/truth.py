"""Exact landmarks of the 25 findings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry, Vector3, vector3
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey
from ..domain.study import OWN_ROLES, MRSeries, Study
from .levels import FORAMEN_MARKED_MM, SIGN
from .shape import THORACIC_DISCS, SpineShape

#: Middle of the canal behind the posterior wall, mm.
CANAL_MIDDLE_MM = 8.0
#: A point this far from every slice that could show it is not shown, mm.
SEEN_MM = 8.0
FIRST_NAMED = len(THORACIC_DISCS)
OUTSIDE = NotGradable("outside_field", "The images do not show this place.")


def anatomical_point(shape: SpineShape, key: FindingKey) -> Vector3:
    """Where the finding lies in the anatomy, LPS mm.

    The canal's middle on the disc's mid-plane; in front of the middle of the foramen's opening, where readers
    mark it; the middle of the lateral recess' depth on the disc's mid-plane.
    """
    disc, level = shape.disc(key.level), shape.levels[key.level.rank]
    wall, side = disc.half_depth_mm, key.condition.side
    if side is None:
        return shape.curve.point_lps_mm(disc.centre_mm, wall + CANAL_MIDDLE_MM * shape.size)
    sign = float(SIGN[side])
    if key.condition.group is ConditionGroup.FORAMINAL:
        foramen = level.foramina[side]
        along = disc.centre_mm - foramen.above_mm + foramen.middle_mm
        behind = foramen.behind_mm - FORAMEN_MARKED_MM[key.level.rank] * shape.size
        return shape.curve.point_lps_mm(along, wall + behind, sign * foramen.lateral_mm)
    recess = level.recesses[side]
    behind = wall + (recess.front_mm + recess.back_mm) / 2
    return shape.curve.point_lps_mm(disc.centre_mm, behind, sign * recess.lateral_mm)


@dataclass(frozen=True, eq=False)
class _Planes:
    """The slices of a series as arrays: many points need the same normals."""

    series: MRSeries
    positions: FloatArray
    normals: FloatArray
    per_pixel: FloatArray
    sizes: FloatArray

    @classmethod
    def of(cls, series: MRSeries) -> _Planes:
        geometries = [s.geometry for s in series.slices]
        return cls(
            series,
            np.array([g.position_lps_mm for g in geometries]),
            np.array([g.normal for g in geometries]),
            np.array([_pixels_per_mm(g) for g in geometries]),
            np.array([(g.rows, g.columns) for g in geometries], dtype=np.float64),
        )

    def nearest(self, point_lps_mm: Vector3) -> int | None:
        """The nearest slice that has the point on its image; None if none is near that has."""
        offset = np.asarray(point_lps_mm) - self.positions
        distance = np.abs((offset * self.normals).sum(axis=1))
        pixel = np.einsum("kij,kj->ki", self.per_pixel, offset)
        inside = ((pixel >= -0.5) & (pixel <= self.sizes - 0.5)).all(axis=1)
        best = int(np.argmin(np.where(inside, distance, np.inf)))
        return best if inside[best] and distance[best] <= SEEN_MM else None


def _pixels_per_mm(geometry: SliceGeometry) -> FloatArray:
    """(row, column) per mm of offset, shape (2, 3)."""
    axes = np.array([geometry.along_column, geometry.along_row])
    return np.asarray(axes / geometry.spacing_rc_mm[:, None], dtype=np.float64)


def true_landmarks(study: Study, shape: SpineShape) -> Landmarks:
    """The landmarks that the images show, each on a slice of the series its condition is marked on."""
    planes = {s.role: _Planes.of(s) for s in study.series}
    points, missing = {}, {}
    for key in ALL_FINDINGS:
        landmark = _landmark(planes[OWN_ROLES[key.condition.group]], key, anatomical_point(shape, key))
        if landmark is None:
            missing[key] = OUTSIDE
        else:
            points[key] = landmark
    return Landmarks(points, missing)


def _landmark(planes: _Planes, key: FindingKey, point_lps_mm: Vector3) -> Landmark | None:
    """The landmark projected onto the nearest slice's plane."""
    index = planes.nearest(point_lps_mm)
    if index is None:
        return None
    geometry = planes.series.slices[index].geometry
    row, column = (float(v) for v in geometry.pixel_from_lps(point_lps_mm))
    on_plane = vector3(geometry.lps_from_pixel((row, column)))
    return Landmark(key, on_plane, planes.series.series_id, index, (row, column), 1.0)


def disc_centres(shape: SpineShape) -> dict[str, Vector3]:
    """Disc centres T12/L1 .. L5/S1 by name, LPS mm."""
    return {d.name: shape.curve.point_lps_mm(d.centre_mm) for d in shape.discs[FIRST_NAMED:-1]}


def other_disc_centres(shape: SpineShape) -> dict[str, Vector3]:
    """Centres of thoracic discs and of S1/S2, if there is one, by name, LPS mm."""
    others = (*shape.discs[:FIRST_NAMED], shape.discs[-1])
    return {d.name: shape.curve.point_lps_mm(d.centre_mm) for d in others if d.is_present}
