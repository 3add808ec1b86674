"""Parts that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class LocalContrast(nn.Module):
    """Subtract the local mean and divide by the local spread, (B, 1, H, W) -> (B, 1, H, W).

    Part of the network, so that training and use cannot differ. It removes the fall-off of surface coils.
    Expects images scaled to 0..1.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, image: Tensor) -> Tensor:
        """Normalise; values end within -3..3."""
        image = image.float()  # variances lose too much in bfloat16
        mean = self._mean(image)
        variance = (self._mean(image * image) - mean * mean).clamp_min(0)
        # The floor keeps the noise of air from being blown up to full contrast.
        return ((image - mean) / (torch.sqrt(variance) + 0.05)).clamp(-3, 3)

    def _mean(self, image: Tensor) -> Tensor:
        # A mean over a clipped rectangle separates into two one-dimensional means: far less work.
        along, pad = self.window, self.window // 2
        down = functional.avg_pool2d(image, (along, 1), stride=1, padding=(pad, 0), count_include_pad=False)
        return functional.avg_pool2d(down, (1, along), stride=1, padding=(0, pad), count_include_pad=False)
