from __future__ import annotations

import pytest
import torch

from napari_lumbar.domain.landmarks import Landmark
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.models.grade_calibration import GradeCalibration, GradeCalibrationConfig
from napari_lumbar.pipeline.judge import judged

KEY = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
MARK = Landmark(KEY, (0.0, 0.0, 0.0), "t2", 3, (4.0, 5.0), 0.9)
GOOD = torch.tensor([0.2, 0.5, 0.3]).log()


@pytest.mark.parametrize("calibration", [None, GradeCalibration(GradeCalibrationConfig(features=0))])
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(torch.full((3,), float("nan")), id="nan"),
        pytest.param(torch.tensor([float("inf"), -1.0, -1.0]), id="inf"),
        pytest.param(torch.tensor([-float("inf")] * 3), id="nothing"),
        pytest.param(torch.tensor([0.0, 0.0, 0.0]), id="sums to 3"),
        pytest.param(torch.tensor([3.0, -1.0, 0.5]), id="logits"),
    ],
)
def test_one_answer_that_is_no_probability_leaves_the_finding_ungraded(
    bad: torch.Tensor, calibration: GradeCalibration | None
) -> None:
    """Never argmax: of three NaN it is the first class, normal/mild."""
    finding = judged(MARK, torch.stack([GOOD, bad])[:, None], None, calibration, ())
    assert finding.severity is None
    assert finding.not_gradable is not None
    assert finding.not_gradable.code == "no_probabilities"
    assert finding.landmark == MARK
    assert finding.evidence == ()


def test_probabilities_are_graded() -> None:
    finding = judged(MARK, torch.stack([GOOD, GOOD])[:, None], None, None, ())
    assert finding.probs is not None
    assert finding.probs.as_tuple == pytest.approx((0.2, 0.5, 0.3))
    certain = judged(MARK, torch.tensor([[[0.0, -float("inf"), -float("inf")]]]), None, None, ())
    assert certain.probs is not None
    assert certain.probs.as_tuple == (1, 0, 0)
