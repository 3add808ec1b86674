"""The losses of FCOS (Tian et al., arXiv:1904.01355), for at most one box per level and image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from ..models.level_detector import DetectorOutput

#: How near to a box's middle a place must lie, in strides, and which reach each map is responsible for.
_RADIUS, _LEAST_REACH, _MOST_REACH = 1.5, 4.0, 8.0


def detection_loss(
    output: DetectorOutput, boxes: Tensor, present: Tensor, known: Tensor
) -> dict[str, Tensor]:
    """Focal loss of the levels, generalised IoU of the boxes, cross-entropy of the centredness.

    Parameters
    ----------
    boxes
        (left, top, right, bottom) in pixels, one per level, shape (B, 5, 4).
    present
        Whether the level is on the image, boolean (B, 5).
    known
        Whether that is known, boolean (B, 5); a level where it is not teaches nothing.
    """
    targets = _assigned(output.places, boxes, present & known)  # (B, P, 5), at most one level per place
    count = targets.sum().clamp_min(1)
    focal = sigmoid_focal_loss(output.levels.float(), targets.float())
    levels = (focal * known[:, None]).sum() / count
    image, place, level = targets.nonzero(as_tuple=True)
    true, found = boxes[image, level], output.boxes[image, place]
    overlap = generalized_box_iou_loss(found, true, reduction="sum") / count
    centred = functional.binary_cross_entropy_with_logits(
        output.centredness[image, place].float(), _centredness(output.places[place], true), reduction="sum"
    )
    return {
        "loss": levels + overlap + centred / count,
        "levels": levels,
        "boxes": overlap,
        "centredness": centred / count,
    }


def _reach(places: Tensor, boxes: Tensor) -> Tensor:
    """Distances from places to the left, top, right and bottom of boxes, shape (..., 4)."""
    x, y = places[..., 0], places[..., 1]
    left, top, right, bottom = boxes.unbind(-1)
    return torch.stack([x - left, y - top, right - x, bottom - y], dim=-1)


def _assigned(places: Tensor, boxes: Tensor, present: Tensor) -> Tensor:
    """Which level each place answers for, boolean (B, P, 5)."""
    stride = places[:, 2:]
    reach = _reach(places[None, :, None], boxes[:, None])
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (places[None, :, None, :2] - middle[:, None]).abs().amax(-1)
    longest = reach.amax(-1)
    # The finest map takes whatever is smaller, the coarsest whatever is larger.
    least = torch.where(stride == stride.min(), 0.0, _LEAST_REACH * stride)
    most = torch.where(stride == stride.max(), torch.inf, _MOST_REACH * stride)
    match = (distance < _RADIUS * stride) & (reach.amin(-1) > 0) & (longest > least) & (longest <= most)
    match &= present[:, None]
    distance = torch.where(match, distance, torch.inf)
    nearest = functional.one_hot(distance.argmin(-1), boxes.shape[1]).bool()
    return match & nearest


def _centredness(places: Tensor, boxes: Tensor) -> Tensor:
    left, top, right, bottom = _reach(places, boxes).unbind(-1)
    across = torch.minimum(left, right) / torch.maximum(left, right)
    down = torch.minimum(top, bottom) / torch.maximum(top, bottom)
    return (across * down).sqrt()
