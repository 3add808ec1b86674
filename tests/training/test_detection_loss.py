"""The losses of the detector: small for the truth, blind to what nobody knows."""

from __future__ import annotations

import torch

from napari_lumbar.models.level_detector import DetectorOutput, LevelDetector, LevelDetectorConfig
from napari_lumbar.training.detection_loss import _assigned, detection_loss

SIZE = 64
BOXES = torch.tensor([[[8.0, 2 + 12 * i, 28, 22 + 12 * i] for i in range(3)] + [[30.0, 30, 50, 50]] * 2])
PRESENT = torch.tensor([[True, False, True, True, False]])
EVERYTHING = torch.ones(1, 5, dtype=torch.bool)


def detector() -> LevelDetector:
    torch.manual_seed(1)
    small = {"channels": (8, 8, 8, 8), "stem_width": 8}
    return LevelDetector(LevelDetectorConfig("resnet10t", small, (3, 4), False, 32, 1, SIZE))


def perfect(places: torch.Tensor) -> DetectorOutput:
    there = _assigned(places, BOXES, PRESENT)
    boxes = BOXES[0][there.float().argmax(-1)]
    return DetectorOutput(torch.where(there, 12.0, -12.0), torch.full(there.shape[:2], 1.0), boxes, places)


def test_the_truth_costs_next_to_nothing() -> None:
    places = detector()(torch.rand(1, 1, SIZE, SIZE)).places
    losses = detection_loss(perfect(places), BOXES, PRESENT, EVERYTHING)
    assert float(losses["levels"]) < 0.01
    assert float(losses["boxes"]) < 0.01


def test_each_present_level_has_a_place_and_no_other() -> None:
    places = detector()(torch.rand(1, 1, SIZE, SIZE)).places
    there = _assigned(places, BOXES, PRESENT)
    assert torch.equal(there.any(1), PRESENT)
    assert there.sum(-1).max() == 1


def test_an_unknown_level_teaches_nothing() -> None:
    output = detector()(torch.rand(1, 1, SIZE, SIZE))
    known = torch.tensor([[True, False, True, True, True]])
    louder = output._replace(levels=output.levels + 5 * torch.tensor([0.0, 1, 0, 0, 0]))
    losses = [detection_loss(one, BOXES, PRESENT, known)["loss"] for one in (output, louder)]
    torch.testing.assert_close(losses[0], losses[1])


def test_an_image_without_levels_has_a_finite_loss() -> None:
    output = detector()(torch.rand(1, 1, SIZE, SIZE))
    loss = detection_loss(output, BOXES, torch.zeros_like(PRESENT), EVERYTHING)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
