"""Figures of merit, as RSNA 2024 and the papers define them, and how sure a figure is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score

from ..domain.spine import ALL_FINDINGS, ConditionGroup
from .losses import CLASS_WEIGHTS

Probs = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Sets = npt.NDArray[np.bool_]

T = TypeVar("T")

CALIBRATION_BINS = 15


def weighted_log_loss(probs: Probs, labels: Labels) -> float:
    """RSNA's log loss of one condition: weights 1, 2, 4 by the true severity; NaN of nothing.

    Parameters
    ----------
    probs
        Shape (n, 3), rows normalised here.
    labels
        Shape (n,), 0..2.
    """
    if len(labels) == 0:
        return float("nan")
    rows = probs / probs.sum(axis=1, keepdims=True)
    true = np.clip(rows[np.arange(len(labels)), labels], 1e-15, 1)
    return float(np.average(-np.log(true), weights=np.array(CLASS_WEIGHTS)[labels]))


def macro_auroc(probs: Probs, labels: Labels) -> float:
    """Mean one-versus-rest AUROC over the severities that occur; NaN if only one does."""
    present = [c for c in range(3) if 0 < (labels == c).sum() < len(labels)]
    if not present:
        return float("nan")
    return float(np.mean([_auroc(probs[:, c], labels == c) for c in present]))


def _auroc(scores: npt.NDArray[np.float64], positive: Sets) -> float:
    """Mann and Whitney's statistic, ties counted half: how often a positive scores above a negative."""
    n = int(positive.sum())
    above = rankdata(scores)[positive].sum() - n * (n + 1) / 2
    return float(above / (n * (len(scores) - n)))


def class_auroc(probs: Probs, labels: Labels, severity: int) -> float:
    """AUROC of one severity against the others; NaN where it never or always occurs."""
    positive = labels == severity
    return _auroc(probs[:, severity], positive) if 0 < positive.sum() < len(labels) else float("nan")


def quadratic_kappa(probs: Probs, labels: Labels) -> float:
    """Cohen's kappa with quadratic weights between the most probable severity and the true one."""
    answers = probs.argmax(axis=1)
    if len(np.unique(np.concatenate([answers, labels]))) < 2:
        return float("nan")
    return float(cohen_kappa_score(labels, answers, weights="quadratic", labels=[0, 1, 2]))


def confusion(probs: Probs, labels: Labels) -> npt.NDArray[np.int64]:
    """How many findings of each true severity (rows) got each answer (columns), shape (3, 3)."""
    counts = np.zeros((3, 3), np.int64)
    np.add.at(counts, (labels, probs.argmax(axis=1)), 1)
    return counts


