"""One-stage detector of the five discs on a sagittal slice.

M-SCAN finds its levels with YOLOv8 (Ultralytics, AGPL-3.0), whose licence does not fit. Deviation: FCOS
(Tian et al., arXiv:1904.01355), also without anchor boxes, with the head and the feature pyramid of
torchvision (BSD-3-Clause) on an encoder of timm (Apache-2.0). Assignment and losses follow the FCOS paper.
Places are the middles of the cells, as in the FCOS paper; torchvision has their corners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from ..domain.spine import Level


@dataclass(frozen=True)
class LevelDetectorConfig:
    """Sizes of a ``LevelDetector``.

    Parameters
    ----------
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    stages
        The encoder's stages that feed the pyramid.
    coarser
        Whether two coarser maps are put on top of the pyramid, as FCOS has it.
    width
        Channels of the pyramid, a multiple of 32.
    depth
        Convolutions in each branch of the head.
    size
        Side of the square image in pixels.
    """

    encoder: str = "resnet50"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[int, ...] = (2, 3, 4)
    coarser: bool = True
    width: int = 256
    depth: int = 4
    size: int = 512


class DetectorOutput(NamedTuple):
    """What the head says at each of P places of an image.

    Parameters
    ----------
    levels
        Logits of the levels, (B, P, 5).
    centredness
        Logit of how much a place is the middle of its box, (B, P).
    boxes
        (left, top, right, bottom) in pixels of the image, (B, P, 4).
    places
        (x, y, stride) of each place, (P, 3).
    """

    levels: Tensor
    centredness: Tensor
    boxes: Tensor
    places: Tensor

    @property
    def scores(self) -> Tensor:
        """Score of each level at each place, 0..1, (B, P, 5), as torchvision has it."""
        return (self.levels.float().sigmoid() * self.centredness.float().sigmoid()[..., None]).sqrt()


class LevelDetector(nn.Module):
    """Images (B, 1, size, size) in 0..1 -> ``DetectorOutput``."""

    def __init__(self, config: LevelDetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Any = timm.create_model(
            config.encoder,
            pretrained=False,
            in_chans=1,
            features_only=True,
            out_indices=config.stages,
            **config.encoder_options,
        )
        widths, width = self.encoder.feature_info.channels(), config.width
        top = LastLevelP6P7(width, width) if config.coarser else None
        self.pyramid = FeaturePyramidNetwork(widths, width, top)
        self.head = FCOSHead(width, num_anchors=1, num_classes=len(Level), num_convs=config.depth)

    def forward(self, image: Tensor) -> DetectorOutput:
        """Look at every place of every map of the pyramid."""
        features = {str(i): one for i, one in enumerate(self.encoder(image))}
        maps = list(self.pyramid(features).values())
        places = torch.cat([_places(one, image.shape[-1]) for one in maps])
        said = self.head(maps)
        reach = said["bbox_regression"].float() * places[:, 2:]  # the head counts in strides
        x, y = places[:, 0], places[:, 1]
        left, top, right, bottom = reach.unbind(-1)
        boxes = torch.stack([x - left, y - top, x + right, y + bottom], dim=-1)
        return DetectorOutput(said["cls_logits"], said["bbox_ctrness"].squeeze(-1), boxes, places)


def _places(features: Tensor, size: int) -> Tensor:
    """(x, y, stride) of every cell of a map, row by row."""
    stride = size / features.shape[-1]
    rows = (torch.arange(features.shape[-2], device=features.device) + 0.5) * stride
    columns = (torch.arange(features.shape[-1], device=features.device) + 0.5) * stride
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x.flatten(), y.flatten(), torch.full_like(x, stride).flatten()], dim=-1)
