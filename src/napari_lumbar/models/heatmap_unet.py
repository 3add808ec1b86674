"""Residual 2-D U-Net that gives heatmaps: spatial softmax per named point, sigmoid for the rest.

After U-Net (Ronneberger et al., MICCAI 2015, arXiv:1505.04597) with residual blocks (He et al., CVPR 2016)
and wide depthwise kernels at the bottom (Liu et al., "A ConvNet for the 2020s", CVPR 2022). Own code.
Deviations: the result has half the input's resolution; every *named* channel has an extra "absent" bin,
so that a level outside the image is not forced onto it; a slice may come with its neighbours as channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import LocalContrast

#: Input sizes must be multiples of this (four halvings).
SIZE_MULTIPLE = 16


@dataclass(frozen=True)
class HeatmapUNetConfig:
    """Sizes of a ``HeatmapUNet``.

    Parameters
    ----------
    named
        Channels that locate one named point each, with an absent bin.
    maps
        Channels that mark places independently of each other (sigmoid).
    in_channels
        1, or 3 for a slice between its neighbours.
    widths
        Channels at input resolution and after each halving; four halvings.
    bottom_kernel
        Size of the depthwise kernels at the bottom, which see the whole column of discs.
    contrast_window
        Side of the window of the local contrast normalisation in pixels (odd).
    """

    named: int
    maps: int
    in_channels: int = 1
    widths: tuple[int, int, int, int, int] = (12, 24, 48, 80, 112)
    bottom_kernel: int = 9
    contrast_window: int = 21


class HeatmapUNet(nn.Module):
    """(B, in_channels, H, W) -> logits (B, named + maps, H/2, W/2) and absent logits (B, named)."""

    def __init__(self, config: HeatmapUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.contrast = LocalContrast(config.contrast_window)
        self.stem = nn.Conv2d(config.in_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 2, stride=2), _Residual(b)) for a, b in pairwise(widths)
        )
        self.bottom = nn.Sequential(*(_Wide(widths[-1], config.bottom_kernel) for _ in range(3)))
        # The last skip is at half resolution: the result stays there.
        self.up = nn.ModuleList(_Up(widths[i + 1], widths[i]) for i in (3, 2, 1))
        self.head = nn.Conv2d(widths[1], config.named + config.maps, 1)
        self.absent = nn.Linear(widths[-1], config.named)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return heatmap logits and, for named channels, the logit of being absent."""
        features = [self.stem(self.contrast(image))]
        for block in self.down:
            features.append(block(features[-1]))
        x = self.bottom(features[-1])
        absent = self.absent(x.mean((-2, -1)))
        for block, skip in zip(self.up, features[-2:0:-1], strict=True):
            x = block(x, skip)
        return self.head(x), absent


def named_probabilities(logits: Tensor, absent: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over all places and "absent": (B, K, h, w), (B, K) -> the same shapes, summing to 1."""
    flat = torch.cat([logits.flatten(2), absent[..., None]], dim=-1).float().softmax(-1)
    return flat[..., :-1].reshape(logits.shape), flat[..., -1]


def pad_to_multiple(image: Tensor) -> Tensor:
    """Pad the last two axes at their ends with zeros up to the next multiple of 16."""
    height, width = image.shape[-2:]
    return functional.pad(image, (0, -width % SIZE_MULTIPLE, 0, -height % SIZE_MULTIPLE))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(4, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(4, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(x + self.body(x))


class _Wide(nn.Module):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width),
            nn.GroupNorm(4, width),
            nn.Conv2d(width, 2 * width, 1),
            nn.GELU(),
            nn.Conv2d(2 * width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class _Up(nn.Module):
    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width_in, width_out, 1)
        self.merge = nn.Sequential(nn.Conv2d(2 * width_out, width_out, 1), _Residual(width_out))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.interpolate(self.reduce(x), size=skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.merge(torch.cat([x, skip], dim=1))
