"""Points by regression from one image: stages 1b and 1c of the multistage system.

Panditrao et al. (first-place RSNA 2024 solution): an image encoder, global average pooling, one ``Linear(2)``
per point and a sigmoid, trained with L1. On sagittal images three neighbouring slices are the channels and
the points are the five levels; on axial images one slice is, and the points are the left and right recess.
Published encoders are ``convnext_base`` and ``tf_efficientnetv2_l`` of timm (Apache-2.0); no weights are
loaded here (those that timm offers were trained on ImageNet, whose terms are for non-commercial research).
Own code. The published code sees 384 x 384 pixels, the paper says 512 x 512; here it is 384.
Deviations: points are (row, column), as everywhere here; ``tiny`` pools a grid of places instead of all of
the image at once, because in short time a small encoder that starts from chance learns places only so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import timm
from torch import Tensor, nn


@dataclass(frozen=True)
class PointRegressorConfig:
    """Sizes of a ``PointRegressor``.

    Parameters
    ----------
    points
        How many points are asked for.
    in_channels
        3 for a slice between its neighbours, 1 for a slice alone.
    size
        The image is (B, in_channels, size, size).
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    pooled
        Features are averaged over a grid of so many by so many cells; 1 is the published global average.
    """

    points: int
    in_channels: int = 3
    size: int = 384
    encoder: str = "convnext_base"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    pooled: int = 1


class PointRegressor(nn.Module):
    """(B, C, H, W) in 0..1 -> (B, points, 2): (row, column), relative to the image's outer borders, 0..1."""

    def __init__(self, config: PointRegressorConfig) -> None:
        super().__init__()
        self.config = config
        whole = {} if config.pooled == 1 else {"global_pool": ""}
        self.encoder: Any = timm.create_model(
            config.encoder,
            pretrained=False,
            in_chans=config.in_channels,
            num_classes=0,
            **config.encoder_options,
            **whole,
        )
        self.pool = nn.Identity() if config.pooled == 1 else nn.AdaptiveAvgPool2d(config.pooled)
        width = int(self.encoder.num_features) * config.pooled**2
        # One matrix product in place of ``points`` small ones; the same numbers.
        self.place = nn.Linear(width, 2 * config.points)

    def forward(self, image: Tensor) -> Tensor:
        """Return the points."""
        features = self.pool(self.encoder(image)).flatten(1)
        return self.place(features).unflatten(-1, (self.config.points, 2)).sigmoid()
