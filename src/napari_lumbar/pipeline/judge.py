"""From what an ensemble says of one finding to its probabilities and how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..domain.findings import (
    SUM_TOLERANCE,
    Certainty,
    CropEvidence,
    Finding,
    SeverityProbs,
    probs_from_array,
)
from ..domain.landmarks import Landmark, NotGradable
from ..domain.spine import ConditionGroup, Level, Severity
from ..models.bundle import Bundle
from ..models.grade_calibration import GradeCalibration

_GRADES = torch.arange(3.0)
#: Never the most probable class of numbers that are no probabilities.
NO_PROBABILITIES = NotGradable(
    "no_probabilities", "a network gave numbers that are no probabilities (not finite, or not summing to 1)"
)
#: What a group's calibration is called in a bundle.
CALIBRATION_NAMES = {
    ConditionGroup.CANAL: "calibration_canal",
    ConditionGroup.FORAMINAL: "calibration_foraminal",
    ConditionGroup.SUBARTICULAR: "calibration_subarticular",
}


def calibrations(bundle: Bundle) -> Mapping[ConditionGroup, GradeCalibration]:
    """The calibrations that a bundle holds."""
    return {
        group: bundle.network(name, GradeCalibration)
        for group, name in CALIBRATION_NAMES.items()
        if name in bundle.networks
    }


def judged(
    landmark: Landmark,
    log_probs: Tensor,
    features: Tensor | None,
    calibration: GradeCalibration | None,
    evidence: Sequence[CropEvidence],
) -> Finding:
    """The finding at ``landmark``; no grade where one answer is no probability. Shapes as in ``judge``."""
    key = landmark.key
    if not are_probabilities(log_probs):
        return Finding(key, None, landmark, not_gradable=NO_PROBABILITIES)
    probs, certainty = judge(log_probs, features, key.level, calibration)
    return Finding(key, probs, landmark, tuple(evidence), certainty=certainty)


def are_probabilities(log_probs: Tensor) -> bool:
    """Whether each answer, shape (..., 3), is finite and sums to 1. The largest of three NaN is the first."""
    sums = log_probs.exp().sum(-1)
    return bool((torch.isfinite(sums) & ((sums - 1).abs() <= SUM_TOLERANCE)).all())


def judge(
    log_probs: Tensor, features: Tensor | None, level: Level, calibration: GradeCalibration | None
) -> tuple[SeverityProbs, Certainty]:
    """Probabilities and certainty of one finding.

    Parameters
    ----------
    log_probs
        Of each network and look, shape (networks, looks, 3).
    features
        What the first network saw, shape (n, D); None where nobody measures strangeness.
    level
        The finding's level: severities are not equally frequent everywhere.
    calibration
        Fitted with the bundle; without it the mean probabilities stand as they are.
    """
    spread = float((log_probs.exp() @ _GRADES).std(correction=0))
    mean = log_probs.mean((0, 1))[None]
    probs = calibrated(mean, level, calibration)
    if calibration is None:
        return probs_from_array(probs[0].numpy()), Certainty(spread=spread)
    kept = calibration.prediction_set(probs)[0]
    certainty = Certainty(tuple(s for s in Severity if kept[s]), spread, _strangeness(features, calibration))
    return probs_from_array(probs[0].numpy()), certainty


def calibrated(log_probs: Tensor, level: Level, calibration: GradeCalibration | None) -> Tensor:
    """Probabilities of mean log probabilities, both of shape (1, 3); as they are without a calibration."""
    if calibration is None:
        return log_probs.softmax(-1)
    probs: Tensor = calibration(log_probs, torch.tensor([level.rank]))
    return probs


def _strangeness(features: Tensor | None, calibration: GradeCalibration) -> float | None:
    if features is None or not calibration.measures_strangeness:
        return None
    return float(calibration.strangeness(features).mean())
