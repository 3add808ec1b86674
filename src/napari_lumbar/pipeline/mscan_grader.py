"""M-SCAN's grader: the canal of all levels at once, from a sagittal and three axial crops per level.

Axial crops lie around the middle of both recesses: that of the landmarks where a level has both, else that of
a regression network, asked for each slice on its own as published. A level that no axial slice passes is
graded from what is seen of it and of the other levels; a study without axial series from its sagittal crops.
Every level's grade depends on the crops of all, so all are looked at whatever is asked.
Evidence: axial slices count alike, for the LSTM over them weighs none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..domain.errors import LumbarError
from ..domain.findings import CropEvidence, Finding
from ..domain.geometry import FloatArray
from ..domain.landmarks import Dependence, Landmark, Landmarks, NotGradable
from ..domain.spine import Condition, ConditionGroup, FindingKey, Level
from ..domain.study import MRSeries, PixelArray, SeriesRole, Study
from ..models.axial_point import AxialPointNet
from ..models.bundle import Bundle
from ..models.mscan import AXIAL_SLICES, Mscan, MscanInput, MscanOutput
from ..preprocess.bags import NO_JITTER, Jitter, prepared_by_id
from ..preprocess.mscan_views import (
    CanalCrop,
    axial_crop,
    equalised,
    from_square,
    nearest_axial_slices,
    recess_middle,
    sagittal_crop,
    sample_canal_crop,
    whole_slice,
)
from .evidence import to_native
from .explain import with_heatmaps
from .judge import calibrations, judged
from .mscan_localizer import CANAL_ONLY
from .progress import CancelToken, Progress, ProgressCallback

#: A study is looked at as it is and from places a little beside the points.
_MOVES = (NO_JITTER, Jitter(rows_mm=2.0, columns_mm=-2.0), Jitter(rows_mm=-2.0, columns_mm=2.0))

Series = Mapping[str, MRSeries]


@dataclass(frozen=True, eq=False)
class _Place:
    """Where one level is seen: its canal point, and axial slices (none or three) with a point each."""

    landmark: Landmark
    axial: tuple[tuple[str, int, FloatArray], ...]


@dataclass(frozen=True, eq=False)
class _Crops:
    """The crops of one level, of which there is always a sagittal one."""

    sagittal: CanalCrop
    axial: tuple[CanalCrop, ...]


@dataclass(frozen=True, eq=False)
class _Seen:
    """Log probabilities (networks, looks, 5, 3); of the first one features (5, D), heatmaps by view."""

    log_probs: torch.Tensor
    features: torch.Tensor
    heatmaps: tuple[PixelArray, ...]


class MscanGrader:
    """Grades with the ensembles ``fusion`` and ``axial_point``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    dependence = Dependence.STUDY

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = members or {}
        fusion = bundle.members("fusion", Mscan, chosen.get("fusion"))
        points = bundle.members("axial_point", AxialPointNet, chosen.get("axial_point"))
        self._networks = [network.to(device) for network in fusion]
        self._point_networks = [network.to(device) for network in points]
        self._config = self._networks[0].config
        self._calibration = calibrations(bundle).get(ConditionGroup.CANAL)
        self._device = device

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        """Return a finding, graded or with the reason why not, for each key."""
        ungraded = {key: _ungraded(key, landmarks) for key in keys}
        wanted = [k for k in keys if k.condition.group is ConditionGroup.CANAL and k in landmarks.points]
        if not wanted:
            return ungraded
        report(Progress("preparing images", 0.0))
        series = prepared_by_id(study)
        places = {}
        for level in Level:
            cancel.raise_if_cancelled()
            report(Progress("finding the canal on axial T2", 0.1 + 0.1 * level.rank))
            if (landmark := landmarks.get(_key(level))) is not None:
                places[level] = self._place(landmark, landmarks, study, series)
        looks = []
        for i, move in enumerate(_MOVES):
            cancel.raise_if_cancelled()
            report(Progress("grading the spinal canal", 0.6 + 0.1 * i))
            looks.append(_crops(places, series, move))
        seen = self._look(looks, series, cancel)
        graded = {key: self._finding(key, landmarks, looks[0][key.level], seen) for key in wanted}
        native = {key: _on_files(finding, series, study) for key, finding in graded.items()}
        return {key: native.get(key) or ungraded[key] for key in keys}

    def _place(self, landmark: Landmark, landmarks: Landmarks, study: Study, series: Series) -> _Place:
        if landmark.series_id not in series:
            raise LumbarError(
                f"{landmark.key.text}: its landmark lies in a series that has no role in this study"
            )
        if self._config.views == "sagittal":
            return _Place(landmark, ())
        axial = [series[one.series_id] for one in study.with_role(SeriesRole.AXIAL_T2)]
        slices = nearest_axial_slices(axial, landmark.point_lps_mm)
        if slices is None:
            return _Place(landmark, ())
        known = recess_middle(landmarks, landmark.key.level)
        points = [
            self._regressed(series[slices.series_id], index) if known is None else known
            for index in slices.indices
        ]
        return _Place(
            landmark,
            tuple((slices.series_id, i, point) for i, point in zip(slices.indices, points, strict=True)),
        )

    def _regressed(self, series: MRSeries, index: int) -> FloatArray:
        """Middle of both recesses of a slice in patient space, shape (3,)."""
        mr_slice = series.slices[index]
        image = torch.from_numpy(whole_slice(mr_slice, self._point_networks[0].config.size))
        with torch.inference_mode():
            points = [network(image[None, None].to(self._device))[0] for network in self._point_networks]
        middle = torch.stack(points).mean((0, 1)).cpu().numpy()
        return mr_slice.geometry.lps_from_pixel(from_square(mr_slice.geometry, middle))

    def _look(self, looks: Sequence[Mapping[Level, _Crops]], series: Series, cancel: CancelToken) -> _Seen:
        """Ask every network about every look; the first one explains the first look."""
        shown = [self._input(look, series) for look in looks]
        cancel.raise_if_cancelled()
        first, *others = self._networks
        output, heatmaps = _explained(first, shown[0])
        with torch.inference_mode():
            told = [[output, *(first(one) for one in shown[1:])]]
            for network in others:
                cancel.raise_if_cancelled()
                told.append([network(one) for one in shown])
        logits = torch.stack([torch.stack([o.logits[0] for o in each]) for each in told])
        return _Seen(
            logits.float().log_softmax(-1).detach().cpu(), output.features[0].detach().float().cpu(), heatmaps
        )

    def _input(self, look: Mapping[Level, _Crops], series: Series) -> MscanInput:
        """Crops as the networks take them; zeros, marked as not seen, where there is none."""
        sizes = self._config.sagittal.size, self._config.axial.size
        sagittal = np.zeros((1, len(Level), 1, sizes[0], sizes[0]), np.float32)
        axial = np.zeros((1, len(Level), AXIAL_SLICES, 1, sizes[1], sizes[1]), np.float32)
        seen = np.zeros((1, len(Level), 2), np.bool_)
        for level, crops in look.items():
            sagittal[0, level.rank, 0] = _pixels(crops.sagittal, series, sizes[0])
            for k, crop in enumerate(crops.axial):
                axial[0, level.rank, k, 0] = _pixels(crop, series, sizes[1])
            seen[0, level.rank] = True, bool(crops.axial)
        return MscanInput(*(torch.from_numpy(one).to(self._device) for one in (sagittal, axial, seen)))

    def _finding(self, key: FindingKey, landmarks: Landmarks, crops: _Crops, seen: _Seen) -> Finding:
        rank = key.level.rank
        log_probs, features = seen.log_probs[:, :, rank], seen.features[rank : rank + 1]
        evidence = _evidence(crops, rank, seen.heatmaps)
        return judged(landmarks.points[key], log_probs, features, self._calibration, evidence)


