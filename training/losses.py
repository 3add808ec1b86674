"""The losses of stage 2, as the first-place RSNA 2024 solution trains it (Panditrao et al.)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..models.lstm_mil import MilOutput

#: RSNA's weights of normal/mild, moderate and severe.
CLASS_WEIGHTS = (1.0, 2.0, 4.0)
PLANE_WEIGHT = 0.5
#: The annotated slice lies outside the bag: no target for the auxiliary attention.
OUTSIDE = -100


#: How much the grading attention itself is pulled to the annotated slice; the published code does not.
ATTENTION_WEIGHT = 0.3


@dataclass(frozen=True)
class MilWeights:
    """How much each part of ``mil_loss`` counts besides the grade.

    Parameters
    ----------
    planes
        What each plane says alone.
    slices
        Auxiliary attention at the annotated slice, mean over the planes.
    attention
        Grading attention at the annotated slice, mean over the planes.
    """

    planes: float = PLANE_WEIGHT
    slices: float = 1.0
    attention: float = ATTENTION_WEIGHT


def mil_loss(
    output: MilOutput, severity: Tensor, slice_places: Tensor, weights: MilWeights = MilWeights()
) -> dict[str, Tensor]:
    """Weighted cross-entropy, the same per plane, and the slice losses.

    Parameters
    ----------
    severity
        Probability of each severity of each bag, shape (B, 3): one-hot where a reader graded it, softer
        where it was measured.
    slice_places
        Place of the annotated slice in each plane's bag, shape (B, planes), or ``OUTSIDE``.
    """
    grade = weighted_cross_entropy(output.logits, severity)
    planes = sum(weighted_cross_entropy(logits, severity) for logits in output.plane_logits)
    classes = (grade + weights.planes * planes) / (1 + weights.planes * len(output.plane_logits))
    count = len(output.slice_scores)
    place = sum(_slice_loss(s, slice_places[:, i]) for i, s in enumerate(output.slice_scores)) / count
    attention = (
        sum(_slice_loss(w.clamp_min(1e-6).log(), slice_places[:, i]) for i, w in enumerate(output.weights))
        / count
    )
    return {
        "loss": classes + weights.slices * place + weights.attention * attention,
        "grade": grade,
        "place": torch.as_tensor(place),
        "attention": torch.as_tensor(attention),
    }


def weighted_cross_entropy(logits: Tensor, severity: Tensor) -> Tensor:
    """Cross-entropy with RSNA's weights of the severities; logits and probabilities of shape (..., 3)."""
    weighted = severity * torch.tensor(CLASS_WEIGHTS, device=severity.device)
    return -(weighted * logits.float().log_softmax(-1)).sum() / weighted.sum()


def _slice_loss(scores: Tensor, places: Tensor) -> Tensor:
    known = places != OUTSIDE
    if not known.any():
        return scores.sum() * 0
    return functional.cross_entropy(scores[known].float(), places[known])
