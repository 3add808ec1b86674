"""The grader of one network per sequence: the slice of a landmark, looked at once for its level.

Because whole slices are seen, a landmark says which slice is looked at, and nothing more: moving it within
its slice changes no grade, unless the networks were trained on windows around the point.
Evidence: the whole slice with weight 1 and its class-activation map.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..domain.findings import CropEvidence, Finding
from ..domain.landmarks import Dependence, Landmarks, NotGradable
from ..domain.spine import ConditionGroup, FindingKey
from ..domain.study import MRSeries, PixelArray, Study
from ..models.bundle import Bundle
from ..models.sequence_efficientnet import LevelSlices, SequenceEfficientNet
from ..preprocess.bags import Bag, prepared_by_id
from ..preprocess.slice_views import sample_view, slice_view
from .evidence import to_native
from .explain import with_heatmaps
from .judge import calibrations, judged
from .progress import CancelToken, Progress, ProgressCallback

_NETWORKS = {
    ConditionGroup.CANAL: "grade_canal",
    ConditionGroup.FORAMINAL: "grade_foraminal",
    ConditionGroup.SUBARTICULAR: "grade_subarticular",
}
_CHUNK = 10


@dataclass(frozen=True, eq=False)
class _Answers:
    """Log probabilities (networks, n, 3) and heatmaps of the first network (n, h, w)."""

    log_probs: torch.Tensor
    heatmaps: PixelArray


class SequenceGrader:
    """Grades with the ensembles ``grade_canal``, ``grade_foraminal``, ``grade_subarticular``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    dependence = Dependence.CROPS

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = members or {}
        self._ensembles = {
            group: [n.to(device) for n in bundle.members(name, SequenceEfficientNet, chosen.get(name))]
            for group, name in _NETWORKS.items()
        }
        self._calibrations = calibrations(bundle)
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
        series = prepared_by_id(study)
        reasons = {key: _why_not(key, landmarks, series) for key in keys}
        findings = {
            key: Finding(key, None, landmarks.get(key), not_gradable=why)
            for key, why in reasons.items()
            if why is not None
        }
        for group in ConditionGroup:
            wanted = [key for key in keys if key.condition.group is group and reasons[key] is None]
            for start in range(0, len(wanted), _CHUNK):
                cancel.raise_if_cancelled()
                report(Progress(f"grading {group.value.lower()}", len(findings) / len(keys)))
                findings |= self._findings(study, landmarks, wanted[start : start + _CHUNK], series)
        return {key: findings[key] for key in keys}

    def _findings(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Sequence[FindingKey],
        series: Mapping[str, MRSeries],
    ) -> dict[FindingKey, Finding]:
        """Findings of one group."""
        group = keys[0].condition.group
        window_mm = self._ensembles[group][0].config.window_mm
        marks = [landmarks.points[key] for key in keys]
        views = [slice_view(mark, series[mark.series_id], window_mm) for mark in marks]
        answers = self._ask(group, keys, views, series)
        findings = {}
        for i, key in enumerate(keys):
            log_probs = answers.log_probs[:, i : i + 1]
            crop = to_native(_evidence(views[i], answers.heatmaps[i]), series, study)
            findings[key] = judged(marks[i], log_probs, None, self._calibrations.get(group), [crop])
        return findings

    def _ask(
        self,
        group: ConditionGroup,
        keys: Sequence[FindingKey],
        views: Sequence[Bag],
        series: Mapping[str, MRSeries],
    ) -> _Answers:
        first, *others = self._ensembles[group]
        size = first.config.size
        pixels = np.stack([sample_view(view, series[view.series_id], size) for view in views])
        images = torch.from_numpy(pixels)[:, None].to(self._device)
        levels = torch.tensor([key.level.rank for key in keys], device=self._device)
        # Weights ask for no gradient; the images do, so that one flows through the features.
        asking = images.clone().requires_grad_(True)
        output, (heatmaps,) = with_heatmaps(
            [first.heatmap_layer], lambda: first(LevelSlices(asking, levels)), lambda out: out.logits
        )
        with torch.inference_mode():
            outputs = [output, *(network(LevelSlices(images, levels)) for network in others)]
        logits = torch.stack([one.logits.float().detach() for one in outputs])
        return _Answers(logits.log_softmax(-1).cpu(), heatmaps)


def _why_not(key: FindingKey, landmarks: Landmarks, series: Mapping[str, MRSeries]) -> NotGradable | None:
    mark = landmarks.get(key)
    if mark is None:
        return landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
    if mark.series_id not in series:
        reason = f"{key.text}: its landmark lies in a series that has no role in this study"
        return NotGradable("no_series", reason)
    return None


def _evidence(view: Bag, heatmap: PixelArray) -> CropEvidence:
    """The slice with its heatmap turned back to how the slice lies."""
    turned = heatmap[:, ::-1] if view.mirrored else heatmap
    crop = view.crops[0]
    return CropEvidence(view.role, view.series_id, crop.slice_index, crop.box_rc, 1.0, turned)
