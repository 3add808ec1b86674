"""A bundle calibrated on the studies that its folds never saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import Level
from napari_lumbar.pipeline.judge import judge
from napari_lumbar.training.figures.records import ROW, Rows
from napari_lumbar.training.out_of_fold import fit_rows


def rows(count: int) -> Rows:
    """Findings of every severity, of which the networks are surer than they should be."""
    rng = np.random.default_rng(3)
    made = np.zeros(count, ROW)
    made["truth"], made["level"] = np.arange(count) % 3, np.arange(count) % 5
    said = np.where(rng.random(count) < 0.6, made["truth"], rng.integers(3, size=count))
    made["probs"] = np.where(np.eye(3, dtype=bool)[said], 0.98, 0.01)
    return made


def test_too_few_findings_calibrate_nothing() -> None:
    assert fit_rows(rows(29)) is None
    without_severe = rows(60)
    without_severe["truth"] %= 2
    assert fit_rows(without_severe) is None


def test_answers_that_are_too_sure_are_made_less_so() -> None:
    fitted = fit_rows(rows(300))
    assert fitted is not None
    probs, _ = judge(torch.tensor([[[0.98, 0.01, 0.01]]]).log(), None, Level.L4_L5, fitted)
    assert 0.5 < probs.normal_mild < 0.9


def test_a_grader_that_hands_over_features_is_not_told_how_strange_they_are() -> None:
    fitted = fit_rows(rows(300))
    assert fitted is not None
    log_probs, features = torch.zeros(1, 1, 3), torch.ones(1, 128)
    _, certainty = judge(log_probs, features, Level.L4_L5, fitted)
    assert certainty.strangeness is None
    assert certainty.spread == pytest.approx(0)
