"""The grader that joins every series of a finding, words about them, and what is asked.

A finding needs its own landmark; series that do not show its point are masked, as in training. The canal,
which has no side, is looked at as it is and mirrored.
Evidence: every slice looked at, each with the same weight within its series (the system has no attention),
and the heatmap of its view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..domain.findings import CropEvidence, Finding
from ..domain.landmarks import Dependence, Landmarks, NotGradable
from ..domain.spine import FindingKey
from ..domain.study import MRSeries, PixelArray, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.three_way import FindingSight, ThreeWay
from ..preprocess.bags import Bag, prepared_by_id
from ..preprocess.finding_views import finding_views, mirrored_views
from ..preprocess.fusion_input import FusionInput, FusionShape, fusion_input
from .evidence import to_native
from .explain import Heatmaps, with_heatmaps
from .judge import calibrations, judged
from .progress import CancelToken, Progress, ProgressCallback

_ENSEMBLE = "grade_findings"


@dataclass(frozen=True, eq=False)
class _Answers:
    """Log probabilities (networks, looks, 3) and, per role, heatmaps of the first network's first look."""

    log_probs: torch.Tensor
    heatmaps: Heatmaps


class ThreeWayGrader:
    """Grades with the ensemble ``grade_findings``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    dependence = Dependence.CROPS

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = (members or {}).get(_ENSEMBLE)
        self._networks = [n.to(device) for n in bundle.members(_ENSEMBLE, ThreeWay, chosen)]
        self._config = self._networks[0].config
        roles = tuple(SeriesRole(role) for role in self._config.roles)
        self._shape = FusionShape(roles, self._config.slices, self._config.size)
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
        findings = {}
        for i, key in enumerate(keys):
            cancel.raise_if_cancelled()
            report(Progress(f"grading {key.text}", i / len(keys)))
            findings[key] = self._finding(study, landmarks, key, series)
        return findings

    def _finding(
        self, study: Study, landmarks: Landmarks, key: FindingKey, series: Mapping[str, MRSeries]
    ) -> Finding:
        mark = landmarks.get(key)
        if mark is None:
            why = landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
            return Finding(key, None, None, not_gradable=why)
        views = finding_views(key, landmarks, series, self._config.window_mm, self._config.slices)
        shown = {role: view for role, view in views.items() if role in self._shape.roles}
        if not shown:
            reason = f"{key.text}: its landmark lies in a series that has no role in this study"
            return Finding(key, None, mark, not_gradable=NotGradable("no_series", reason))
        looks = [shown] if key.condition.side else [shown, mirrored_views(shown)]
        answers = self._ask([self._input(key, look, series) for look in looks])
        calibration = self._calibrations.get(key.condition.group)
        evidence = tuple(
            to_native(crop, series, study)
            for i, role in enumerate(self._shape.roles)
            if role in shown
            for crop in _evidence(shown[role], answers.heatmaps[i])
        )
        return judged(mark, answers.log_probs, None, calibration, evidence)

    def _input(
        self, key: FindingKey, views: Mapping[SeriesRole, Bag], series: Mapping[str, MRSeries]
    ) -> FusionInput:
        return fusion_input(key, views, series, self._shape, self._config.words)

    def _ask(self, looks: Sequence[FusionInput]) -> _Answers:
        sight = self._sight(looks)
        # Weights ask for no gradient; the images do, so that one flows through the features.
        asking = sight._replace(views=sight.views.clone().requires_grad_(True))
        first, *others = self._networks
        logits, heatmaps = with_heatmaps(first.heatmap_layers(), lambda: first(asking), lambda answer: answer)
        with torch.inference_mode():
            answers = [logits.detach(), *(network(sight) for network in others)]
        log_probs = torch.stack([each.float().log_softmax(-1) for each in answers]).cpu()
        return _Answers(log_probs, tuple(each[0] for each in heatmaps))

    def _sight(self, looks: Sequence[FusionInput]) -> FindingSight:
        arrays = (
            np.stack([one.views for one in looks]),
            np.stack([one.visible for one in looks]),
            np.stack([one.texts for one in looks]),
            np.array([one.level for one in looks]),
            np.array([one.group for one in looks]),
        )
        return FindingSight(*(torch.from_numpy(each).to(self._device) for each in arrays))


def _evidence(view: Bag, heatmap: PixelArray) -> list[CropEvidence]:
    """The slices of a view, each once; ``heatmap`` is one for all, (h, w), or one for each, (S, h, w)."""
    maps = np.broadcast_to(heatmap, (len(view.crops), *heatmap.shape[-2:]))
    places = {crop: [i for i, one in enumerate(view.crops) if one == crop] for crop in view.crops}
    return [
        CropEvidence(
            view.role,
            view.series_id,
            crop.slice_index,
            crop.box_rc,
            len(rows) / len(view.crops),
            maps[rows].max(0)[:, :: -1 if view.mirrored else 1],
        )
        for crop, rows in places.items()
    ]