def reliability(probs: Probs, labels: Labels, bins: int = 10) -> npt.NDArray[np.float64]:
    """Per bin of confidence that holds findings: mean confidence, share right, count; shape (n, 3)."""
    confidence = probs.max(axis=1)
    right = probs.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    rows = [
        (confidence[places == b].mean(), right[places == b].mean(), (places == b).sum())
        for b in range(bins)
        if (places == b).any()
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def balanced_accuracy(probs: Probs, labels: Labels) -> float:
    """Mean recall over the severities that occur."""
    answers = probs.argmax(axis=1)
    return float(np.mean([(answers[labels == c] == c).mean() for c in np.unique(labels)]))


def accuracy(probs: Probs, labels: Labels) -> float:
    """Share of findings whose most probable severity is the true one."""
    return float((probs.argmax(axis=1) == labels).mean())


def expected_calibration_error(probs: Probs, labels: Labels) -> float:
    """Mean gap between the confidence of the answer and how often it is right.

    Of the most probable severity only, in 15 bins of equal width, weighted by their findings
    (Guo et al., arXiv:1706.04599).
    """
    confidence = probs.max(axis=1)
    gap = confidence - (probs.argmax(axis=1) == labels)
    places = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    return float(np.abs(np.bincount(places, weights=gap)).sum() / len(labels))


def brier_score(probs: Probs, labels: Labels) -> float:
    """Mean squared distance to the truth, summed over the severities: 0 to 2, blind answers 2/3."""
    return float(((probs - np.eye(3)[labels]) ** 2).sum(axis=1).mean())


def severity_figures(probs: Probs, labels: Labels) -> dict[str, float]:
    """The figures by which networks are chosen: probabilities (n, 3), labels (n,)."""
    return {
        "log_loss": weighted_log_loss(probs, labels),
        "macro_auroc": macro_auroc(probs, labels),
        "balanced_accuracy": balanced_accuracy(probs, labels),
        "accuracy": accuracy(probs, labels),
    }


def set_coverage(sets: Sets, labels: Labels) -> float:
    """Share of findings whose true severity is in their prediction set; ``sets`` has shape (n, 3)."""
    return float(sets[np.arange(len(labels)), labels].mean())


def mean_set_size(sets: Sets) -> float:
    """Mean number of severities in a prediction set of shape (n, 3): 1 says most, 3 nothing."""
    return float(sets.sum(axis=1).mean())


def rank_correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Spearman's rank correlation of two rows of numbers; NaN where one of them is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first.tolist(), second.tolist()).statistic)


#: What a constant answer scores: equal probabilities, whatever the labels.
NO_SKILL_LOG_LOSS = float(-np.log(1 / 3))


@dataclass(frozen=True)
class RsnaScore:
    """The RSNA 2024 metric and the four terms that it is the mean of; lower is better."""

    canal: float
    foraminal: float
    subarticular: float
    any_severe_canal: float

    @property
    def mean(self) -> float:
        """The score of the challenge."""
        return (self.canal + self.foraminal + self.subarticular + self.any_severe_canal) / 4


def rsna_score(probs: Probs, labels: Labels) -> RsnaScore:
    """The metric of the challenge (its official notebook, rsna-lumbar-metric-71549).

    Parameters
    ----------
    probs
        Shape (studies, 25, 3), findings in the order of ``ALL_FINDINGS``, rows normalised here.
    labels
        Shape (studies, 25), 0..2, or -1 where there is no label: such findings count for nothing. A group
        without any has no loss (NaN), and then there is no mean either.
    """
    rows = probs / probs.sum(axis=2, keepdims=True)

    def of(group: ConditionGroup) -> float:
        places = [i for i, key in enumerate(ALL_FINDINGS) if key.condition.group is group]
        known = labels[:, places] >= 0
        return weighted_log_loss(rows[:, places][known], labels[:, places][known])

    canal = [i for i, key in enumerate(ALL_FINDINGS) if key.condition.group is ConditionGroup.CANAL]
    return RsnaScore(
        of(ConditionGroup.CANAL),
        of(ConditionGroup.FORAMINAL),
        of(ConditionGroup.SUBARTICULAR),
        _any_severe(rows[:, canal, 2], labels[:, canal]),
    )


def _any_severe(severe: Probs, labels: Labels) -> float:
    """One binary term per study: the greatest probability, and the weight of the worst label."""
    graded = (labels >= 0).any(axis=1)
    if not graded.any():
        return float("nan")
    severe, labels = np.where(labels >= 0, severe, 0)[graded], labels[graded]
    worst = labels.max(axis=1)
    of_truth = np.where(worst == 2, severe.max(axis=1), 1 - severe.max(axis=1))
    weights = np.array(CLASS_WEIGHTS)[worst]
    return float(np.average(-np.log(np.clip(of_truth, 1e-15, 1)), weights=weights))


def prior_log_loss(labels: Labels) -> float:
    """What the best constant answer scores on these very labels: no skill, but the frequencies known."""
    weighted = np.bincount(labels, minlength=3) * np.array(CLASS_WEIGHTS)
    return weighted_log_loss(np.tile(weighted / weighted.sum(), (len(labels), 1)), labels)


def log_loss_share(probs: Probs, labels: Labels) -> float:
    """Weighted log loss as a share of the best constant answer's; NaN where one severity stands alone."""
    prior = prior_log_loss(labels)
    return weighted_log_loss(probs, labels) / prior if prior > 0 else float("nan")


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval it would vary in with other patients."""

    value: float
    low: float
    high: float


def bootstrap(
    groups: Sequence[T], statistic: Callable[[Sequence[T]], float], n: int = 1000, seed: int = 0
) -> Interval:
    """The percentile bootstrap of a figure over whole patients or studies.

    Parameters
    ----------
    groups
        What belongs to one patient or study each; drawn as a whole, because its findings resemble
        each other.
    statistic
        The figure of some groups; draws for which it is NaN are left out of the interval.
    n, seed
        How many draws, and what they follow from.
    """
    value = statistic(groups) if groups else float("nan")
    if np.isnan(value):
        return Interval(value, value, value)
    draws = redrawn(groups, statistic, n, seed)
    low, high = np.percentile(draws[~np.isnan(draws)], (2.5, 97.5))
    return Interval(value, float(low), float(high))


def redrawn(
    groups: Sequence[T], statistic: Callable[[Sequence[T]], float], n: int = 1000, seed: int = 0
) -> npt.NDArray[np.float64]:
    """A figure of as many groups drawn with replacement, ``n`` times, shape (n,); see ``bootstrap``."""
    rng = np.random.default_rng(seed)
    return np.array(
        [statistic([groups[i] for i in rng.integers(0, len(groups), len(groups))]) for _ in range(n)]
    )


def graded_figures(probs: Probs, labels: Labels) -> dict[str, float]:
    """``severity_figures`` beside what answers without skill score on the same labels.

    ``no_skill_log_loss`` is the best constant answer's, ``majority_accuracy`` that of always naming the most
    frequent severity. Without any label every answer is as good as a blind one.
    """
    if len(labels) == 0:
        return {"log_loss": NO_SKILL_LOG_LOSS, "no_skill_log_loss": NO_SKILL_LOG_LOSS}
    return {
        **severity_figures(probs, labels),
        "no_skill_log_loss": prior_log_loss(labels),
        "majority_accuracy": float(np.bincount(labels).max() / len(labels)),
    }
