"""Parts that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def channels_last(network: nn.Module) -> nn.Module:
    """Lay the weights of 2-D convolutions out so that a CPU needs half the time; the same network."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


class LocalContrast(nn.Module):
    """Subtract the local mean and divide by the local spread, (B, C, H, W) -> the same shape.

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
        # A mean over a clipped rectangle separates into two one-dimensional sums, divided by how much of
        # the window lies inside; convolution is several times faster than pooling on a CPU.
        return self._sum(image) / self._sum(torch.ones_like(image[:1, :1]))

    def _sum(self, image: Tensor) -> Tensor:
        single, pad = image.reshape(-1, 1, *image.shape[-2:]), self.window // 2
        ones = image.new_ones(1, 1, self.window, 1)
        down = functional.conv2d(single, ones, padding=(pad, 0))
        return functional.conv2d(down, ones.transpose(2, 3), padding=(0, pad)).reshape(image.shape)
