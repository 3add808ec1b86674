"""Severities follow the tables they were taken from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.phantom import reader_probabilities, sample_reading, severity_frequencies

N = 3000


@pytest.fixture(scope="module")
def drawn() -> dict[FindingKey, np.ndarray]:
    rng = np.random.default_rng(5)
    studies = [sample_reading(rng).severities for _ in range(N)]
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
    counts = np.bincount(
        [s for _ in range(400) for s in sample_reading(rng, balanced=True).severities.values()]
    )
    np.testing.assert_allclose(counts / counts.sum(), np.full(len(Severity), 1 / 3), atol=0.02)


def test_a_reader_sees_the_anatomy_nearly_as_it_is() -> None:
    rng = np.random.default_rng(7)
    readings = [sample_reading(rng) for _ in range(300)]
    said = np.array([s for r in readings for s in r.severities.values()])
    true = np.array([(n > 0) + (n > 1) for r in readings for n in r.narrowness.values()])
    assert 0.85 < (said == true).mean() < 0.97
    assert (np.abs(said - true) == 2).mean() < 0.002


def test_readers_agree_where_the_anatomy_is_clear() -> None:
    said = reader_probabilities(np.array([-3.0, 0.0, 0.5, 1.0, 4.0]))
    np.testing.assert_allclose(said.sum(axis=1), 1)
    np.testing.assert_allclose(said[[0, 4], [0, 2]], 1, atol=1e-6)
    np.testing.assert_allclose(said[1, 0], 0.5, atol=1e-9)
    np.testing.assert_allclose(said[2], said[2, ::-1])


def test_two_readers_agree_as_well_as_it_is_said() -> None:
    rng, first, second = np.random.default_rng(5), [], []
    for _ in range(400):
        reading = sample_reading(rng)
        narrowness = np.array([reading.narrowness[key] for key in ALL_FINDINGS])
        first += [int(reading.severities[key]) for key in ALL_FINDINGS]
        second += [int(rng.choice(3, p=p / p.sum())) for p in reader_probabilities(narrowness)]
    assert cohen_kappa_score(first, second) == pytest.approx(0.70, abs=0.03)
    assert cohen_kappa_score(first, second, weights="linear") == pytest.approx(0.76, abs=0.03)


def test_an_unsure_reader_says_less_about_a_clear_place_and_the_same_about_a_border() -> None:
    sure, unsure = (reader_probabilities(np.array([0.0, -0.6]), sd) for sd in (0.3, 0.6))
    assert sure[0, 0] == pytest.approx(0.5) == unsure[0, 0]
    assert unsure[1, 0] == pytest.approx(0.841, abs=1e-3)  # one standard deviation from the border
    assert sure[1, 0] == pytest.approx(0.977, abs=1e-3)
