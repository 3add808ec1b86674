"""The multistage localiser: where the 25 findings are.

Structure of the first-place RSNA 2024 solution (Panditrao et al.): slice index on sagittal volumes ->
sagittal keypoints (canal on T2, foramina on T1) -> nearest axial slice by plane distance -> axial keypoints.
Deviations: one heatmap network for both sagittal contrasts, discs named jointly by dynamic programming,
the canal stepped to from the named disc, and slice answers joined with the heatmaps' by the median.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ..domain.geometry import FloatArray, vector3
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from ..domain.study import MRSeries, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.convnext3d import SliceIndexNet
from ..models.heatmap_unet import HeatmapUNet
from ..preprocess.canonical import canonical_series
from .foramina import find_foramen
from .progress import CancelToken, Progress, ProgressCallback
from .recesses import FARTHEST_PLANE_MM, find_recesses, nearest_axial_slice
from .sagittal_maps import SagittalMaps, sagittal_maps
from .slice_votes import map_vote, network_votes
from .spine_frame import UNSURE_MARGIN, LevelFrame, SpineFrame, find_spine

#: Order of the foraminal slice network's heads: right L1/L2 .. L5/S1, then left.
_HEAD_SIDES = (Side.RIGHT, Side.LEFT)


@dataclass(frozen=True, eq=False)
class _Sagittal:
    series: MRSeries
    maps: SagittalMaps


class MultistageLocalizer:
    """Localises with the networks ``sagittal``, ``axial``, ``slice_canal`` and ``slice_foraminal``."""

    def __init__(self, bundle: Bundle, device: torch.device) -> None:
        self._sagittal_net = bundle.network("sagittal", HeatmapUNet).to(device)
        self._axial_net = bundle.network("axial", HeatmapUNet).to(device)
        self._canal_slices = bundle.network("slice_canal", SliceIndexNet).to(device)
        self._foraminal_slices = bundle.network("slice_foraminal", SliceIndexNet).to(device)
        self._device = device

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return a landmark or a reason for each of the 25 findings."""
        report(Progress("finding levels on sagittal T2", 0.0))
        t2 = self._sagittal(study, SeriesRole.SAGITTAL_T2, cancel)
        report(Progress("finding levels on sagittal T1", 0.3))
        t1 = self._sagittal(study, SeriesRole.SAGITTAL_T1, cancel)
        guide = t2 or t1
        if guide is None:
            return _nothing("no_sagittal_series", "no sagittal series was found, so no level can be named")
        spine = find_spine(guide.maps)
        report(Progress("placing canal points", 0.6))
        canal = self._canal_points(guide, spine)
        found: dict[FindingKey, Landmark] = {}
        if t2 is not None:
            found |= _canal_landmarks(t2, spine, canal)
        report(Progress("placing foramina on sagittal T1", 0.7))
        if t1 is not None:
            found |= self._foramina(t1, spine)
        report(Progress("placing recesses on axial T2", 0.85))
        found |= self._recesses(study, spine, canal, cancel)
        return Landmarks(found, _missing(study, spine, found), _notes(spine))

    def _sagittal(self, study: Study, role: SeriesRole, cancel: CancelToken) -> _Sagittal | None:
        series = study.first(role)
        if series is None:
            return None
        usual = canonical_series(series)
        return _Sagittal(series, sagittal_maps(self._sagittal_net, usual, self._device, cancel))

    def _canal_points(self, guide: _Sagittal, spine: SpineFrame) -> Mapping[Level, FloatArray]:
        """Canal points in patient space, each on the slice that the votes' median names."""
        maps = guide.maps
        votes = network_votes(self._canal_slices, maps.slices, self._device)
        points = {}
        for level, frame in spine.levels.items():
            place = _canal_place(maps, frame, votes[:, level.rank])
            geometry = maps.slices[place].geometry
            points[level] = geometry.lps_from_pixel(geometry.pixel_from_lps(frame.canal_lps_mm))
        return points

    def _foramina(self, t1: _Sagittal, spine: SpineFrame) -> dict[FindingKey, Landmark]:
        votes = network_votes(self._foraminal_slices, t1.maps.slices, self._device)
        found = {}
        for level, frame in spine.levels.items():
            for side in Side:
                head = _HEAD_SIDES.index(side) * len(Level) + level.rank
                point = find_foramen(t1.maps, frame, side, votes[:, head])
                geometry = t1.maps.slices[point.place].geometry
                key = FindingKey(Condition.of(ConditionGroup.FORAMINAL, side), level)
                found[key] = _landmark(
                    key,
                    t1.series,
                    t1.maps.first_index + point.place,
                    geometry.lps_from_pixel(point.pixel_rc),
                    point.confidence,
                )
        return found

    def _recesses(
        self, study: Study, spine: SpineFrame, canal: Mapping[Level, FloatArray], cancel: CancelToken
    ) -> dict[FindingKey, Landmark]:
        originals = study.with_role(SeriesRole.AXIAL_T2)
        usual = [canonical_series(series) for series in originals]
        found = {}
        for level, frame in spine.levels.items():
            cancel.raise_if_cancelled()
            chosen = nearest_axial_slice(usual, canal[level])
            if chosen is None:
                continue
            recesses = find_recesses(self._axial_net, chosen, canal[level], self._device)
            geometry = chosen.series.slices[chosen.slice_index].geometry
            for side, (pixel_rc, confidence) in recesses.items():
                key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level)
                series = study.by_id(chosen.series.series_id)
                point = geometry.lps_from_pixel(pixel_rc)
                found[key] = _landmark(key, series, chosen.slice_index, point, frame.confidence * confidence)
        return found


