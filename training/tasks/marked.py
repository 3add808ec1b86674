"""Landmarks on the stack that a localising network sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...domain.geometry import FloatArray
from ...domain.landmarks import Landmark, Landmarks
from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ...domain.study import OWN_ROLES, MRSeries, MRSlice, SeriesRole, Study
from ...preprocess.canonical import canonical_series
from ...preprocess.channels import AXIAL_SIDES, FORAMINAL_HEAD_SIDES
from ...preprocess.point_images import relative_from_pixel
from ...preprocess.sagittal_stack import sagittal_stack
from ..rsna.studies import LabelledStudy

#: How much of what was cut out of studies is kept in memory, per task.
KEPT_BYTES = 2**30

_SIDES: dict[ConditionGroup, tuple[Side | None, ...]] = {
    ConditionGroup.CANAL: (None,),
    ConditionGroup.FORAMINAL: FORAMINAL_HEAD_SIDES,
    ConditionGroup.SUBARTICULAR: AXIAL_SIDES,
}


def head_keys(group: ConditionGroup) -> tuple[FindingKey, ...]:
    """The finding of each head: five canal levels; right, then left foramina; left, then right recesses."""
    return tuple(FindingKey(Condition.of(group, side), level) for side in _SIDES[group] for level in Level)


@dataclass(frozen=True, eq=False)
class MarkedStack:
    """Slices in the usual view, and the landmarks of some findings on them; NaN where there is none.

    Parameters
    ----------
    indices
        Place among ``slices``, shape (n,).
    relative_rc
        (row, column) relative to the image's outer borders, shape (n, 2).
    """

    slices: tuple[MRSlice, ...]
    indices: FloatArray
    relative_rc: FloatArray


def marked_stack(study: Study, landmarks: Landmarks, group: ConditionGroup) -> MarkedStack | None:
    """The largest stack, as the localiser looks at it, of the sagittal series with most landmarks of a group.

    Landmarks are in the order of ``head_keys``. None where no landmark lies on that stack.
    """
    points = [landmarks.get(key) for key in head_keys(group)]
    series = _marked_series(study, points, OWN_ROLES[group])
    if series is None:
        return None
    first, stack = sagittal_stack(canonical_series(series))
    indices, relative_rc = np.full(len(points), np.nan), np.full((len(points), 2), np.nan)
    for i, point in enumerate(points):
        place = point.slice_index - first if point is not None else -1
        if point is None or point.series_id != series.series_id or not 0 <= place < len(stack.slices):
            continue
        geometry = stack.slices[place].geometry
        indices[i] = place
        relative_rc[i] = relative_from_pixel(geometry.pixel_from_lps(point.point_lps_mm), geometry)
    return MarkedStack(stack.slices, indices, relative_rc) if np.isfinite(indices).any() else None


def needed_stack(one: LabelledStudy, group: ConditionGroup) -> MarkedStack:
    """The marked stack of a study that has one.

    Raises
    ------
    ValueError
        If it has none.
    """
    marked = marked_stack(one.study, one.landmarks, group)
    if marked is None:
        raise ValueError(f"study {one.study.study_id} shows no landmark of {group.value}")
    return marked


def _marked_series(study: Study, points: Sequence[Landmark | None], role: SeriesRole) -> MRSeries | None:
    wanted = {series.series_id: series for series in study.with_role(role)}
    counts = Counter(point.series_id for point in points if point is not None and point.series_id in wanted)
    return wanted[counts.most_common(1)[0][0]] if counts else None
