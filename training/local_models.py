"""CLIP's vision tower and BERT from folders on this machine, for networks of ``models.three_way``.

A folder is what ``save_pretrained`` of transformers writes. Nothing is downloaded. The folder is needed for
training alone: what a bundle must know, sizes and the numbers of words, goes into its configuration.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from ..domain.errors import LumbarError
from ..models.fusion_encoders import BertText
from ..models.three_way import ThreeWay, ThreeWayConfig
from ..preprocess.series_text import WORDS

if TYPE_CHECKING:  # a recipe imports this module
    from .recipes.recipe import FoldData

_SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act")
_CLIP_SIZES = (*_SIZES, "patch_size", "layer_norm_eps")
_BERT_SIZES = (*_SIZES, "max_position_embeddings", "type_vocab_size", "layer_norm_eps")


def with_clip(config: ThreeWayConfig, folder: Path) -> ThreeWayConfig:
    """The configuration with the sizes of a CLIP vision tower."""
    read = _transformers().CLIPVisionConfig.from_pretrained(_there(folder), local_files_only=True)
    return replace(config, image="clip", image_options=_chosen(read, _CLIP_SIZES), size=read.image_size)


def with_bert(config: ThreeWayConfig, folder: Path) -> ThreeWayConfig:
    """The configuration with the sizes of a BERT, and with the numbers its tokenizer gives our words."""
    package = _transformers()
    read = package.BertConfig.from_pretrained(_there(folder), local_files_only=True)
    tokenizer = package.BertTokenizer.from_pretrained(str(folder), local_files_only=True)
    words = {word: tuple(tokenizer(word, add_special_tokens=False)["input_ids"]) for word in WORDS}
    return replace(
        config,
        text="bert",
        text_options=_chosen(read, _BERT_SIZES),
        vocabulary=read.vocab_size,
        words=words,
    )


def start_from_folders(
    network: nn.Module, _: FoldData, image: Path | None = None, text: Path | None = None
) -> None:
    """Put the weights of the folders into a network whose configuration was made from them."""
    if not isinstance(network, ThreeWay):
        raise TypeError(f"these weights fit a ThreeWay, not a {type(network).__name__}")
    package = _transformers()
    if image is not None:
        tower = package.CLIPVisionModel.from_pretrained(_there(image), local_files_only=True)
        for encoder in network.images:
            encoder.body.load_state_dict(tower.state_dict())  # type: ignore[union-attr]
    if text is not None:
        if not isinstance(network.text, BertText):
            raise TypeError(f"BERT's weights fit a BertText, not a {type(network.text).__name__}")
        bert = package.BertModel.from_pretrained(_there(text), local_files_only=True, add_pooling_layer=False)
        network.text.body.load_state_dict(bert.state_dict())


def _chosen(read: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(read, name) for name in names}


def _there(folder: Path) -> str:
    if not (folder / "config.json").is_file():
        raise LumbarError(
            f"{folder} holds no config.json: a folder that save_pretrained of transformers wrote is needed"
        )
    return str(folder)


def _transformers() -> Any:
    try:
        import transformers  # noqa: PLC0415  (only trainers who ask for CLIP or BERT need it)
    except ImportError as error:
        raise LumbarError(
            "CLIP and BERT need the package transformers; install napari-lumbar[train]"
        ) from error
    return transformers
