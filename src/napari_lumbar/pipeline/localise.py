"""The multistage localiser: where the 25 findings are.

Structure of the first-place RSNA 2024 solution (Panditrao et al.): slice index on sagittal volumes ->
sagittal keypoints (canal on T2, foramina on T1) -> nearest axial slice by plane distance -> axial keypoints.
Deviations: an ensemble of heatmap networks for both sagittal contrasts that sees a slice between its
neighbours, discs named jointly by dynamic programming, the canal stepped to from the named disc. The slice
follows from where the canal lies across the slices; networks for the slice index are asked where a
bundle has them, and their answers joined by the median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..domain.geometry import FloatArray, vector3
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from ..domain.study import OWN_ROLES, MRSeries, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.convnext3d import SliceIndexNet
from ..models.heatmap_unet import HeatmapUNet
from ..preprocess.canonical import canonical_series
from ..preprocess.channels import FORAMINAL_HEAD_SIDES
from .confidence import LandmarkConfidence
from .contrasts import joint_numbering, on_other_contrast, stands_in
from .foramina import find_foramen
from .missing_series import left_hint, no_series
from .progress import CancelToken, Progress, ProgressCallback
from .recesses import FARTHEST_PLANE_MM, AxialView, find_recesses, look_at_axial, nearest_axial_slice
from .sagittal_maps import SagittalMaps
from .slice_votes import canal_places, network_votes
from .spine_frame import SpineFrame
from .spine_search import look_for_spine


@dataclass(frozen=True, eq=False)
class _Sagittal:
    series: MRSeries
    maps: SagittalMaps
    spine: SpineFrame


class MultistageLocalizer:
    """Localises with the ensemble ``sagittal`` and ``axial``, and networks for the slice if there are any.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = bundle.members("sagittal", HeatmapUNet, (members or {}).get("sagittal"))
        self._sagittal_nets = [network.to(device) for network in chosen]
        self._axial_net = bundle.network("axial", HeatmapUNet).to(device)
        self._slice_nets = {
            name: bundle.network(name, SliceIndexNet).to(device)
            for name in ("slice_canal", "slice_foraminal")
            if name in bundle.networks
        }
        self._confidence = LandmarkConfidence.from_settings(bundle.manifest.settings)
        self._device = device

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return a landmark or a reason for each of the 25 findings."""
        report(Progress("finding levels on sagittal T2", 0.0))
        t2 = self._sagittal(study, SeriesRole.SAGITTAL_T2, cancel)
        report(Progress("finding levels on sagittal T1", 0.3))
        t1 = self._sagittal(study, SeriesRole.SAGITTAL_T1, cancel)
        guide = _guide(t2, t1)
        if guide is None:
            hint = left_hint(study, SeriesRole.SAGITTAL_T2)
            return _nothing(
                "no_sagittal_series", f"no sagittal series was found, so no level can be named{hint}"
            )
        report(Progress("finding recesses on axial T2", 0.6))
        spine = guide.spine
        views, centred = self._axial_views(study, spine, cancel)
        found = _recess_landmarks(study, views, centred)
        if guide is t1:
            # T1 shows the canal's sides badly. T2 places the sagittal points itself: patients move between
            # the sagittal and the axial series.
            spine = centred
        report(Progress("placing canal points", 0.8))
        on_t2 = spine if t2 is None or guide is t2 else on_other_contrast(spine, t2.spine, t2.maps)
        if t2 is not None:
            found |= self._canal(t2, on_t2)
        report(Progress("placing foramina on sagittal T1", 0.9))
        unseen: Mapping[FindingKey, NotGradable] = {}
        if t1 is not None:
            foramina, unseen = self._foramina(t1, spine)
            found |= foramina
        found = {key: self._confidence.calibrated(landmark) for key, landmark in found.items()}
        other = t2 if guide is t1 else t1
        numbering = joint_numbering(guide.spine, other.spine if other else None)
        notes = _notes(on_t2, stood_in=guide is t1 and t2 is not None)
        return Landmarks(found, {**_missing(study, spine, found), **unseen}, notes, numbering)

    def locate_recesses(
        self, study: Study, canal: Landmark, cancel: CancelToken
    ) -> Mapping[FindingKey, Landmark]:
        """Return both recesses on the axial slice nearest to the canal point; none where none is near."""
        cancel.raise_if_cancelled()
        usual = [canonical_series(series) for series in study.with_role(SeriesRole.AXIAL_T2)]
        point_lps_mm = np.array(canal.point_lps_mm)
        chosen = nearest_axial_slice(usual, point_lps_mm)
        if chosen is None:
            return {}
        view = look_at_axial(self._axial_net, chosen, point_lps_mm, self._device)
        found = _recesses_of_level(study, canal.key.level, view, level_confidence=1.0)
        return {key: self._confidence.calibrated(landmark) for key, landmark in found.items()}

    def _sagittal(self, study: Study, role: SeriesRole, cancel: CancelToken) -> _Sagittal | None:
        series = study.first(role)
        if series is None:
            return None
        maps, spine = look_for_spine(self._sagittal_nets, canonical_series(series), self._device, cancel)
        return _Sagittal(series, maps, spine)

    def _axial_views(
        self, study: Study, spine: SpineFrame, cancel: CancelToken
    ) -> tuple[Mapping[Level, AxialView], SpineFrame]:
        """Look at the nearest axial slice of each level; the canal seen there centres the spine sideways."""
        usual = [canonical_series(series) for series in study.with_role(SeriesRole.AXIAL_T2)]
        views, levels = {}, {}
        for level, frame in spine.levels.items():
            cancel.raise_if_cancelled()
            levels[level] = frame
            chosen = nearest_axial_slice(usual, frame.canal_lps_mm)
            if chosen is not None:
                view = look_at_axial(self._axial_net, chosen, frame.canal_lps_mm, self._device)
                views[level] = view
                levels[level] = frame.moved_to(view.canal_lps_mm) if view.canal_seen else frame
        return views, replace(spine, levels=levels)

    def _votes(self, name: str, sagittal: _Sagittal) -> FloatArray:
        """Places that a slice network votes for, shape (2, heads); no rows without one."""
        if name not in self._slice_nets:
            return np.zeros((0, 2 * len(Level)))
        return network_votes(self._slice_nets[name], sagittal.maps.slices, self._device)

    def _canal(self, t2: _Sagittal, spine: SpineFrame) -> dict[FindingKey, Landmark]:
        """Canal landmarks, each on the slice through the canal's middle."""
        found = {}
        for level, place in canal_places(t2.maps, spine.levels, self._votes("slice_canal", t2)).items():
            frame, geometry = spine.levels[level], t2.maps.slices[place].geometry
            key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
            point = geometry.lps_from_pixel(geometry.pixel_from_lps(frame.canal_lps_mm))
            found[key] = landmark_on_slice(
                key, t2.series, t2.maps.first_index + place, point, frame.confidence
            )
        return found

    def _foramina(
        self, t1: _Sagittal, spine: SpineFrame
    ) -> tuple[dict[FindingKey, Landmark], dict[FindingKey, NotGradable]]:
        """Foraminal landmarks, and of each that the slices cannot show, why."""
        votes = self._votes("slice_foraminal", t1)
        found, unseen = {}, {}
        for level, frame in spine.levels.items():
            for side in Side:
                head = FORAMINAL_HEAD_SIDES.index(side) * len(Level) + level.rank
                point = find_foramen(t1.maps, level, frame, side, votes[:, head])
                key = FindingKey(Condition.of(ConditionGroup.FORAMINAL, side), level)
                if isinstance(point, NotGradable):
                    unseen[key] = point
                    continue
                geometry = t1.maps.slices[point.place].geometry
                found[key] = landmark_on_slice(
                    key,
                    t1.series,
                    t1.maps.first_index + point.place,
                    geometry.lps_from_pixel(point.pixel_rc),
                    point.confidence,
                )
        return found, unseen


