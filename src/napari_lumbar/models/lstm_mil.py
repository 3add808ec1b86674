"""Bi-LSTM attention MIL over the crops of a bag: stage 2 of the multistage system.

Panditrao et al. (first-place RSNA 2024 solution): one encoder per plane, a two-layer bidirectional LSTM over
the five crops, Tanh attention pooling, and a second, *unshared* attention that is only trained to find the
annotated slice. What the MIL papers call an instance is a crop here.
Encoders come from timm (Apache-2.0). Own code. Deviation: ``tiny`` uses a ten-layer ResNet with a quarter of
the usual channels; a ConvNeXt of that size learnt nothing from scratch in the time a CPU has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn

N_SEVERITIES = 3


@dataclass(frozen=True)
class MilConfig:
    """Sizes of an ``LstmMil``.

    Parameters
    ----------
    planes
        Names of the planes in the order of the bags, for example ``("sagittal", "axial")``.
    encoder, encoder_options
        A timm architecture and its keyword arguments.
    heatmap_layer
        The encoder's layer whose features make the heatmap.
    shapes
        (height, width) of the crops of each plane; None for those of the embedded bundle.
    crops
        Which crops: a key of ``preprocess.crop_tables``.
    recurrent
        False leaves the LSTM out: the encoder's features go straight to the attentions.
    """

    planes: tuple[str, ...]
    encoder: str = "resnet10t"
    encoder_options: Mapping[str, Any] = field(
        default_factory=lambda: {"channels": (16, 32, 64, 128), "stem_width": 16}
    )
    dropout: float = 0.1
    heatmap_layer: str = "layer2"
    shapes: tuple[tuple[int, int], ...] | None = None
    crops: str = "close"
    recurrent: bool = True


class MilOutput(NamedTuple):
    """Everything one pass gives.

    Parameters
    ----------
    logits
        (B, 3).
    plane_logits
        Per plane (B, 3): what each plane says alone.
    weights
        Per plane (B, N): attention over the crops, summing to 1.
    slice_scores
        Per plane (B, N): raw scores of the auxiliary attention.
    features
        (B, D): what the logits are computed from, all planes joined.
    """

    logits: Tensor
    plane_logits: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    slice_scores: tuple[Tensor, ...]
    features: Tensor


class LstmMil(nn.Module):
    """Bags per plane (B, N, 1, H, W) -> ``MilOutput``."""

    def __init__(self, config: MilConfig) -> None:
        super().__init__()
        self.config = config
        planes = [_Plane(config) for _ in config.planes]
        self.planes = nn.ModuleList(planes)
        self._typed_planes = tuple(planes)
        width = planes[0].width
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(width * len(config.planes), N_SEVERITIES)
        # Shared by the planes on purpose: each plane must speak the same language.
        self.classify_plane = nn.Linear(width, N_SEVERITIES)

    def heatmap_layers(self) -> list[nn.Module]:
        """Per plane, the encoder's layer whose features make the heatmap."""
        return [plane.encoder.get_submodule(self.config.heatmap_layer) for plane in self._typed_planes]

    @property
    def encoders(self) -> list[nn.Module]:
        """Per plane, the encoder of its crops."""
        return [plane.encoder for plane in self._typed_planes]

    @property
    def n_features(self) -> int:
        """Length of ``MilOutput.features``."""
        return self.classify.in_features

    def forward(self, bags: tuple[Tensor, ...]) -> MilOutput:
        """Grade bags, one tensor per plane in the order of ``config.planes``."""
        pooled, weights, scores = zip(
            *(plane(bag) for plane, bag in zip(self.planes, bags, strict=True)), strict=True
        )
        features = torch.cat(pooled, dim=-1)
        return MilOutput(
            logits=self.classify(self.dropout(features)),
            plane_logits=tuple(self.classify_plane(p) for p in pooled),
            weights=weights,
            slice_scores=scores,
            features=features,
        )


class _Plane(nn.Module):
    """(B, N, 1, H, W) -> pooled (B, F), weights (B, N), auxiliary scores (B, N)."""

    def __init__(self, config: MilConfig) -> None:
        super().__init__()
        self.encoder: Any = timm.create_model(
            config.encoder, pretrained=False, in_chans=1, num_classes=0, **config.encoder_options
        )
        self.width: int = int(self.encoder.num_features)
        self.lstm = _lstm(self.width, config.dropout) if config.recurrent else None
        self.attention = nn.Sequential(nn.Tanh(), nn.Linear(self.width, 1))
        self.slice_attention = nn.Sequential(nn.Tanh(), nn.Linear(self.width, 1))

    def forward(self, bag: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        tokens = self.encoder(bag.flatten(0, 1)).unflatten(0, bag.shape[:2])
        if self.lstm is not None:
            tokens, _ = self.lstm(tokens)
        weights = self.attention(tokens).squeeze(-1).softmax(-1)
        pooled = (weights[..., None] * tokens).sum(1)
        return pooled, weights, self.slice_attention(tokens).squeeze(-1)


def _lstm(width: int, dropout: float) -> nn.LSTM:
    return nn.LSTM(width, width // 2, num_layers=2, bidirectional=True, batch_first=True, dropout=dropout)
