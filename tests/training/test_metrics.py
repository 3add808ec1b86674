from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import ALL_FINDINGS, ConditionGroup
from napari_lumbar.models.lstm_mil import MilOutput
from napari_lumbar.training.losses import OUTSIDE, mil_loss
from napari_lumbar.training.metrics import (
    NO_SKILL_LOG_LOSS,
    accuracy,
    balanced_accuracy,
    bootstrap,
    brier_score,
    expected_calibration_error,
    log_loss_share,
    macro_auroc,
    mean_set_size,
    prior_log_loss,
    rank_correlation,
    rsna_score,
    set_coverage,
    weighted_log_loss,
)

#: Grade rates of the RSNA tables, the best constant answer and what it scores.
ANCHORS = [
    ((0.856, 0.097, 0.047), (0.691, 0.156, 0.153), 0.832),
    ((0.779, 0.182, 0.039), (0.599, 0.280, 0.121), 0.919),
    ((0.708, 0.194, 0.098), (0.476, 0.260, 0.264), 1.055),
]


def labels_of(rates: tuple[float, ...]) -> np.ndarray:
    return np.repeat([0, 1, 2], [round(1000 * r) for r in rates])


@pytest.mark.parametrize(("rates", "best", "score"), ANCHORS)
def test_constant_answers_score_what_the_tables_say(
    rates: tuple[float, ...], best: tuple[float, ...], score: float
) -> None:
    labels = labels_of(rates)
    constant = np.tile(best, (len(labels), 1))
    assert weighted_log_loss(constant, labels) == pytest.approx(score, abs=0.002)
    assert prior_log_loss(labels) == pytest.approx(score, abs=0.002)
    assert log_loss_share(constant, labels) == pytest.approx(1, abs=0.003)
    assert weighted_log_loss(np.ones((len(labels), 3)), labels) == pytest.approx(1.0986, abs=1e-4)
    assert pytest.approx(1.0986, abs=1e-4) == NO_SKILL_LOG_LOSS


def test_perfect_and_blind_answers() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert macro_auroc(np.eye(3)[labels], labels) == 1
    assert macro_auroc(np.ones((6, 3)) / 3, labels) == pytest.approx(0.5)
    assert balanced_accuracy(np.eye(3)[labels], labels) == 1
    assert balanced_accuracy(np.eye(3)[np.zeros(6, int)], labels) == pytest.approx(1 / 3)


def test_auroc_counts_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 30)
    severe = rng.integers(0, 5, 30) / 5  # with ties
    probs = np.stack([np.zeros(30), 1 - severe, severe], axis=1)
    pairs = [(a > b) + (a == b) / 2 for a in severe[labels == 1] for b in severe[labels == 0]]
    inverse = np.stack([severe, 1 - severe, np.zeros(30)], axis=1)  # class 1 falls, class 0 rises
    assert macro_auroc(inverse, labels) == pytest.approx(1 - np.mean(pairs))
    assert macro_auroc(probs, labels * 2) == pytest.approx((np.mean(pairs) + 0.5) / 2)


def test_one_severity_alone_has_no_auroc() -> None:
    assert np.isnan(macro_auroc(np.ones((4, 3)) / 3, np.zeros(4, int)))
    assert np.isnan(log_loss_share(np.ones((4, 3)) / 3, np.zeros(4, int)))


def output(logits: torch.Tensor, scores: torch.Tensor) -> MilOutput:
    return MilOutput(logits, (logits,), (scores.softmax(-1),), (scores,), logits)


def test_the_loss_agrees_with_the_metric() -> None:
    logits, labels = torch.randn(30, 3), torch.arange(30) % 3
    graded = torch.nn.functional.one_hot(labels, 3).float()
    losses = mil_loss(output(logits, torch.zeros(30, 5)), graded, torch.full((30, 1), OUTSIDE))
    expected = weighted_log_loss(logits.softmax(-1).double().numpy(), labels.numpy())
    assert float(losses["grade"]) == pytest.approx(expected, abs=1e-5)
    assert float(losses["place"]) == 0


def test_the_auxiliary_loss_wants_the_annotated_slice() -> None:
    scores = torch.zeros(1, 5)
    scores[0, 3] = 9.0
    logits, label = torch.zeros(1, 3), torch.tensor([[1.0, 0.0, 0.0]])
    right = mil_loss(output(logits, scores), label, torch.tensor([[3]]))["place"]
    wrong = mil_loss(output(logits, scores), label, torch.tensor([[1]]))["place"]
    assert right < 0.01 < 5 < wrong


def test_calibration_counts_overconfidence_and_not_honest_doubt() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    honest = np.tile([0.8, 0.1, 0.1], (5, 1))
    boastful = np.tile([1.0, 0.0, 0.0], (5, 1))
    assert expected_calibration_error(honest, labels) == pytest.approx(0)
    assert expected_calibration_error(boastful, labels) == pytest.approx(0.2)


