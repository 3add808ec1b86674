"""Severities follow the tables they were taken from."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.phantom import sample_severities, severity_frequencies

N = 3000


@pytest.fixture(scope="module")
def drawn() -> dict[FindingKey, np.ndarray]:
    rng = np.random.default_rng(5)
    studies = [sample_severities(rng) for _ in range(N)]
    return {key: np.array([int(s[key]) for s in studies]) for key in ALL_FINDINGS}


@pytest.mark.parametrize("key", ALL_FINDINGS, ids=lambda key: key.column)
def test_frequencies_follow_the_table(drawn: dict[FindingKey, np.ndarray], key: FindingKey) -> None:
    expected = np.array(severity_frequencies()[key])
    found = np.bincount(drawn[key], minlength=3) / N
    margin = 4 * np.sqrt(expected * (1 - expected) / N) + 1e-3
    assert (np.abs(found - expected) < margin).all()


# Correlations of the RSNA grades (0, 1, 2) over all levels, from the same tables.
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Condition.SPINAL_CANAL_STENOSIS, Condition.LEFT_SUBARTICULAR_STENOSIS, 0.517),
        (Condition.SPINAL_CANAL_STENOSIS, Condition.LEFT_NEURAL_FORAMINAL_NARROWING, 0.270),
        (Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, 0.416),
        (Condition.LEFT_SUBARTICULAR_STENOSIS, Condition.RIGHT_SUBARTICULAR_STENOSIS, 0.556),
        (Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Condition.LEFT_SUBARTICULAR_STENOSIS, 0.395),
    ],
)
def test_conditions_go_together(
    drawn: dict[FindingKey, np.ndarray], one: Condition, other: Condition, expected: float
) -> None:
    def pooled(condition: Condition) -> np.ndarray:
        return np.concatenate([drawn[FindingKey(condition, level)] for level in Level])

    assert np.corrcoef(pooled(one), pooled(other))[0, 1] == pytest.approx(expected, abs=0.08)


def test_balanced_severities_are_thirds() -> None:
    rng = np.random.default_rng(6)
    counts = np.bincount([s for _ in range(400) for s in sample_severities(rng, balanced=True).values()])
    np.testing.assert_allclose(counts / counts.sum(), np.full(len(Severity), 1 / 3), atol=0.02)
