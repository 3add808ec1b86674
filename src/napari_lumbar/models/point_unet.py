"""U-Net whose mask holds one blob per level: stage 1 of M-SCAN (sagittal canal points).

Published: a U-Net with a ResNet50 encoder (the code has timm's ``resnet50d``), decoder 256/128/64/32/16,
512 x 512, softmax over five points and the background. The network comes from segmentation-models-pytorch
(MIT) with encoders of timm (Apache-2.0); the published code has no licence and none of it is used.
Deviation: ``tiny`` has a ten-layer ResNet with a quarter of the usual channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from ..domain.spine import Level

#: Class of the background; those before it are the levels in their order.
BACKGROUND = len(Level)


@dataclass(frozen=True)
class PointUNetConfig:
    """Sizes of a ``PointUNet``.

    Parameters
    ----------
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    decoder
        Channels of the decoder, from the deepest stage up.
    size
        Side of the square image in pixels, a multiple of 32.
    """

    encoder: str = "resnet50d"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    decoder: tuple[int, ...] = (256, 128, 64, 32, 16)
    size: int = 512


class PointUNet(nn.Module):
    """Images (B, 1, size, size) in 0..1 -> logits (B, 6, size, size): five levels, then the background."""

    def __init__(self, config: PointUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = _unet(config)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of each pixel."""
        return self.unet(image)


def _unet(config: PointUNetConfig) -> nn.Module:
    try:
        from segmentation_models_pytorch import Unet  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise ImportError(
            "the U-Net of M-SCAN needs segmentation-models-pytorch; pip install 'napari-lumbar[train]'"
        ) from error
    return Unet(
        f"tu-{config.encoder}",
        encoder_weights=None,
        encoder_depth=len(config.decoder),
        decoder_channels=config.decoder,
        in_channels=1,
        classes=BACKGROUND + 1,
        **config.encoder_options,
    )
