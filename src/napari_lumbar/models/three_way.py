"""Images of every series, words about them, and what is asked, in one answer (Abdullah et al.).

"A Novel Approach for a Three-Way Classification of Lumbar Spine Degeneration using Multimodal Architecture"
is a proposal: it names ResNet50, EfficientNet, 3-D U-Net, CLIP and BERT as candidates and a softmax over the
grades, and gives no structure, no sizes and no result. So there is no number to reproduce. Own code; for the
candidates' licences see ``models.fusion_encoders``.

How it is read here: one image encoder and one text vector per series, masked where the series is missing; a
token for the level and one for the condition; all joined, then two layers to three grades ("three-way").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .fusion_encoders import FusionEncoder, image_encoder, text_encoder

N_SEVERITIES, N_LEVELS, N_GROUPS = 3, 5, 3
#: What numbers a text's words may have without a language model's vocabulary (``preprocess.series_text``).
_VOCABULARY = 512


@dataclass(frozen=True)
class ThreeWayConfig:
    """Sizes of a ``ThreeWay``.

    Parameters
    ----------
    roles
        Values of ``SeriesRole``, in the order of the views.
    slices, size, window_mm
        Slices of a view, its height and width in pixels, and its side in millimetres.
    image, image_options
        A candidate of ``fusion_encoders`` and its keyword arguments.
    text, text_options, vocabulary
        Likewise for words, and how many different numbers they may have.
    words
        Numbers of words in a language model's vocabulary; empty for hashed words.
    """

    roles: tuple[str, ...] = ("Sagittal T1", "Sagittal T2/STIR", "Axial T2")
    slices: int = 3
    size: int = 224
    window_mm: float = 60.0
    image: str = "resnet50"
    image_options: Mapping[str, Any] = field(default_factory=dict)
    text: str = "hashed"
    text_options: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: int = _VOCABULARY
    words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    joint_width: int = 128
    token_width: int = 16
    hidden: int = 256
    dropout: float = 0.2


class FindingSight(NamedTuple):
    """What is known of B findings in M series.

    Parameters
    ----------
    views
        (B, M, S, H, W) in 0..1; zeros where a series is missing.
    visible
        (B, M): which series are there.
    texts
        (B, M, T): numbers of words, 0 for none.
    levels, groups
        (B,): rank of the level, 0..4, and place of the condition group, 0..2.
    """

    views: Tensor
    visible: Tensor
    texts: Tensor
    levels: Tensor
    groups: Tensor


class ThreeWay(nn.Module):
    """``FindingSight`` -> logits (B, 3)."""

    def __init__(self, config: ThreeWayConfig) -> None:
        super().__init__()
        self.config = config
        images = [
            image_encoder(config.image, config.slices, config.size, config.image_options)
            for _ in config.roles
        ]
        self.images = nn.ModuleList(images)
        self._typed_images: tuple[FusionEncoder, ...] = tuple(images)
        self.text = text_encoder(config.text, config.vocabulary, config.text_options)
        self.to_joint = nn.ModuleList(nn.Linear(one.width, config.joint_width) for one in images)
        self.level = nn.Embedding(N_LEVELS, config.token_width)
        self.group = nn.Embedding(N_GROUPS, config.token_width)
        joined = len(images) * (config.joint_width + self.text.width + 1) + 2 * config.token_width
        self.fuse = nn.Sequential(
            nn.Linear(joined, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, N_SEVERITIES),
        )

    def heatmap_layers(self) -> list[nn.Module]:
        """Per series, the encoder's layer whose features make the heatmap."""
        return [one.heatmap_layer for one in self._typed_images]

    def forward(self, sight: FindingSight) -> Tensor:
        """Grade findings."""
        views, visible, texts, levels, groups = sight
        there = visible.to(views.dtype)
        parts = [there, self.level(levels), self.group(groups)]
        for i, (encode, project) in enumerate(zip(self.images, self.to_joint, strict=True)):
            shown = there[:, i, None]
            parts.append(project(encode(views[:, i])) * shown)
            parts.append(self.text(texts[:, i]) * shown)
        return self.fuse(torch.cat(parts, dim=-1))
