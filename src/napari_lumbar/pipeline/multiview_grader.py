"""The multi-view grader: every series of a disc in one pass, which answers all five findings of its level.

A level is looked at as it is and with left and right exchanged; both looks count the same. Because one pass
serves all five findings, each landmark of a level has a say in all of them: the findings that are asked for
are graded from where the landmarks are now.
Evidence: how far the class token looks at each slice in the last layer (mean of the heads and the networks),
scaled to a sum of 1 per series, and the heatmap of the finding that is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..domain.findings import CropEvidence, Finding
from ..domain.landmarks import Dependence, Landmarks, NotGradable
from ..domain.spine import FindingKey, Level
from ..domain.study import OWN_ROLES, MRSeries, PixelArray, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.multiview_transformer import (
    CONDITIONS,
    MIRRORED,
    MultiviewConfig,
    MultiviewOutput,
    MultiviewTransformer,
    Sight,
)
from ..preprocess.bags import prepared_by_id
from ..preprocess.disc_volumes import DiscVolume, Visible, disc_volumes, mirrored, sample_volume
from ..preprocess.resample import Box
from .evidence import to_native
from .explain import with_heatmaps_each
from .judge import calibrations, judged
from .progress import CancelToken, Progress, ProgressCallback

_ENSEMBLE = "grade_discs"


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the ensemble saw of one level.

    Parameters
    ----------
    log_probs
        Per network, look (as it is, mirrored) and condition, shape (networks, 2, 5, 3).
    weights
        Attention per series and slice, shape (M, S).
    heatmaps
        Per finding asked for, of the first network; each of shape (M, S, h, w).
    """

    volumes: Mapping[SeriesRole, DiscVolume]
    log_probs: torch.Tensor
    features: torch.Tensor
    weights: PixelArray
    heatmaps: Mapping[FindingKey, PixelArray]


