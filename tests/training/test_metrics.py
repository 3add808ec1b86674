from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_lumbar.models.lstm_mil import MilOutput
from napari_lumbar.training.losses import OUTSIDE, mil_loss
from napari_lumbar.training.metrics import (
    NO_SKILL_LOG_LOSS,
    balanced_accuracy,
    macro_auroc,
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
    assert weighted_log_loss(np.ones((len(labels), 3)), labels) == pytest.approx(1.0986, abs=1e-4)
    assert pytest.approx(1.0986, abs=1e-4) == NO_SKILL_LOG_LOSS


def test_perfect_and_blind_answers() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert macro_auroc(np.eye(3)[labels], labels) == 1
    assert macro_auroc(np.ones((6, 3)) / 3, labels) == pytest.approx(0.5)
    assert balanced_accuracy(np.eye(3)[labels], labels) == 1
    assert balanced_accuracy(np.eye(3)[np.zeros(6, int)], labels) == pytest.approx(1 / 3)


def test_one_severity_alone_has_no_auroc() -> None:
    assert np.isnan(macro_auroc(np.ones((4, 3)) / 3, np.zeros(4, int)))


def output(logits: torch.Tensor, scores: torch.Tensor) -> MilOutput:
    return MilOutput(logits, (logits,), (scores.softmax(-1),), (scores,))


def test_the_loss_agrees_with_the_metric() -> None:
    logits, labels = torch.randn(30, 3), torch.arange(30) % 3
    losses = mil_loss(output(logits, torch.zeros(30, 5)), labels, torch.full((30, 1), OUTSIDE))
    expected = weighted_log_loss(logits.softmax(-1).double().numpy(), labels.numpy())
    assert float(losses["grade"]) == pytest.approx(expected, abs=1e-5)
    assert float(losses["place"]) == 0


def test_the_auxiliary_loss_wants_the_annotated_slice() -> None:
    scores = torch.zeros(1, 5)
    scores[0, 3] = 9.0
    logits, label = torch.zeros(1, 3), torch.tensor([0])
    right = mil_loss(output(logits, scores), label, torch.tensor([[3]]))["place"]
    wrong = mil_loss(output(logits, scores), label, torch.tensor([[1]]))["place"]
    assert right < 0.01 < 5 < wrong