def test_gaps_of_different_bins_do_not_cancel() -> None:
    probs = np.array([[0.9, 0.1, 0.0]] * 2 + [[0.5, 0.3, 0.2]] * 2)
    labels = np.array([0, 1, 0, 0])  # sure and right once in two; unsure and always right
    assert expected_calibration_error(probs, labels) == pytest.approx((0.4 + 0.5) / 2)


def test_brier_and_accuracy() -> None:
    labels = np.array([0, 1, 2])
    assert brier_score(np.eye(3), labels) == 0
    assert brier_score(np.ones((3, 3)) / 3, labels) == pytest.approx(2 / 3)
    assert accuracy(np.eye(3)[[0, 1, 1]], labels) == pytest.approx(2 / 3)


def test_prediction_sets_are_counted_and_measured() -> None:
    sets = np.array([[True, True, False], [False, True, False], [True, True, True]])
    assert set_coverage(sets, np.array([0, 2, 2])) == pytest.approx(2 / 3)
    assert mean_set_size(sets) == 2


def test_rank_correlation_knows_order_only() -> None:
    widths = np.array([5.0, 7.0, 11.0, 30.0])
    assert rank_correlation(np.exp(-widths), widths) == pytest.approx(-1)
    assert np.isnan(rank_correlation(np.ones(4), widths))


def test_bootstrap_draws_whole_studies() -> None:
    rng = np.random.default_rng(3)
    studies = [np.full(25, value) for value in rng.normal(0, 1, 40)]
    interval = bootstrap(studies, lambda drawn: float(np.concatenate(drawn).mean()))
    half_width = (interval.high - interval.low) / 2
    # 25 equal findings per study say no more than one: 1.96 / sqrt(40), not 1.96 / sqrt(1000).
    assert half_width == pytest.approx(1.96 / np.sqrt(40), rel=0.25)
    assert interval.low < interval.value < interval.high
    assert interval == bootstrap(studies, lambda drawn: float(np.concatenate(drawn).mean()))


def test_a_figure_of_nothing_is_no_number() -> None:
    assert np.isnan(bootstrap([], lambda _: 1.0).value)


def rsna_labels(**severities: int) -> np.ndarray:
    """One study's labels, all normal but some findings."""
    return np.array([[severities.get(key.column, 0) for key in ALL_FINDINGS]])


def test_equal_probabilities_score_the_log_of_three() -> None:
    score = rsna_score(np.ones((1, 25, 3)), rsna_labels(spinal_canal_stenosis_l4_l5=2))
    assert (score.canal, score.foraminal, score.subarticular) == pytest.approx([np.log(3)] * 3)
    assert score.any_severe_canal == pytest.approx(np.log(3))
    assert score.mean == pytest.approx(np.log(3))


def test_any_severe_takes_the_greatest_probability_and_the_weight_of_the_worst_label() -> None:
    probs = np.tile([0.8, 0.1, 0.1], (3, 25, 1))
    canal = [i for i, key in enumerate(ALL_FINDINGS) if key.condition.group is ConditionGroup.CANAL]
    probs[0, canal[3]] = [0.1, 0.2, 0.7]
    labels = np.concatenate(
        [
            rsna_labels(spinal_canal_stenosis_l1_l2=2),
            rsna_labels(spinal_canal_stenosis_l1_l2=1),
            rsna_labels(),
        ]
    )
    expected = -(4 * np.log(0.7) + 2 * np.log(0.9) + np.log(0.9)) / 7
    assert rsna_score(probs, labels).any_severe_canal == pytest.approx(expected)


def test_findings_without_a_label_count_for_nothing() -> None:
    probs = np.tile([0.8, 0.1, 0.1], (2, 25, 1))
    labels = np.concatenate([rsna_labels(), np.full((1, 25), -1)])
    probs[1] = [0.0, 0.0, 1.0]
    score = rsna_score(probs, labels)
    assert score.canal == pytest.approx(-np.log(0.8))
    assert score.any_severe_canal == pytest.approx(-np.log(0.9))


def test_a_group_that_nobody_graded_has_no_score() -> None:
    labels = np.array([[0 if key.condition.group is ConditionGroup.CANAL else -1 for key in ALL_FINDINGS]])
    score = rsna_score(np.ones((1, 25, 3)), labels)
    assert score.canal == pytest.approx(np.log(3))
    assert np.isnan(score.foraminal)
    assert np.isnan(score.mean)
    nothing = rsna_score(np.ones((1, 25, 3)), np.full((1, 25), -1))
    assert np.isnan(nothing.any_severe_canal)
