"""The candidates of the three-way system: encoders of images and of words, by name.

ResNet50 and EfficientNet come from timm (Apache-2.0), CLIP's vision tower and BERT from transformers
(Apache-2.0), the 3-D U-Net is our own code. transformers is imported where a configuration asks for it and
nowhere else; nothing is ever downloaded, all start from random weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import timm
import torch
from torch import Tensor, nn

from ..domain.errors import LumbarError
from .unet3d import UNet3d

Options = Mapping[str, Any]
ImageKind = Literal["resnet50", "efficientnet", "unet3d", "clip", "timm"]
TextKind = Literal["hashed", "bert"]


class FusionEncoder(nn.Module):
    """Views (B, S, H, W) in 0..1 -> features (B, ``width``)."""

    def __init__(self, body: nn.Module, width: int, heatmap_layer: str) -> None:
        super().__init__()
        self.body = body
        self.width = width
        self._heatmap_layer = heatmap_layer

    @property
    def heatmap_layer(self) -> nn.Module:
        """The layer whose features make the heatmap; used once in each pass."""
        return self.body.get_submodule(self._heatmap_layer)

    def forward(self, views: Tensor) -> Tensor:
        """Features of views; slices are channels."""
        centred = (views - 0.45) / 0.225  # about ImageNet's mean and spread, which pretrained encoders expect
        return self._features(centred)

    def _features(self, centred: Tensor) -> Tensor:
        if isinstance(self.body, UNet3d):
            return self.body(centred)
        return self.body(centred.contiguous(memory_format=torch.channels_last))


class _ClipEncoder(FusionEncoder):
    """CLIP's vision tower, pooled as CLIP pools it."""

    def _features(self, centred: Tensor) -> Tensor:
        return self.body(pixel_values=centred).pooler_output


class HashedText(nn.Module):
    """Numbers of words (B, T), 0 for none -> mean of their vectors (B, ``width``)."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.width = width

    def forward(self, numbers: Tensor) -> Tensor:
        """Vectors of texts; zeros for an empty one."""
        known = (numbers != 0).sum(-1, keepdim=True).clamp_min(1)
        return self.words(numbers).sum(1) / known


class BertText(nn.Module):
    """Numbers of words (B, T), 0 for none -> BERT's mean over the words (B, ``width``)."""

    def __init__(self, vocabulary: int, options: Options) -> None:
        super().__init__()
        transformers = _transformers("bert")
        config = transformers.BertConfig(**{"vocab_size": vocabulary, **options})
        self.body: Any = transformers.BertModel(config, add_pooling_layer=False)
        self.width = int(config.hidden_size)

    def forward(self, numbers: Tensor) -> Tensor:
        """Vectors of texts; zeros for an empty one."""
        known = (numbers != 0).float()
        # An empty text is masked later; one visible place keeps its softmax finite.
        visible = torch.cat([torch.ones_like(known[:, :1]), known[:, 1:]], dim=1)
        states = self.body(input_ids=numbers, attention_mask=visible).last_hidden_state
        return (states * known[..., None]).sum(1) / known.sum(1, keepdim=True).clamp_min(1)


def image_encoder(kind: str, slices: int, size: int, options: Options) -> FusionEncoder:
    """An encoder of views of ``slices`` slices of ``size`` x ``size``, with random weights.

    Raises
    ------
    LumbarError
        If there is no such candidate, CLIP is not given three slices, or its package is not installed.
    """
    if kind not in _IMAGE_ENCODERS:
        raise LumbarError(f"image encoder {kind!r} is none of {sorted(_IMAGE_ENCODERS)}")
    return _IMAGE_ENCODERS[kind](slices, size, options)


def text_encoder(kind: str, vocabulary: int, options: Options) -> HashedText | BertText:
    """An encoder of numbered words, with random weights.

    Raises
    ------
    LumbarError
        If there is no such candidate, or its package is not installed.
    """
    if kind == "hashed":
        return HashedText(vocabulary, int(options.get("width", 32)))
    if kind == "bert":
        return BertText(vocabulary, options)
    raise LumbarError(f"text encoder {kind!r} is none of ['bert', 'hashed']")


def _from_timm(name: str, heatmap_layer: str) -> Callable[[int, int, Options], FusionEncoder]:
    def build(slices: int, _size: int, options: Options) -> FusionEncoder:
        chosen = {"model_name": name, "heatmap_layer": heatmap_layer, **options}
        layer = chosen.pop("heatmap_layer")
        body = timm.create_model(pretrained=False, in_chans=slices, num_classes=0, **chosen)
        return FusionEncoder(body, int(body.num_features), layer)

    return build


def _unet3d(_slices: int, _size: int, options: Options) -> FusionEncoder:
    body = UNet3d(tuple(options.get("widths", (32, 64, 128, 256))))
    return FusionEncoder(body, body.num_features, f"up.{len(body.up) - 1}")


def _clip(slices: int, size: int, options: Options) -> FusionEncoder:
    if slices != 3:
        raise LumbarError(f"CLIP sees three channels, not {slices} slices; set slices to 3 in the config")
    transformers = _transformers("clip")
    config = transformers.CLIPVisionConfig(**{"image_size": size, **options})
    body = transformers.CLIPVisionModel(config)
    # transformers has had the tower both as the model itself and one folder deeper.
    names = [name for name, _ in body.named_modules() if name.endswith("patch_embedding")]
    return _ClipEncoder(body, int(config.hidden_size), names[0])


_IMAGE_ENCODERS: Mapping[str, Callable[[int, int, Options], FusionEncoder]] = {
    "resnet50": _from_timm("resnet50", "layer2"),
    "efficientnet": _from_timm("efficientnet_b0", "blocks.2"),
    "unet3d": _unet3d,
    "clip": _clip,
    # Any other encoder of timm: what the small preset uses.
    "timm": _from_timm("resnet10t", "layer2"),
}


def _transformers(kind: str) -> Any:
    try:
        import transformers  # noqa: PLC0415  (only bundles that were made with it need it)
    except ImportError as error:
        raise LumbarError(
            f"the {kind!r} encoder needs the package transformers; install napari-lumbar[train]"
        ) from error
    return transformers
