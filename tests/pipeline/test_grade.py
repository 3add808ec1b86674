from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.grade_calibration import GradeCalibration, GradeCalibrationConfig
from napari_lumbar.models.lstm_mil import LstmMil, MilConfig
from napari_lumbar.pipeline.device import resolve_device
from napari_lumbar.pipeline.evidence import _turn_back
from napari_lumbar.pipeline.explain import grade_with_heatmaps
from napari_lumbar.pipeline.grade import Answers, Seen, _Look


def test_heatmaps_are_one_per_crop_and_weights_sum_to_one() -> None:
    torch.manual_seed(1)
    network = LstmMil(MilConfig(planes=("sagittal", "axial"))).eval().requires_grad_(False)
    bags = (torch.rand(1, 5, 1, 64, 112), torch.rand(1, 5, 1, 96, 96))
    output, heatmaps = grade_with_heatmaps(network, bags)
    assert [h.shape for h in heatmaps] == [(1, 5, 8, 14), (1, 5, 12, 12)]
    for heatmap in heatmaps:
        assert heatmap.min() >= 0
        np.testing.assert_allclose(heatmap.max((-2, -1)).round(), heatmap.max((-2, -1)), atol=1e-5)
    assert max(heatmap.max() for heatmap in heatmaps) == pytest.approx(1)
    for weights in output.weights:
        assert float(weights.detach().sum()) == pytest.approx(1, abs=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(network(bags).logits, output.logits.detach())


def test_a_plane_alone_leans_on_how_often_severities_are_met_as_the_finding_does() -> None:
    key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L5_S1)
    calibration = GradeCalibration(GradeCalibrationConfig(features=0))
    calibration.bias[key.level.rank, 0] = 3.0
    bag: Any = SimpleNamespace(role=SeriesRole.AXIAL_T2)
    said = torch.tensor([[[0.1, 0.3, 0.6]], [[0.2, 0.3, 0.5]]]).log()  # of two networks
    answers = Answers(said, (said,), (), torch.zeros(1, 0), ())
    seen = Seen([_Look(key, {"axial": bag}, is_plain=True)], [], answers, answers, ["axial"])
    (plain,), (weighed,) = seen.by_plane(key, None), seen.by_plane(key, calibration)
    assert (plain.role, plain.probs.severity) == (SeriesRole.AXIAL_T2, Severity.SEVERE)
    assert weighed.probs.severity is Severity.NORMAL_MILD
    odds = weighed.probs.normal_mild / weighed.probs.severe
    assert odds == pytest.approx(np.exp(3) * plain.probs.normal_mild / plain.probs.severe)


def test_a_box_is_turned_back_to_the_file_that_is_mirrored() -> None:
    native = SliceGeometry((50, 0, 0), (-1, 0, 0), (0, 1, 0), 1.0, 1.0, rows=40, columns=51)
    turned = SliceGeometry((0, 0, 0), (1, 0, 0), (0, 1, 0), 1.0, 1.0, rows=40, columns=51)
    heat = np.arange(6, dtype=np.float32).reshape(2, 3)
    box, heatmap = _turn_back((5, 10, 9, 20), heat, turned, native)
    assert box == pytest.approx((5, 30, 9, 40))
    np.testing.assert_array_equal(heatmap, heat[:, ::-1])


def test_a_box_is_turned_back_to_the_file_that_is_transposed() -> None:
    turned = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), 2.0, 1.0, rows=40, columns=51)
    native = SliceGeometry((0, 0, 0), (0, 0, -1), (0, 1, 0), 1.0, 2.0, rows=51, columns=40)
    heat = np.arange(6, dtype=np.float32).reshape(2, 3)
    box, heatmap = _turn_back((5, 10, 9, 20), heat, turned, native)
    assert box == pytest.approx((10, 5, 20, 9))
    np.testing.assert_array_equal(heatmap, heat.T)


def test_a_device_that_is_not_there_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(LumbarError, match="finds no CUDA device; use 'auto' or 'cpu'"):
        resolve_device("cuda")
    with pytest.raises(LumbarError, match="'tpu' is none of"):
        resolve_device("tpu")
