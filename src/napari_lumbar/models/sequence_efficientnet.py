"""One EfficientNetV2-S per MR sequence (Mysuru, "Classification of Degenerative Lumbar Spine Conditions").

The paper puts whole slices of 224 x 224, grey repeated to three channels and scaled by ImageNet's statistics,
through EfficientNetV2-S, freezes its first layers and replaces the last one. It answers per level, but says
nowhere how a network that pools a whole slice knows which of the five discs is meant.
Encoder: timm's ``tf_efficientnetv2_s`` (Apache-2.0; its ImageNet weights are never needed here). Own code.

Deviations. A softmax over three severities stands for the binary answer. A level token beside averaged
features only shifts the answer by a constant: all levels of a slice would share one piece of evidence. So the
level asks with its own attention over the cells of the last feature map, whose learned offsets say where on a
slice this level usually lies; token and attended features make the answer. ``pooling="average"`` is the
published pooling, with one last layer per level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import timm
import torch
from torch import Tensor, nn

N_SEVERITIES, N_LEVELS = 3, 5
#: Of ImageNet's grey values, mean of the three channels: what timm's encoders were trained with.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class SequenceConfig:
    """Sizes of a ``SequenceEfficientNet``.

    Parameters
    ----------
    size
        Height and width of the images.
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    pooling
        ``level``: each level attends to its own cells; ``average``: all cells, one last layer per level.
    heatmap_layer
        The encoder's layer whose features make the heatmap.
    window_mm
        Side of a square around the landmark that is seen instead of the whole slice; None for the slice.
    """

    size: int = 224
    encoder: str = "tf_efficientnetv2_s"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    pooling: Literal["level", "average"] = "level"
    token_width: int = 16
    dropout: float = 0.2
    heatmap_layer: str = "blocks.4"
    window_mm: float | None = None


class LevelSlices(NamedTuple):
    """What a network sees: images (B, 1, H, W) in 0..1, and the ranks of their levels, (B,), 0..4."""

    images: Tensor
    levels: Tensor


class SequenceOutput(NamedTuple):
    """What one pass gives.

    Parameters
    ----------
    logits
        (B, 3).
    attention
        (B, h, w): how much each cell of the last feature map counts, summing to 1.
    """

    logits: Tensor
    attention: Tensor


class SequenceEfficientNet(nn.Module):
    """``LevelSlices`` -> ``SequenceOutput``."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Any = timm.create_model(
            config.encoder, pretrained=False, num_classes=0, global_pool="", **config.encoder_options
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head: _LevelAttention | _LevelHeads
        width, cells = int(self.encoder.num_features), self._cells()
        self.head = _LevelAttention(width, cells, config) if config.pooling == "level" else _LevelHeads(width)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        self._frozen: list[nn.Module] = []

    @property
    def heatmap_layer(self) -> nn.Module:
        """The encoder's layer whose features make the heatmap."""
        return self.encoder.get_submodule(self.config.heatmap_layer)

    def freeze(self, layers: tuple[str, ...]) -> None:
        """Keep these layers of the encoder as they are: weights, and what their normalisations measured."""
        self._frozen = [self.encoder.get_submodule(name).requires_grad_(False) for name in layers]
        self.train(self.training)

    def train(self, mode: bool = True) -> SequenceEfficientNet:
        """Switch to training or back; frozen layers stay in use."""
        super().train(mode)
        for layer in self._frozen:
            layer.eval()
        return self

    def forward(self, seen: LevelSlices) -> SequenceOutput:
        """Grade slices, each at its level."""
        images, levels = seen
        coloured = (images.expand(-1, 3, -1, -1) - self.mean) / self.std
        features = self.encoder(coloured.contiguous(memory_format=torch.channels_last))
        logits, attention = self.head(self.dropout(features), levels)
        return SequenceOutput(logits, attention)

    def _cells(self) -> tuple[int, int]:
        """Height and width of the last feature map."""
        was_training = self.encoder.training
        with torch.no_grad():
            # One pass in evaluation mode, so that no running mean remembers the blank image.
            shape = self.encoder.eval()(torch.zeros(1, 3, self.config.size, self.config.size)).shape
        self.encoder.train(was_training)
        return int(shape[-2]), int(shape[-1])


class _LevelAttention(nn.Module):
    """Features (B, F, h, w) and levels -> logits, attention; the level looks for its own place."""

    def __init__(self, width: int, cells: tuple[int, int], config: SequenceConfig) -> None:
        super().__init__()
        self.ask = nn.Conv2d(width, N_LEVELS, 1)
        self.place = nn.Parameter(_along_the_spine(cells))
        self.token = nn.Embedding(N_LEVELS, config.token_width)
        self.classify = nn.Linear(width + config.token_width, N_SEVERITIES)

    def forward(self, features: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        every = torch.arange(len(levels), device=levels.device)
        scores = self.ask(features)[every, levels] + self.place[levels]
        attention = scores.float().flatten(1).softmax(-1).view_as(scores)
        pooled = (features * attention[:, None]).sum((-2, -1))
        return self.classify(torch.cat([pooled, self.token(levels)], dim=-1)), attention


class _LevelHeads(nn.Module):
    """Features (B, F, h, w) and levels -> logits, attention; all cells alike, a last layer per level."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.classify = nn.Linear(width, N_LEVELS * N_SEVERITIES)

    def forward(self, features: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        every = torch.arange(len(levels), device=levels.device)
        answers = self.classify(features.mean((-2, -1))).view(-1, N_LEVELS, N_SEVERITIES)
        return answers[every, levels], torch.full_like(features[:, 0], 1 / features[0, 0].numel())


def _along_the_spine(cells: tuple[int, int]) -> Tensor:
    """First guess of where levels lie on a slice, shape (5, h, w): spread from top to bottom, any column."""
    rows = (torch.arange(cells[0]) + 0.5) / cells[0]
    centres = (torch.arange(N_LEVELS) + 1.0) / (N_LEVELS + 1)
    scores = -(((rows[None] - centres[:, None]) / 0.15) ** 2) / 2
    return scores[:, :, None].expand(-1, -1, cells[1]).contiguous()
