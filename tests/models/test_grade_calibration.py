from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.models.grade_calibration import GradeCalibration, GradeCalibrationConfig


def calibration(least: float = 0.2) -> GradeCalibration:
    fitted = GradeCalibration(GradeCalibrationConfig(features=4, components=2))
    fitted.least_probability.fill_(least)
    fitted.whitening.copy_(torch.eye(2, 4))
    return fitted


def test_a_fresh_calibration_changes_nothing() -> None:
    fresh = GradeCalibration(GradeCalibrationConfig(features=4))
    probs = torch.tensor([[0.2, 0.3, 0.5]])
    torch.testing.assert_close(fresh(probs.log(), torch.tensor([2])), probs)
    assert fresh.prediction_set(probs).all()


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.floats(0, 1))
def test_a_set_holds_the_answer_and_has_no_gap(values: list[float], least: float) -> None:
    probs = torch.tensor([values]) / sum(values)
    kept = calibration(least).prediction_set(probs)[0]
    assert kept[probs[0].argmax()]
    assert kept[1] or not (kept[0] and kept[2])


def test_a_severity_with_a_third_of_the_probability_is_never_ruled_out() -> None:
    kept = calibration(least=0.56).prediction_set(torch.tensor([[0.49, 0.42, 0.09], [0.62, 0.3, 0.08]]))
    assert kept.tolist() == [[True, True, False], [True, False, False]]


def test_strangeness_counts_in_usual_distances() -> None:
    fitted = calibration()
    fitted.usual_distance.fill_(5.0)
    assert float(fitted.strangeness(torch.tensor([[3.0, 4.0, 99.0, 0.0]]))) == pytest.approx(1)


def test_levels_have_priors_of_their_own() -> None:
    fitted = calibration()
    fitted.bias[0] = torch.tensor([2.0, 0.0, -2.0])
    probs = fitted(torch.zeros(2, 3), torch.tensor([0, 3]))
    assert probs[0, 0] > 0.8
    torch.testing.assert_close(probs[1], torch.full((3,), 1 / 3))
