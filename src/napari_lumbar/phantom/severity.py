"""Severities of the 25 findings: how often each occurs, and which occur together.

Frequencies per condition and level come from the 1,974 graded studies of the RSNA 2024 Lumbar Spine
Degenerative Classification tables. Correlations are a Gaussian copula (conditions x levels), whose
latent values were set so that the sampled severities show the tables' correlations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from scipy.special import ndtri

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


def sample_severities(rng: np.random.Generator, balanced: bool = False) -> Mapping[FindingKey, Severity]:
    """Draw the severities of one study.

    Parameters
    ----------
    rng
        Source of randomness.
    balanced
        Draw every severity with probability one third, independently of each other.
    """
    if balanced:
        draws = rng.integers(0, len(Severity), len(ALL_FINDINGS))
        return {key: Severity(int(d)) for key, d in zip(ALL_FINDINGS, draws, strict=True)}
    latent = _latent_factor() @ rng.standard_normal(len(ALL_FINDINGS))
    ranks = (latent[:, None] > _latent_thresholds()).sum(axis=1)
    return {key: Severity(int(rank)) for key, rank in zip(ALL_FINDINGS, ranks, strict=True)}