def _key(level: Level) -> FindingKey:
    return FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)


def _ungraded(key: FindingKey, landmarks: Landmarks) -> Finding:
    if key.condition.group is not ConditionGroup.CANAL:
        return Finding(key, None, landmarks.get(key), not_gradable=CANAL_ONLY)
    why = landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
    return Finding(key, None, None, not_gradable=why)


def _crops(places: Mapping[Level, _Place], series: Series, move: Jitter) -> dict[Level, _Crops]:
    found = {}
    for level, place in places.items():
        point = place.landmark
        own = series[point.series_id]
        found[level] = _Crops(
            sagittal_crop(own, point.slice_index, point.point_lps_mm, move),
            tuple(axial_crop(series[name], index, centre, move) for name, index, centre in place.axial),
        )
    return found


def _pixels(crop: CanalCrop, series: Series, size: int) -> PixelArray:
    return equalised(sample_canal_crop(crop, series[crop.series_id], size))


def _explained(network: Mscan, shown: MscanInput) -> tuple[MscanOutput, tuple[PixelArray, ...]]:
    """Answer and heatmaps per view: (5, h, w), and (5, 3, h, w) where axial crops are looked at."""
    images = MscanInput(
        shown.sagittal.clone().requires_grad_(True), shown.axial.clone().requires_grad_(True), shown.seen
    )
    # cuDNN refuses to go back through recurrent layers of a network that is not in training.
    with torch.backends.cudnn.flags(enabled=False):
        output, maps = with_heatmaps(network.heatmap_layers(), lambda: network(images), lambda o: o.logits)
    sagittal, *axial = maps
    return output, (sagittal, *(one.reshape(len(Level), AXIAL_SLICES, *one.shape[1:]) for one in axial))


def _evidence(crops: _Crops, rank: int, heatmaps: tuple[PixelArray, ...]) -> tuple[CropEvidence, ...]:
    """Crops in the usual view with weights and heatmaps; a slice that stands twice counts twice."""
    shown = [_crop_evidence(crops.sagittal, SeriesRole.SAGITTAL_T2, 1.0, heatmaps[0][rank])]
    indices = [crop.slice_index for crop in crops.axial]
    for k, crop in enumerate(crops.axial):
        if crop.slice_index not in indices[:k]:
            weight = indices.count(crop.slice_index) / len(indices)
            shown.append(_crop_evidence(crop, SeriesRole.AXIAL_T2, weight, heatmaps[1][rank, k]))
    return tuple(shown)


def _crop_evidence(crop: CanalCrop, role: SeriesRole, weight: float, heatmap: PixelArray) -> CropEvidence:
    return CropEvidence(role, crop.series_id, crop.slice_index, crop.box_rc, weight, heatmap)


def _on_files(finding: Finding, series: Series, study: Study) -> Finding:
    evidence = tuple(to_native(crop, series, study) for crop in finding.evidence)
    return Finding(
        finding.key, finding.probs, finding.landmark, evidence, finding.not_gradable, finding.certainty
    )
