"""Where the 25 findings lie, and why some have no place."""

from __future__ import annotations

from typing import Final

from ...domain.geometry import FloatArray, vector3
from ...domain.landmarks import Landmark, Landmarks, NotGradable
from ...domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey, Side
from ...domain.study import OWN_ROLES, MRSeries, Study
from .scan import Patient

#: The series on which readers mark each condition.
#: A place this far from every slice is not shown, mm.
SEEN_MM: Final = 8.0


def place_of(patient: Patient, key: FindingKey) -> FloatArray:
    """Where a finding lies, LPS mm, shape (3,).

    The canal's middle on the disc's mid-plane; the middle of the foramen's opening; the middle of the lateral
    recess' depth on the disc's mid-plane.
    """
    disc, side, group = patient.spine.at(key.level), key.condition.side, key.condition.group
    if group is ConditionGroup.CANAL:
        return patient.canal(key.level)
    sign, index = (1, 1) if side is Side.LEFT else (-1, 0)
    if group is ConditionGroup.FORAMINAL:
        foramen = disc.foramina[index]
        return patient.lps(key.level, (sign * foramen.lateral_mm, foramen.behind_mm, foramen.middle_mm))
    section = disc.section
    return patient.lps(key.level, (sign * section.recess_lateral_mm, section.recess_middle_mm(index), 0.0))


def true_landmarks(study: Study, patient: Patient) -> Landmarks:
    """A landmark for every finding that the images show, on the plane of the nearest slice."""
    points, missing = {}, {}
    for key in ALL_FINDINGS:
        role = OWN_ROLES[key.condition.group]
        series = study.first(role)
        if series is None:
            missing[key] = NotGradable("no_series", f"the study has no {role.value} series")
            continue
        landmark = _landmark(series, key, place_of(patient, key))
        if landmark is None:
            reason = f"disc {key.level.value} lies outside the {role.value} images"
            missing[key] = NotGradable("outside_field", reason)
        else:
            points[key] = landmark
    return Landmarks(points, missing)


def _landmark(series: MRSeries, key: FindingKey, point_lps_mm: FloatArray) -> Landmark | None:
    """The point on the plane of the nearest slice, as a reader's click is; None where no image shows it."""
    index = series.nearest_slice_index(point_lps_mm)
    geometry = series.slices[index].geometry
    pixel = geometry.pixel_from_lps(point_lps_mm)
    if not geometry.contains(pixel) or abs(geometry.signed_distance_mm(point_lps_mm)) > SEEN_MM:
        return None
    place = float(pixel[0]), float(pixel[1])
    return Landmark(key, vector3(geometry.lps_from_pixel(place)), series.series_id, index, place, 1.0)
