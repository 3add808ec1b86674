"""Figures of merit, as RSNA 2024 and the papers define them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from .losses import CLASS_WEIGHTS

Probs = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def weighted_log_loss(probs: Probs, labels: Labels) -> float:
    """RSNA's log loss of one condition: weights 1, 2, 4 by the true severity.

    Parameters
    ----------
    probs
        Shape (n, 3), rows normalised here.
    labels
        Shape (n,), 0..2.
    """
    rows = probs / probs.sum(axis=1, keepdims=True)
    true = np.clip(rows[np.arange(len(labels)), labels], 1e-15, 1)
    return float(np.average(-np.log(true), weights=np.array(CLASS_WEIGHTS)[labels]))


def macro_auroc(probs: Probs, labels: Labels) -> float:
    """Mean one-versus-rest AUROC over the severities that occur; NaN if only one does."""
    present = [c for c in range(3) if 0 < (labels == c).sum() < len(labels)]
    if not present:
        return float("nan")
    return float(np.mean([roc_auc_score(labels == c, probs[:, c]) for c in present]))


def balanced_accuracy(probs: Probs, labels: Labels) -> float:
    """Mean recall over the severities that occur."""
    answers = probs.argmax(axis=1)
    return float(np.mean([(answers[labels == c] == c).mean() for c in np.unique(labels)]))


#: What a constant answer scores: equal probabilities, whatever the labels.
NO_SKILL_LOG_LOSS = float(-np.log(1 / 3))
