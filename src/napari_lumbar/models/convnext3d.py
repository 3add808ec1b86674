"""3-D ConvNeXt that names the slice: stage 1a of the multistage system.

After Liu et al., "A ConvNet for the 2020s" (CVPR 2022, arXiv:2201.03545), carried to 3-D as in the
first-place RSNA 2024 solution (Panditrao et al.): patch stem that keeps the slice axis, GroupNorm,
depthwise (2, 7, 7) kernels, no layer scale, no stochastic depth. Own code.
Deviations: one network carries the classification and the regression heads (the published nets are
separate); ``tiny`` is narrower, sees 64 x 64 pixels and starts with a coarser stem.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class SliceIndexConfig:
    """Sizes of a ``SliceIndexNet``.

    Parameters
    ----------
    heads
        How many indices are asked for: 5 levels, or 10 (right L1/L2 .. L5/S1, left L1/L2 .. L5/S1).
    n_slices, size
        The input is (B, 1, n_slices, size, size); series with fewer slices end in zeros.
    stem
        In-plane patch of the stem.
    """

    heads: int
    n_slices: int = 32
    size: int = 64
    stem: int = 4
    stem_width: int = 16
    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    depths: tuple[int, int, int, int] = (1, 1, 2, 1)


class SliceIndexNet(nn.Module):
    """(B, 1, S, H, W) -> logits (B, heads, S) and relative index (B, heads) in 0..1."""

    def __init__(self, config: SliceIndexConfig) -> None:
        super().__init__()
        self.config = config
        patch = (1, config.stem, config.stem)
        layers: list[nn.Module] = [
            nn.Conv3d(1, config.stem_width, patch, stride=patch),
            nn.GroupNorm(4, config.stem_width),
            nn.Conv3d(config.stem_width, config.widths[0], 1),
        ]
        previous = config.widths[0]
        for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            if stage:
                layers += [nn.GroupNorm(4, previous), nn.Conv3d(previous, width, 2, stride=2)]
            layers += [_Block(width) for _ in range(depth)]
            previous = width
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(previous)
        self.classify = nn.Linear(previous, config.heads * config.n_slices)
        self.regress = nn.Linear(previous, config.heads)

    def forward(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Return classification logits and the regressed relative index."""
        pooled = self.norm(self.features(volume).mean((-3, -2, -1)))
        logits = self.classify(pooled).unflatten(-1, (self.config.heads, self.config.n_slices))
        return logits, self.regress(pooled).sigmoid()


class _PairwiseDepthwise(nn.Module):
    """Depthwise convolution with a (2, 7, 7) kernel, written as two 2-D ones over neighbouring slices.

    The same arithmetic; PyTorch has no fast depthwise 3-D kernel on CPUs.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.this = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.following = nn.Conv2d(width, width, 7, padding=3, groups=width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, slices = x.shape[:3]
        planes = x.transpose(1, 2).flatten(0, 1)  # (B * S, C, H, W)
        here = self.this(planes).unflatten(0, (batch, slices))
        after = self.following(planes).unflatten(0, (batch, slices))
        after = functional.pad(after[:, 1:], (0, 0, 0, 0, 0, 0, 0, 1))  # the last slice has no neighbour
        return (here + after).transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _PairwiseDepthwise(width),
            nn.GroupNorm(4, width),
            nn.Conv3d(width, 4 * width, 1),
            nn.GELU(),
            nn.Conv3d(4 * width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)
