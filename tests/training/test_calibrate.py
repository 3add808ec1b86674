"""Fits on made-up answers whose right calibration is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.training.calibrate import (
    GroupRecords,
    conformal_threshold,
    fit_confidence,
    fit_grades,
    fit_vector_scaling,
    is_varied,
    level_log_prior,
    safe_threshold,
    with_grades_of,
)

FLAT = np.zeros((5, 3))


def overconfident(n: int = 6000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True probabilities, log probabilities three times as sharp and shifted, and severities drawn."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.2, (n, 3)) + np.array([1.0, 0.0, -0.5])
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    severities = (rng.random((n, 1)) > true.cumsum(1)[:, :2]).sum(1)
    sharp = 3 * logits + np.array([0.0, 1.0, 2.0])
    return true, sharp - np.log(np.exp(sharp).sum(1, keepdims=True)), severities


def records(log_probs: np.ndarray, severities: np.ndarray) -> GroupRecords:
    rng = np.random.default_rng(0)
    n = len(severities)
    confidence = rng.random(n)
    errors = np.where(rng.random(n) < 0.5 * confidence, 1.0, 20.0)
    features, levels = rng.normal(0, 2, (n, 8)) + 5, rng.integers(0, 5, n)
    seeds = np.arange(n) // 10
    return GroupRecords(log_probs, features, severities, levels, seeds, confidence, errors)


def test_scaling_undoes_overconfidence() -> None:
    _, log_probs, severities = overconfident()
    inverse_temperature, bias = fit_vector_scaling(log_probs, np.zeros((1, 3)), severities)
    assert inverse_temperature == pytest.approx(1 / 3, abs=0.03)
    np.testing.assert_allclose(bias, [0, -1 / 3, -2 / 3], atol=0.12)


def test_at_least_nine_of_ten_sets_hold_the_truth() -> None:
    true, log_probs, severities = overconfident()
    fitted = fit_grades(records(log_probs[:3000], severities[:3000]), FLAT, components=4)
    probs = fitted(torch.from_numpy(log_probs[3000:]).float(), torch.zeros(3000, dtype=torch.int64))
    np.testing.assert_allclose(probs.numpy().mean(0), true[3000:].mean(0), atol=0.02)
    kept = fitted.prediction_set(probs).numpy()
    assert 0.89 < kept[np.arange(3000), severities[3000:]].mean() < 0.95


def test_sets_are_as_wide_as_unusual_looks_need() -> None:
    """Half of the answers say nothing of the truth, as those about an unknown scanner may."""
    _, log_probs, severities = overconfident()
    found = records(log_probs, severities)
    varied = np.array([is_varied(seed) for seed in found.seeds])
    shuffled = found.log_probs.copy()
    shuffled[varied] = np.roll(shuffled[varied], 1, axis=0)
    fitted = fit_grades(replace(found, log_probs=shuffled), FLAT, components=4)
    probs = fitted(torch.from_numpy(shuffled).float(), torch.zeros(len(severities), dtype=torch.int64))
    held = fitted.prediction_set(probs).numpy()[np.arange(len(severities)), severities]
    assert held[varied].mean() == pytest.approx(0.9, abs=0.03)
    assert held[~varied].mean() > 0.93
    with pytest.raises(ValueError, match="wildly varied looks; there are none"):
        fit_grades(replace(found, seeds=2 * found.seeds + 1), FLAT, components=4)


def test_the_threshold_takes_the_finite_sample_rank() -> None:
    of_truth = np.linspace(0.01, 0.99, 99)
    assert conformal_threshold(of_truth) == pytest.approx(of_truth[9])
    assert conformal_threshold(of_truth[:5]) == 0  # too few to rule anything out


def test_thresholds_hold_for_most_draws_of_studies_whose_findings_hang_together() -> None:
    """Each study is as easy as it is: of ten findings, all are alike."""
    rng, held = np.random.default_rng(5), []
    for _ in range(60):
        of_truth, seeds = rng.random(40).repeat(10), np.arange(40).repeat(10)
        held.append(1 - safe_threshold(of_truth, seeds))  # uniform: the share that lies above
    assert np.mean(np.array(held) >= 0.9) > 0.85
    assert np.mean(held) < 0.97


def test_the_unusual_is_strange() -> None:
    _, log_probs, severities = overconfident(500)
    found = records(log_probs, severities)
    fitted = fit_grades(found, FLAT, components=4)
    usual = fitted.strangeness(torch.from_numpy(found.features).float())
    assert float((usual > 1).float().mean()) == pytest.approx(0.01, abs=0.01)
    assert float(fitted.strangeness(torch.full((1, 8), 40.0))) > 2


def test_confidence_becomes_a_share_of_near_landmarks() -> None:
    _, log_probs, severities = overconfident(4000)
    fitted = fit_confidence({ConditionGroup.CANAL: records(log_probs, severities)})
    knots = fitted.knots[ConditionGroup.CANAL]
    assert np.interp(0.8, *knots) == pytest.approx(0.4, abs=0.08)
    assert list(knots[1]) == sorted(knots[1])


def test_networks_that_saw_severities_in_equal_numbers_learn_how_often_each_is_met() -> None:
    """Answers from likelihoods alone, severities drawn with another frequency at each level."""
    rng, n = np.random.default_rng(3), 8000
    levels = rng.integers(0, 5, n)
    prior = level_log_prior(ConditionGroup.SUBARTICULAR)
    np.testing.assert_allclose(np.exp(prior).sum(1), 1, atol=1e-3)
    assert prior[0, 2] < prior[3, 2]  # L1/L2 is seldom severe
    severities = (rng.random((n, 1)) > np.exp(prior).cumsum(1)[levels][:, :2]).sum(1)
    likelihoods = rng.normal(0, 1, (n, 3)) + 1.5 * np.eye(3)[severities]
    log_probs = 1.5 * likelihoods  # of normal deviates 1.5 apart, up to a constant
    log_probs -= np.log(np.exp(log_probs).sum(1, keepdims=True))
    inverse_temperature, bias = fit_vector_scaling(log_probs, prior[levels], severities)
    assert inverse_temperature == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(bias, 0, atol=0.2)


def test_grades_of_one_group_are_calibrated_on_other_phantoms() -> None:
    _, log_probs, severities = overconfident(60)
    usual, varied = records(log_probs[:20], severities[:20]), records(log_probs[20:], severities[20:])
    canal, foramen = ConditionGroup.CANAL, ConditionGroup.FORAMINAL
    mixed = with_grades_of({canal: usual, foramen: usual}, {canal: varied, foramen: varied}, canal)
    assert mixed[foramen] is usual
    assert mixed[canal].log_probs is varied.log_probs
    assert mixed[canal].errors_mm is usual.errors_mm
    assert mixed[canal].confidences is usual.confidences
    assert with_grades_of({canal: usual}, {foramen: varied}, canal) == {canal: usual}