def _canal_place(maps: SagittalMaps, frame: LevelFrame, votes: FloatArray) -> int:
    """Median of the slice network's votes and of the canal map at this level, near the guide's middle."""
    row, column = np.rint(maps.map_from_lps(frame.canal_lps_mm)).astype(int)
    canal = maps.maps["canal"]
    row, column = int(row.clip(0, canal.shape[1] - 1)), int(column.clip(0, canal.shape[2] - 1))
    around = canal[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean((1, 2))
    middle = float(
        np.argmin(np.abs((frame.canal_lps_mm - maps.geometry.centre_lps_mm) @ frame.left - maps.across_mm))
    )
    place = float(np.median([*votes, map_vote(around, middle)]))
    return int(np.clip(round(place), 0, len(maps.slices) - 1))


def _canal_landmarks(
    t2: _Sagittal, spine: SpineFrame, canal: Mapping[Level, FloatArray]
) -> dict[FindingKey, Landmark]:
    found = {}
    for level, point in canal.items():
        key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
        distances = [abs(float(s.geometry.signed_distance_mm(point))) for s in t2.maps.slices]
        index = t2.maps.first_index + int(np.argmin(distances))
        found[key] = _landmark(key, t2.series, index, point, spine.levels[level].confidence)
    return found


def _landmark(
    key: FindingKey, series: MRSeries, slice_index: int, point_lps_mm: FloatArray, confidence: float
) -> Landmark:
    """``series`` as it was read: pixels are those of the file, whatever view the networks saw."""
    row, column = series.slices[slice_index].geometry.pixel_from_lps(point_lps_mm)
    return Landmark(
        key=key,
        point_lps_mm=vector3(point_lps_mm),
        series_id=series.series_id,
        slice_index=slice_index,
        pixel_rc=(float(row), float(column)),
        confidence=float(np.clip(confidence, 0, 1)),
    )


def _nothing(code: str, reason: str) -> Landmarks:
    return Landmarks({}, {key: NotGradable(code, reason) for key in ALL_FINDINGS})


_NEEDED_ROLE = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
    ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
}


def _missing(
    study: Study, spine: SpineFrame, found: Mapping[FindingKey, Landmark]
) -> dict[FindingKey, NotGradable]:
    return {key: _why_missing(study, spine, key) for key in ALL_FINDINGS if key not in found}


def _why_missing(study: Study, spine: SpineFrame, key: FindingKey) -> NotGradable:
    role = _NEEDED_ROLE[key.condition.group]
    if study.first(role) is None:
        return NotGradable("no_series", f"no {role.value} series was found in the study")
    if key.level not in spine.levels:
        return NotGradable("level_not_found", f"disc {key.level.value} was not found on the sagittal images")
    return NotGradable(
        "no_axial_slice",
        f"no axial slice passes within {FARTHEST_PLANE_MM:g} mm of the canal at {key.level.value}",
    )


def _notes(spine: SpineFrame) -> tuple[str, ...]:
    notes = [
        "Levels are numbered upwards from the disc taken as L5/S1; a transitional vertebra shifts every name."
    ]
    if spine.margin < UNSURE_MARGIN:
        notes.append("The numbering of the levels is unsure: the discs fit almost as well one level off.")
    assumed = [level.value for level, frame in spine.levels.items() if not frame.canal_seen]
    if assumed:
        notes.append(f"The canal was not seen at {', '.join(assumed)}; its point is an assumption.")
    return tuple(notes)
