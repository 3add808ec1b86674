"""Slices of up to three series of one disc as tokens of one transformer: all five severities in one pass.

Park, Windsor, Jamaludin, Zisserman, "Multi-View and Multimodal Radiological Grading Using Spinal MRIs"
(section 2). Its code was not found; own code from the text. The ResNet comes from timm (Apache-2.0), without
pretrained weights, as published.
Where the text leaves a choice: three encoder layers with two attention heads each (the six heads of the paper
are the linear ones: five severities and the level); normalisation after each residual, feed-forward of 2048
with ReLU and dropout 0.1, as PyTorch's own layer has them; the class token is prepended, and carries no
embedding but its own. View means sagittal or axial: T1 and T2 are told apart by their pixels alone, as
published. Deviations: tokens of slices that are not there are masked instead of left out, and the encoder
never sees them; the level embedding can be dropped, because with it the level head has nothing to find;
slices may answer alone as well, for training: a small encoder from chance learns what to look for far sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..domain.errors import BundleError
from ..domain.spine import Condition, Level
from ..domain.study import SeriesRole

#: What the heads answer, in order.
CONDITIONS = (
    Condition.SPINAL_CANAL_STENOSIS,
    Condition.LEFT_NEURAL_FORAMINAL_NARROWING,
    Condition.RIGHT_NEURAL_FORAMINAL_NARROWING,
    Condition.LEFT_SUBARTICULAR_STENOSIS,
    Condition.RIGHT_SUBARTICULAR_STENOSIS,
)
#: Places in ``CONDITIONS`` once left and right are exchanged.
MIRRORED = (0, 2, 1, 4, 3)
N_SEVERITIES, N_VIEWS = 3, 2


@dataclass(frozen=True)
class MultiviewConfig:
    """Sizes of a ``MultiviewTransformer``.

    Parameters
    ----------
    roles
        Values of the ``SeriesRole`` the network may see, in the order of its volumes; fewer for an ablation.
    shape
        (slices, height, width) of a volume.
    encoder, encoder_options
        A timm architecture and its keyword arguments; its features are as wide as the tokens.
    layers, heads, feedforward, dropout
        Of the transformer.
    knows_level
        Whether every slice is told its level.
    answers_by_slice
        Whether each slice alone answers for the five severities too (``MultiviewOutput.slice_logits``).
    heatmap_layer
        The encoder's layer whose features make the heatmap.
    """

    roles: tuple[str, ...] = tuple(role.value for role in SeriesRole)
    shape: tuple[int, int, int] = (9, 112, 224)
    encoder: str = "resnet18"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    layers: int = 3
    heads: int = 2
    feedforward: int = 2048
    dropout: float = 0.1
    knows_level: bool = True
    answers_by_slice: bool = False
    heatmap_layer: str = "layer2"


class Sight(NamedTuple):
    """What is seen of B discs in M series of S slices.

    Parameters
    ----------
    volumes
        (B, M, S, H, W), 0..1.
    visible
        (B, M, S) bool: which slices are there.
    levels
        (B,) ranks of the levels.
    """

    volumes: Tensor
    visible: Tensor
    levels: Tensor


class MultiviewOutput(NamedTuple):
    """Everything one pass gives.

    Parameters
    ----------
    logits
        (B, 5, 3) in the order of ``CONDITIONS``.
    level_logits
        (B, 5).
    weights
        (B, M, S): how far the class token looks at each slice in the last layer, mean of the heads; 0 where
        a slice is not there.
    features
        (B, D): the class token that the logits are computed from.
    slice_logits
        (B, M, S, 5, 3): what each slice says alone, before it knows of the others; None if none is asked.
    """

    logits: Tensor
    level_logits: Tensor
    weights: Tensor
    features: Tensor
    slice_logits: Tensor | None = None


class MultiviewTransformer(nn.Module):
    """``Sight`` -> ``MultiviewOutput``.

    Raises
    ------
    BundleError
        If the configuration names an unknown role, or the width cannot be divided among the heads.
    """

    def __init__(self, config: MultiviewConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Any = timm.create_model(
            config.encoder, pretrained=False, in_chans=1, num_classes=0, **config.encoder_options
        )
        width = int(self.encoder.num_features)
        _check(config, width)
        self.order = nn.Linear(config.shape[0], width)
        self.view = nn.Linear(N_VIEWS, width)
        self.level = nn.Linear(len(Level), width) if config.knows_level else None
        self.class_token = nn.Parameter(0.02 * torch.randn(width))
        self.layers = nn.ModuleList(_EncoderLayer(config, width) for _ in range(config.layers))
        # Five linear heads side by side are one matrix.
        answers = len(CONDITIONS) * N_SEVERITIES
        self.grade = nn.Linear(width, answers)
        self.grade_slice = nn.Linear(width, answers) if config.answers_by_slice else None
        self.find_level = nn.Linear(width, len(Level))
        views = [int(SeriesRole(role) is SeriesRole.AXIAL_T2) for role in config.roles]
        self.register_buffer("views", functional.one_hot(torch.tensor(views), N_VIEWS), persistent=False)

    @property
    def n_features(self) -> int:
        """Length of ``MultiviewOutput.features``."""
        return self.grade.in_features

    @property
    def heatmap_layer(self) -> nn.Module:
        """Layer whose features make the heatmap, one per visible slice in the order of ``visible``."""
        module: nn.Module = self.encoder.get_submodule(self.config.heatmap_layer)
        return module

    def forward(self, sight: Sight) -> MultiviewOutput:
        """Grade discs."""
        volumes, visible, levels = sight
        encoded = self._encoded(volumes, visible)
        slices = (encoded + self._embedding(levels)).flatten(1, 2)
        batch = len(slices)
        tokens = torch.cat([self.class_token.expand(batch, 1, -1).to(slices.dtype), slices], dim=1)
        absent = functional.pad(~visible.flatten(1), (1, 0), value=False)
        weights = tokens
        for layer in self.layers:
            tokens, weights = layer(tokens, absent)
        seen = tokens[:, 0]
        return MultiviewOutput(
            logits=_by_condition(self.grade(seen)),
            level_logits=self.find_level(seen),
            weights=weights[:, 0, 1:].reshape(visible.shape),
            features=seen,
            slice_logits=None if self.grade_slice is None else _by_condition(self.grade_slice(encoded)),
        )

    def _encoded(self, volumes: Tensor, visible: Tensor) -> Tensor:
        """Features of the slices that are there, (B, M, S, D); zeros elsewhere."""
        encoded = self.encoder(volumes[visible][:, None])
        tokens = encoded.new_zeros(*visible.shape, encoded.shape[-1])
        tokens[visible] = encoded
        return tokens

    def _embedding(self, levels: Tensor) -> Tensor:
        """Place, view and level, broadcast over (B, M, S, D)."""
        order = self.order(torch.eye(self.config.shape[0], device=levels.device))
        view = self.view(self.views.float())
        known = order + view[:, None]
        if self.level is None:
            return known
        level = self.level(functional.one_hot(levels, len(Level)).float())
        return known + level[:, None, None]


def _by_condition(answers: Tensor) -> Tensor:
    return answers.unflatten(-1, (len(CONDITIONS), N_SEVERITIES))


class _EncoderLayer(nn.Module):
    """PyTorch's encoder layer, which alone does not hand out its attention."""

    def __init__(self, config: MultiviewConfig, width: int) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(width, config.heads, dropout=config.dropout, batch_first=True)
        self.think = nn.Sequential(
            nn.Linear(width, config.feedforward),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feedforward, width),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor, absent: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, D) -> tokens and attention (B, T, T), mean of the heads."""
        attended, weights = self.attend(tokens, tokens, tokens, key_padding_mask=absent)
        tokens = self.norms[0](tokens + self.dropout(attended))
        return self.norms[1](tokens + self.dropout(self.think(tokens))), weights


def _check(config: MultiviewConfig, width: int) -> None:
    known = [role.value for role in SeriesRole]
    if not config.roles or not set(config.roles) <= set(known):
        raise BundleError(f"roles {config.roles} must name one or more of {known}")
    if width % config.heads:
        raise BundleError(
            f"{config.encoder!r} gives {width} features, which {config.heads} attention heads cannot share; "
            "choose a number of heads that divides them"
        )
