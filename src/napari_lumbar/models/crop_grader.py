"""Severity of the canal from a single crop: stage 2 of M-SCAN, whose encoders stage 3 keeps frozen.

Published: "a variant of EfficientNet" on crops with CLAHE; the code has timm's ``efficientnetv2_rw_t`` with
one channel at 384 x 384. Stage 3 reads 512 features of it; here they come from the linear layer below the
severities. Encoder of timm (Apache-2.0). Own code. Deviation: ``tiny`` has a ten-layer ResNet with a quarter
of the usual channels, because an EfficientNet of that size learns nothing from scratch in the time a CPU has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import timm
from torch import Tensor, nn
from torch.nn import functional

N_SEVERITIES = 3


@dataclass(frozen=True)
class CropGraderConfig:
    """Sizes of a ``CropGrader``.

    Parameters
    ----------
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    heatmap_layer
        The encoder's layer whose features make the heatmap.
    size
        Side of the square crop in pixels.
    features
        Length of what stage 3 reads.
    """

    encoder: str = "efficientnetv2_rw_t"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    heatmap_layer: str = "blocks.2"
    size: int = 384
    features: int = 512
    dropout: float = 0.1


class CropEncoder(nn.Module):
    """Crops (B, 1, size, size) in 0..1, equalised -> features (B, F)."""

    def __init__(self, config: CropGraderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Any = timm.create_model(
            config.encoder,
            pretrained=False,
            in_chans=1,
            num_classes=config.features,
            **config.encoder_options,
        )

    @property
    def heatmap_layer(self) -> nn.Module:
        """The layer whose features make the heatmap."""
        return self.encoder.get_submodule(self.config.heatmap_layer)

    def forward(self, crops: Tensor) -> Tensor:
        """Features of each crop."""
        return self.encoder(crops)


class CropGrader(nn.Module):
    """Crops (B, 1, size, size) in 0..1, equalised -> logits of the severities (B, 3)."""

    def __init__(self, config: CropGraderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = CropEncoder(config)
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(config.features, N_SEVERITIES)

    def forward(self, crops: Tensor) -> Tensor:
        """Grade crops."""
        return self.classify(self.dropout(functional.relu(self.encoder(crops))))
