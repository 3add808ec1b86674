"""How narrow each of the 25 places is, and what a reader says about it.

Frequencies per condition and level come from the 1,974 graded studies of the RSNA 2024 Lumbar Spine
Degenerative Classification tables. Correlations are a Gaussian copula (conditions x levels), whose
latent values were set so that the sampled severities show the tables' correlations.

Narrowness is counted in *grades*: below 0 a faultless reader says normal/mild, from 0 to 1 moderate, above
1 severe. A real reader sees the place a little narrower or wider than it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from ..domain.geometry import FloatArray
from ..domain.spine import ALL_FINDINGS, FindingKey, Level, Severity

#: Latent correlation of two conditions at one level, in the order of ``Condition``.
#: right foramen, right recess, canal, left recess, left foramen.
CONDITION_CORRELATION: Final = (
    (1.00, 0.53, 0.45, 0.45, 0.55),
    (0.53, 1.00, 0.74, 0.69, 0.45),
    (0.45, 0.74, 1.00, 0.74, 0.45),
    (0.45, 0.69, 0.74, 1.00, 0.53),
    (0.55, 0.45, 0.45, 0.53, 1.00),
)
#: Latent correlation of one condition at neighbouring levels; falls off geometrically.
LEVEL_CORRELATION: Final = 0.66
#: How far a reader misses the narrowness of a place, in grades (standard deviation). Two such readers agree
#: with a kappa of 0.70 (0.76 linearly weighted).
READER_SD_GRADES: Final = 0.3


@dataclass(frozen=True)
class Reading:
    """A spine's narrow places and what a reader said.

    Parameters
    ----------
    severities
        What the reader said, for all 25 findings.
    narrowness
        What the anatomy is, in grades: 0 and 1 are the borders of the severities.
    """

    severities: Mapping[FindingKey, Severity]
    narrowness: Mapping[FindingKey, float]


@cache
def severity_frequencies() -> Mapping[FindingKey, tuple[float, float, float]]:
    """Probability of each severity, in the order of ``Severity``, for each finding."""
    text = resources.files(__package__).joinpath("severity_frequencies.json").read_text("utf-8")
    table = json.loads(text)["frequencies"]
    return {key: tuple(table[key.column]) for key in ALL_FINDINGS}


@cache
def _latent_factor() -> FloatArray:
    ranks = np.arange(len(Level))
    levels = LEVEL_CORRELATION ** np.abs(ranks[:, None] - ranks)
    # ALL_FINDINGS runs through the levels of one condition before the next one.
    return np.linalg.cholesky(np.kron(np.array(CONDITION_CORRELATION), levels))


@cache
def _latent_thresholds() -> FloatArray:
    """Latent values above which a finding is moderate, and severe, shape (25, 2)."""
    table = severity_frequencies()
    cumulated = np.cumsum([table[key] for key in ALL_FINDINGS], axis=1)
    return np.asarray(ndtri(cumulated[:, :2]), dtype=np.float64)


def sample_reading(rng: np.random.Generator, balanced: bool = False) -> Reading:
    """Draw the narrow places of one study and a reader's answer.

    Parameters
    ----------
    rng
        Source of randomness.
    balanced
        Draw every severity with probability one third, independently of each other.
    """
    low, high = _latent_thresholds().T
    latent = _balanced_latent(rng) if balanced else _latent_factor() @ rng.standard_normal(len(ALL_FINDINGS))
    seen = (latent - low) / (high - low)
    narrowness = seen + READER_SD_GRADES * rng.standard_normal(len(ALL_FINDINGS))
    severities = (seen > 0).astype(int) + (seen > 1)
    return Reading(
        {key: Severity(int(s)) for key, s in zip(ALL_FINDINGS, severities, strict=True)},
        {key: float(n) for key, n in zip(ALL_FINDINGS, narrowness, strict=True)},
    )


def reader_probabilities(narrowness: FloatArray, sd_grades: float = READER_SD_GRADES) -> FloatArray:
    """How likely a reader who misses by ``sd_grades`` says each severity, shape (n,) in grades -> (n, 3)."""
    worse = ndtr((np.asarray(narrowness)[:, None] - np.array([0.0, 1.0])) / sd_grades)
    return np.stack([1 - worse[:, 0], worse[:, 0] - worse[:, 1], worse[:, 1]], axis=1)


def _balanced_latent(rng: np.random.Generator) -> FloatArray:
    """Normal deviates, each restricted to a severity drawn with probability one third, shape (25,)."""
    borders = np.pad(ndtr(_latent_thresholds()), ((0, 0), (1, 1)), constant_values=(0.0, 1.0))
    classes = rng.integers(0, len(Severity), len(ALL_FINDINGS))
    rows = np.arange(len(ALL_FINDINGS))
    low, high = borders[rows, classes], borders[rows, classes + 1]
    return np.asarray(ndtri(rng.uniform(low, high)), dtype=np.float64)
