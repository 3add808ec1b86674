"""3-D ConvNeXt that names the slice: stage 1a of the multistage system.

After Liu et al., "A ConvNet for the 2020s" (CVPR 2022, arXiv:2201.03545), carried to 3-D as in the
first-place RSNA 2024 solution (Panditrao et al.): patch stem that keeps the slice axis, GroupNorm,
depthwise (2, 7, 7) kernels, no layer scale, no stochastic depth. Own code.
How the stem's width becomes that of the first stage is not published; a 1 x 1 x 1 convolution does it here.
Deviations: a network may carry both kinds of heads (the published nets have one each: ``NARROW_CLASSES``,
``WIDE_CLASSES``, ``WIDE_PLACES``); ``tiny`` is narrower, sees 64 x 64 pixels and starts with a coarser stem.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from ..domain.errors import BundleError


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
    classifies
        Whether there are heads that name one of the slices.
    regresses
        Values that each regression head gives, 0..1: 1 for the relative index alone, 3 for column, row and
        index, 0 for no such heads.

    Raises
    ------
    BundleError
        If there are no heads, or the values are none of 0, 1 and 3.
    """

    heads: int
    n_slices: int = 32
    size: int = 64
    stem: int = 4
    stem_width: int = 16
    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    depths: tuple[int, int, int, int] = (1, 1, 2, 1)
    classifies: bool = True
    regresses: int = 1

    def __post_init__(self) -> None:
        if self.regresses not in (0, 1, 3) or not (self.classifies or self.regresses):
            raise BundleError(
                f"a slice network that classifies: {self.classifies} and regresses {self.regresses} values "
                "has no heads that anybody knows; regress 0, 1 or 3 values, and not 0 without classifying"
            )


#: The published networks, of five heads.
NARROW_CLASSES = SliceIndexConfig(
    heads=5,
    size=384,
    stem=2,
    stem_width=32,
    widths=(64, 128, 256, 512),
    depths=(3, 3, 9, 3),
    regresses=0,
)
WIDE_CLASSES = replace(NARROW_CLASSES, stem_width=64, widths=(128, 256, 512, 1024))
WIDE_PLACES = replace(WIDE_CLASSES, classifies=False, regresses=3)


class SliceIndexOutput(NamedTuple):
    """What a ``SliceIndexNet`` says.

    Parameters
    ----------
    logits
        (B, heads, S), or None from a network that does not classify.
    places
        (B, heads, regresses) in 0..1, the relative index (slice / S) last, or None from a network that does
        not regress.
    """

    logits: Tensor | None
    places: Tensor | None


class SliceIndexNet(nn.Module):
    """(B, 1, S, H, W) -> ``SliceIndexOutput``."""

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
        heads, values = config.heads, config.regresses
        self.classify = nn.Linear(previous, heads * config.n_slices) if config.classifies else None
        self.regress = nn.Linear(previous, heads * values) if values else None

    def forward(self, volume: Tensor) -> SliceIndexOutput:
        """Return what the heads say that there are."""
        pooled = self.norm(self.features(volume).mean((-3, -2, -1)))
        shape = (self.config.heads, -1)
        return SliceIndexOutput(
            self.classify(pooled).unflatten(-1, shape) if self.classify is not None else None,
            self.regress(pooled).sigmoid().unflatten(-1, shape) if self.regress is not None else None,
        )


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
