"""M-SCAN: the canal of all five levels from a sagittal and three axial crops per level (stage 3).

Frozen crop encoders -> 512 features; the sagittal ones through a Bi-GRU over the levels, the axial ones
through an LSTM over the three slices of a level and a Bi-GRU over the levels; two cross attentions, spatial
dropout, concatenation, a fully connected layer, and one head per level. Own code after the paper; the
published code (Deep-learning-exp/M-SCAN) has no licence. What is published has flaws; here they are mended:

- its attention is built sequence-first and fed batch-first with a batch of one, so it attends over one token
  and the levels never meet: here it runs over the five levels;
- only the last level's token feeds its one linear layer for all levels: here each level has its own token
  and head, as the paper says;
- levels come in the order of an unsorted directory listing: here from L1/L2 to L5/S1.

Own decisions: each token is added to what it attends to, or a level would have to find itself again among
five; crops that are missing are a learnt token that no attention looks at, and a study without any axial
crop gets zeros in the place of what its sagittal tokens would have attended to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..domain.spine import Level
from .crop_grader import N_SEVERITIES, CropEncoder, CropGraderConfig

#: Axial slices of a level.
AXIAL_SLICES = 3


@dataclass(frozen=True)
class MscanConfig:
    """Sizes of an ``Mscan``, and the parts that the paper's ablations leave out.

    Parameters
    ----------
    sagittal, axial
        The crop encoders.
    width
        Length of a token.
    layers, heads
        Of the recurrent networks, and of each attention.
    dropout
        Share of features that the spatial dropout blanks at all levels alike.
    views
        ``both``, or the sagittal crops alone.
    recurrent
        Whether tokens pass through GRU and LSTM; without, axial slices are averaged.
    attention
        Whether the views attend to each other before they are joined.
    """

    sagittal: CropGraderConfig = field(default_factory=CropGraderConfig)
    axial: CropGraderConfig = field(default_factory=CropGraderConfig)
    width: int = 512
    layers: int = 2
    heads: int = 2
    dropout: float = 0.1
    views: Literal["both", "sagittal"] = "both"
    recurrent: bool = True
    attention: bool = True


class MscanInput(NamedTuple):
    """What is seen of B studies, from L1/L2 to L5/S1.

    Parameters
    ----------
    sagittal
        (B, 5, 1, H, W).
    axial
        (B, 5, 3, 1, H, W), slices from cranial to caudal.
    seen
        Whether the sagittal and the axial crops of a level are there, boolean (B, 5, 2).
    """

    sagittal: Tensor
    axial: Tensor
    seen: Tensor


class MscanOutput(NamedTuple):
    """``logits`` (B, 5, 3), and ``features`` (B, 5, width) that they are computed from."""

    logits: Tensor
    features: Tensor


class Mscan(nn.Module):
    """``MscanInput`` -> ``MscanOutput``. The encoders stay in evaluation mode, whatever is trained."""

    def __init__(self, config: MscanConfig) -> None:
        super().__init__()
        self.config = config
        both = config.views == "both"
        self.sagittal = View(config, config.sagittal, slices=1)
        self.axial = View(config, config.axial, slices=AXIAL_SLICES) if both else None
        self.fuse = _CrossAttention(config) if both and config.attention else None
        self.dropout = nn.Dropout1d(config.dropout)
        self.join = nn.Linear(config.width * (2 if both else 1), config.width)
        self.heads = nn.ModuleList(nn.Linear(config.width, N_SEVERITIES) for _ in Level)

    @property
    def views(self) -> dict[str, View]:
        """What looks at the crops, by view."""
        return {"sagittal": self.sagittal} | ({} if self.axial is None else {"axial": self.axial})

    def train(self, mode: bool = True) -> Mscan:
        """Set the mode of everything but the encoders: their statistics stay as stage 2 left them."""
        super().train(mode)
        for view in self.views.values():
            view.encoder.eval()
        return self

    def heatmap_layers(self) -> list[nn.Module]:
        """Per view, the encoder's layer whose features make the heatmap."""
        return [view.encoder.heatmap_layer for view in self.views.values()]

    def forward(self, shown: MscanInput) -> MscanOutput:
        """Grade the canal of all levels."""
        tokens = [self.sagittal(shown.sagittal[:, :, None], shown.seen[..., 0])]
        if self.axial is not None:
            tokens.append(self.axial(shown.axial, shown.seen[..., 1]))
        if self.fuse is not None:
            tokens = list(self.fuse(tokens[0], tokens[1], shown.seen))
        # A feature is blanked at all levels alike: the published SpatialDropout.
        dropped = [self.dropout(one.transpose(1, 2)).transpose(1, 2) for one in tokens]
        features = functional.relu(self.join(torch.cat(dropped, dim=-1)))
        logits = [head(features[:, i]) for i, head in enumerate(self.heads)]
        return MscanOutput(torch.stack(logits, dim=1), features)


class View(nn.Module):
    """Crops (B, 5, S, 1, H, W), seen (B, 5) -> tokens (B, 5, width)."""

    def __init__(self, config: MscanConfig, crops: CropGraderConfig, slices: int) -> None:
        super().__init__()
        self.encoder = CropEncoder(crops)
        self.missing = nn.Parameter(torch.zeros(crops.features))
        width, recurrent = config.width, config.recurrent
        several = recurrent and slices > 1
        self.slices = _lstm(crops.features, width, config.layers) if several else None
        first = width if several else crops.features
        self.levels = _gru(first, width, config.layers) if recurrent else nn.Linear(first, width)

    def forward(self, crops: Tensor, seen: Tensor) -> Tensor:
        """One token per level."""
        features = self.encoder(crops.flatten(0, 2)).unflatten(0, crops.shape[:3])
        features = torch.where(seen[..., None, None], features, self.missing)
        levels = self._joined(features)
        tokens = self.levels(levels)
        return tokens[0] if isinstance(tokens, tuple) else tokens

    def _joined(self, features: Tensor) -> Tensor:
        """One token per level from those of its slices."""
        if self.slices is None:
            return features.mean(2)
        _, (last, _) = self.slices(features.flatten(0, 1))
        return torch.cat([last[-2], last[-1]], dim=-1).unflatten(0, features.shape[:2])


class _CrossAttention(nn.Module):
    """Sagittal and axial tokens (B, 5, width), seen (B, 5, 2) -> both after they looked at each other."""

    def __init__(self, config: MscanConfig) -> None:
        super().__init__()
        self.sagittal = nn.MultiheadAttention(config.width, config.heads, batch_first=True)
        self.axial = nn.MultiheadAttention(config.width, config.heads, batch_first=True)

    def forward(self, sagittal: Tensor, axial: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        from_sagittal = _attended(self.sagittal, axial, sagittal, seen[..., 0])
        from_axial = _attended(self.axial, sagittal, axial, seen[..., 1])
        return axial + from_sagittal, sagittal + from_axial


def _attended(attention: nn.Module, query: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
    """What the queries find among the keys that are there; zeros where none is."""
    any_seen = seen.any(1)
    hidden = ~seen & any_seen[:, None]  # a row of nothing but hidden keys has no softmax
    found, _ = attention(query, keys, keys, key_padding_mask=hidden, need_weights=False)
    return found * any_seen[:, None, None]


def _lstm(inputs: int, width: int, layers: int) -> nn.LSTM:
    return nn.LSTM(inputs, width // 2, num_layers=layers, bidirectional=True, batch_first=True)


def _gru(inputs: int, width: int, layers: int) -> nn.GRU:
    return nn.GRU(inputs, width // 2, num_layers=layers, bidirectional=True, batch_first=True)