def _guide(t2: _Sagittal | None, t1: _Sagittal | None) -> _Sagittal | None:
    """The contrast that names the levels."""
    if t2 is None or t1 is None:
        return t2 or t1
    return t1 if stands_in(t1.spine, t2.spine) else t2


def _recess_landmarks(
    study: Study, views: Mapping[Level, AxialView], spine: SpineFrame
) -> dict[FindingKey, Landmark]:
    found: dict[FindingKey, Landmark] = {}
    for level, view in views.items():
        found |= _recesses_of_level(study, level, view, spine.levels[level].confidence)
    return found


def _recesses_of_level(
    study: Study, level: Level, view: AxialView, level_confidence: float
) -> dict[FindingKey, Landmark]:
    found = {}
    series = study.by_id(view.chosen.series.series_id)
    for side, (pixel_rc, confidence) in find_recesses(view).items():
        key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level)
        point = view.geometry.lps_from_pixel(pixel_rc)
        found[key] = landmark_on_slice(
            key, series, view.chosen.slice_index, point, confidence * level_confidence
        )
    return found


def landmark_on_slice(
    key: FindingKey, series: MRSeries, slice_index: int, point_lps_mm: FloatArray, confidence: float
) -> Landmark:
    """A predicted landmark on a slice of ``series`` as it was read; the point is projected onto the slice.

    Pixels are those of the file, whatever view the networks saw.
    """
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


def _missing(
    study: Study, spine: SpineFrame, found: Mapping[FindingKey, Landmark]
) -> dict[FindingKey, NotGradable]:
    return {key: _why_missing(study, spine, key) for key in ALL_FINDINGS if key not in found}


def _why_missing(study: Study, spine: SpineFrame, key: FindingKey) -> NotGradable:
    role = OWN_ROLES[key.condition.group]
    if study.first(role) is None:
        return no_series(study, role)
    if key.level not in spine.levels:
        reason = f"disc {key.level.value} was not found on the sagittal images"
        if key.level is Level.L5_S1:
            reason += ", or the sacrum below it, which it is known by, is not in view"
        return NotGradable("level_not_found", reason)
    if key.condition.group is ConditionGroup.CANAL:
        reason = f"{role.value} shows no canal where {SeriesRole.SAGITTAL_T1.value} has {key.level.value}"
        return NotGradable("canal_not_seen", reason)
    return NotGradable(
        "no_axial_slice",
        f"no axial slice passes within {FARTHEST_PLANE_MM:g} mm of the canal at {key.level.value}",
    )


def _notes(spine: SpineFrame, stood_in: bool) -> tuple[str, ...]:
    notes = []
    if stood_in:
        notes.append("Levels were named on sagittal T1, because their names on T2 are less sure.")
    assumed = [level.value for level, frame in spine.levels.items() if not frame.canal_seen]
    if assumed:
        notes.append(f"The canal was not seen at {', '.join(assumed)}; its point is an assumption.")
    return tuple(notes)