class MultiviewGrader:
    """Grades with the ensemble ``grade_discs``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    dependence = Dependence.LEVEL

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = (members or {}).get(_ENSEMBLE)
        self._networks = [n.to(device) for n in bundle.members(_ENSEMBLE, MultiviewTransformer, chosen)]
        self._config = self._networks[0].config
        self._roles = roles_of(self._config)
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
        levels = [level for level in Level if any(key.level is level for key in keys)]
        findings: dict[FindingKey, Finding] = {}
        for i, level in enumerate(levels):
            cancel.raise_if_cancelled()
            report(Progress(f"grading {level.value}", i / len(levels)))
            asked = [key for key in keys if key.level is level]
            findings |= self._level(study, landmarks, level, asked, series)
        return {key: findings[key] for key in keys}

    def _level(
        self,
        study: Study,
        landmarks: Landmarks,
        level: Level,
        keys: Sequence[FindingKey],
        series: Mapping[str, MRSeries],
    ) -> dict[FindingKey, Finding]:
        volumes = disc_volumes(level, landmarks, series, self._config.shape[0], self._roles)
        reasons = {key: self._why_not(key, landmarks, volumes) for key in keys}
        ungraded = {
            key: Finding(key, None, landmarks.get(key), not_gradable=why)
            for key, why in reasons.items()
            if why is not None
        }
        wanted = [key for key in keys if key not in ungraded]
        if not wanted:
            return ungraded
        seen = self._look(level, volumes, series, wanted)
        graded = {key: self._finding(key, seen, landmarks) for key in wanted}
        native = {
            key: replace(one, evidence=tuple(to_native(crop, series, study) for crop in one.evidence))
            for key, one in graded.items()
        }
        return ungraded | native

    def _why_not(
        self, key: FindingKey, landmarks: Landmarks, volumes: Mapping[SeriesRole, DiscVolume]
    ) -> NotGradable | None:
        if key not in landmarks.points:
            return landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
        role = OWN_ROLES[key.condition.group]
        if role in self._roles and role not in volumes:
            reason = f"{key.text}: its landmark lies on no {role.value} slice of this study"
            return NotGradable("no_series", reason)
        if not volumes:
            shown = " or ".join(one.value for one in self._roles)
            return NotGradable("no_series", f"{key.text}: no {shown} slice shows this disc")
        return None

    def _look(
        self,
        level: Level,
        volumes: Mapping[SeriesRole, DiscVolume],
        series: Mapping[str, MRSeries],
        keys: Sequence[FindingKey],
    ) -> _Seen:
        seen = {r: sample_volume(v, series[v.series_id], self._config.shape[1:]) for r, v in volumes.items()}
        turned = {role: mirrored(pixels, visible, role) for role, (pixels, visible) in seen.items()}
        here, there = (self._sight(level, each) for each in (seen, turned))
        first, maps = _with_heatmaps(self._networks[0], here, keys)
        with torch.inference_mode():
            outputs = [first, *(network(here) for network in self._networks[1:])]
            opposite = [network(there) for network in self._networks]
        pairs = [(a.logits[0], b.logits[0, list(MIRRORED)]) for a, b in zip(outputs, opposite, strict=True)]
        return _Seen(
            volumes,
            torch.stack([torch.stack(pair) for pair in pairs]).float().log_softmax(-1).detach().cpu(),
            first.features.detach().float().cpu(),
            torch.stack([o.weights[0].detach().float() for o in outputs]).mean(0).cpu().numpy(),
            maps,
        )

    def _sight(self, level: Level, seen: Mapping[SeriesRole, tuple[PixelArray, Visible]]) -> Sight:
        blank = np.zeros(self._config.shape, np.float32), np.zeros(self._config.shape[0], np.bool_)
        pixels, visible = zip(*(seen.get(role, blank) for role in self._roles), strict=True)
        return Sight(
            torch.from_numpy(np.stack(pixels))[None].to(self._device),
            torch.from_numpy(np.stack(visible))[None].to(self._device),
            torch.tensor([level.rank], device=self._device),
        )

    def _finding(self, key: FindingKey, seen: _Seen, landmarks: Landmarks) -> Finding:
        calibration = self._calibrations.get(key.condition.group)
        log_probs = seen.log_probs[:, :, CONDITIONS.index(key.condition)]
        evidence = [
            crop
            for role, volume in seen.volumes.items()
            for crop in _evidence(volume, self._roles.index(role), seen, seen.heatmaps[key])
        ]
        return judged(landmarks.points[key], log_probs, seen.features, calibration, evidence)


def roles_of(config: MultiviewConfig) -> tuple[SeriesRole, ...]:
    """The series that a network may see, in the order of its volumes."""
    return tuple(SeriesRole(role) for role in config.roles)


def _with_heatmaps(
    network: MultiviewTransformer, sight: Sight, keys: Sequence[FindingKey]
) -> tuple[MultiviewOutput, dict[FindingKey, PixelArray]]:
    """One pass, and per finding a heatmap of every slice, shape (M, S, h, w); zeros where there is none."""
    # Weights ask for no gradient; the images do, so that one flows through the features.
    asking = sight._replace(volumes=sight.volumes.clone().requires_grad_(True))
    places = [CONDITIONS.index(key.condition) for key in keys]
    output, maps = with_heatmaps_each(
        network.heatmap_layer, lambda: network(asking), lambda out: [out.logits[:, i] for i in places]
    )
    visible = sight.visible[0].cpu().numpy()
    shaped = {}
    for key, each in zip(keys, maps, strict=True):
        shaped[key] = np.zeros((*visible.shape, *each.shape[1:]), np.float32)
        shaped[key][visible] = each
    return output, shaped


def _evidence(volume: DiscVolume, row: int, seen: _Seen, heatmaps: PixelArray) -> list[CropEvidence]:
    """The slices of one series; one that fills several places stands once, weights sum to 1."""
    total = float(seen.weights[row].sum()) or 1.0
    found: dict[tuple[int, Box], CropEvidence] = {}
    for place, crop in enumerate(volume.slots):
        if crop is None:
            continue
        weight, heatmap = float(seen.weights[row, place]) / total, heatmaps[row, place]
        before = found.get((crop.slice_index, crop.box_rc))
        if before is not None:
            weight, heatmap = weight + before.weight, np.maximum(heatmap, before.heatmap)
        found[crop.slice_index, crop.box_rc] = CropEvidence(
            volume.role, volume.series_id, crop.slice_index, crop.box_rc, weight, heatmap
        )
    return list(found.values())
