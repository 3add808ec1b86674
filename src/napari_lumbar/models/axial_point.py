"""Regression of points on an axial slice, as M-SCAN places its axial crops.

Published: "a simple CNN with regression"; the code has a ResNet18 with one channel, 512 x 512, mean squared
error, trained on **subarticular** points although canals are cropped. Resolution: the network answers with
both recesses, for those are what RSNA's readers marked on axial slices; the canal's point is their middle.
Encoder of timm (Apache-2.0). Own code. ``tiny`` has a ten-layer ResNet with a quarter of the usual channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import timm
from torch import Tensor, nn

from ..domain.spine import Side

#: Order of the points.
SIDES = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class AxialPointConfig:
    """Sizes of an ``AxialPointNet``.

    Parameters
    ----------
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    size
        Side of the square image in pixels.
    """

    encoder: str = "resnet18"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    size: int = 512


class AxialPointNet(nn.Module):
    """Images (B, 1, size, size) in 0..1 -> (row, column) of both recesses, (B, 2, 2).

    Points are fractions of the image: 0 is its top or left border, 1 the opposite one.
    """

    def __init__(self, config: AxialPointConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Any = timm.create_model(
            config.encoder, pretrained=False, in_chans=1, num_classes=2 * len(SIDES), **config.encoder_options
        )

    def forward(self, image: Tensor) -> Tensor:
        """Points of the patient's left, then right side; never outside the image."""
        return self.encoder(image).float().sigmoid().unflatten(-1, (len(SIDES), 2))
