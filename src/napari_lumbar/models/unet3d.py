"""A 3-D U-Net that ends in features instead of a mask (Cicek et al., arXiv:1606.06650).

Published: convolutions of 3 x 3 x 3, widths doubled on the way down, skips to the way up. Own code.
Deviations: poolings leave the few, thick slices of a view apart (1 x 2 x 2); group instead of batch
normalisation, because batches are small; the mean of the bottom and that of the last map are the features.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class UNet3d(nn.Module):
    """Views (B, S, H, W) -> features (B, F); H and W must be multiples of 2 to the number of poolings."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 256)) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise((1, *widths)))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairwise(widths))
        self.num_features = widths[-1] + widths[0]

    def forward(self, views: Tensor) -> Tensor:
        """Features of views."""
        x, skips = views[:, None], []
        for i, block in enumerate(self.down):
            x = block(functional.max_pool3d(x, (1, 2, 2)) if i else x)
            skips.append(x)
        bottom = skips.pop()
        x = bottom
        for block in reversed(self.up):
            skip = skips.pop()
            larger = functional.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = block(torch.cat([skip, larger], dim=1))
        return torch.cat([bottom.mean((2, 3, 4)), x.mean((2, 3, 4))], dim=1)


def _block(before: int, after: int) -> nn.Sequential:
    groups = min(8, after)
    return nn.Sequential(
        nn.Conv3d(before, after, 3, padding=1, bias=False),
        nn.GroupNorm(groups, after),
        nn.ReLU(),
        nn.Conv3d(after, after, 3, padding=1, bias=False),
        nn.GroupNorm(groups, after),
        nn.ReLU(),
    )
