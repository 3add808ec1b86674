"""The losses of stage 2, as the first-place RSNA 2024 solution trains it (Panditrao et al.)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..models.lstm_mil import MilOutput

#: RSNA's weights of normal/mild, moderate and severe.
CLASS_WEIGHTS = (1.0, 2.0, 4.0)
PLANE_WEIGHT = 0.5
#: The annotated slice lies outside the bag: no target for the auxiliary attention.
OUTSIDE = -100


def mil_loss(output: MilOutput, severity: Tensor, slice_places: Tensor) -> dict[str, Tensor]:
    """Weighted cross-entropy, the same per plane at half weight, and the auxiliary slice loss.

    Parameters
    ----------
    severity
        Class of each bag, shape (B,).
    slice_places
        Place of the annotated slice in each plane's bag, shape (B, planes), or ``OUTSIDE``.
    """
    weights = torch.tensor(CLASS_WEIGHTS, device=severity.device)
    grade = functional.cross_entropy(output.logits, severity, weight=weights)
    planes = sum(functional.cross_entropy(logits, severity, weight=weights) for logits in output.plane_logits)
    classes = (grade + PLANE_WEIGHT * planes) / (1 + PLANE_WEIGHT * len(output.plane_logits))
    place = sum(
        _slice_loss(scores, slice_places[:, i]) for i, scores in enumerate(output.slice_scores)
    ) / len(output.slice_scores)
    return {"loss": classes + place, "grade": grade, "place": torch.as_tensor(place)}


def _slice_loss(scores: Tensor, places: Tensor) -> Tensor:
    known = places != OUTSIDE
    if not known.any():
        return scores.sum() * 0
    return functional.cross_entropy(scores[known], places[known])
