"""One EfficientNetV2-S per sequence: Mysuru, "Classification of Degenerative Lumbar Spine Conditions ...".

Reproduces the paper's system: sagittal T2 for the canal, sagittal T1 for the foramina, axial T2 for the
recesses, one annotated slice of 224 x 224, Adam at 1e-3, stopped after three epochs without a better
validation loss. Published validation accuracies: T1 77.91 %, axial 71.51 %, T2 86.62 %. They are within one
point of always answering "normal/mild" on RSNA 2024 (77.9, 70.8 and 85.6 %), so accuracy is printed here
beside weighted log loss, its value without skill, and balanced accuracy. No other number is published.

Deviations: a softmax over three severities with the challenge's weights 1, 2, 4 (published: binary
cross-entropy); the level's own attention on the last feature map, without which no level is told from another
(see ``models.sequence_efficientnet``); no flips but the right recess mirrored onto the left; rotations of 10
degrees and contrast by 0.2, where the paper gives no numbers; the slice moved as a localiser misses it;
studies, not slices, are held out. A batch of 32 and no weight decay are read into the paper, and the rate
falls by a cosine over 40 epochs, of which early stopping leaves the flat beginning.
ImageNet weights are off by default, because nothing here loads from the net unasked:
``paper_stages(pretrained=True)`` starts from them and freezes the stem and the first three blocks, as
published. Random layers are never frozen: they would be filters that nobody chose.
``tiny`` sees 60 mm around the landmark on 112 x 112 pixels through a ten-layer ResNet of a quarter of the
channels.

Hardware and hours: ``paper`` not measured here, one GPU of 12 GB is meant; ``tiny``: one CPU core,
half an hour (figures: training/README.md).
Command: ``napari-lumbar train sequence_efficientnet --data ROOT --out RUN --preset paper``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import timm
from torch import nn

from ...domain.spine import ConditionGroup
from ...models.sequence_efficientnet import SequenceConfig, SequenceEfficientNet
from ..engine import Task
from ..schedule import Schedule, Selection
from ..tasks.slice_grading import SliceTask, slice_figures
from .recipe import FoldData, Recipe, Stage

_GROUPS = {
    "grade_canal": ConditionGroup.CANAL,
    "grade_foraminal": ConditionGroup.FORAMINAL,
    "grade_subarticular": ConditionGroup.SUBARTICULAR,
}
#: Batches of an epoch: 1580 studies of five (canal) or ten findings, 32 at a time.
EPOCHS = {"grade_canal": 247, "grade_foraminal": 494, "grade_subarticular": 494}
#: More than the nine epochs that the longest published run took.
MOST_EPOCHS = 40
PATIENCE = 3
#: timm's name of the published weights, and the "initial layers" that stay as they are with them.
IMAGENET = "tf_efficientnetv2_s.in21k_ft_in1k"
FROZEN = ("conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2")

PAPER = SequenceConfig()
TINY = SequenceConfig(
    size=112,
    encoder="resnet10t",
    encoder_options={"channels": (16, 32, 64, 128), "stem_width": 16},
    heatmap_layer="layer3",
    dropout=0.1,
    window_mm=60.0,
)
TINY_SCHEDULE = Schedule(1000, weight_decay=1e-2, warmup_steps=100)


def start_from_imagenet(network: nn.Module, _: FoldData) -> None:
    """Put ImageNet's weights into the encoder (timm loads them from the net or its cache), freeze its start.

    Raises
    ------
    TypeError
        If the network is of another architecture.
    """
    if not isinstance(network, SequenceEfficientNet):
        raise TypeError(f"ImageNet's weights fit a SequenceEfficientNet, not a {type(network).__name__}")
    network.encoder.load_state_dict(
        timm.create_model(IMAGENET, pretrained=True, num_classes=0).state_dict(), strict=True
    )
    network.freeze(FROZEN)


def paper_stages(pretrained: bool = False) -> Sequence[Stage]:
    """The published sizes; from random weights unless ``pretrained``."""
    return tuple(
        Stage(
            name,
            "sequence_efficientnet",
            PAPER,
            Schedule(
                MOST_EPOCHS * EPOCHS[name],
                learning_rate=1e-3,
                weight_decay=0.0,
                warmup_steps=0,
                ema_decay=None,
                checkpoint_every=EPOCHS[name],
                optimizer="adam",
            ),
            partial(_task, PAPER, group, 32),
            partial(_selection, PAPER, group, EPOCHS[name], PATIENCE),
            start_from_imagenet if pretrained else None,
        )
        for name, group in _GROUPS.items()
    )


def tiny_stages() -> Sequence[Stage]:
    """The same structure for one CPU core."""
    return tuple(
        Stage(
            name,
            "sequence_efficientnet",
            TINY,
            TINY_SCHEDULE,
            partial(_task, TINY, group, 24),
            partial(_selection, TINY, group, 200, None),
        )
        for name, group in _GROUPS.items()
    )


def _task(config: SequenceConfig, group: ConditionGroup, batch_size: int, fold: FoldData) -> Task:
    return SliceTask(fold.training, group, config, fold.seed, batch_size)


def _selection(
    config: SequenceConfig, group: ConditionGroup, every: int, patience: int | None, fold: FoldData
) -> Selection:
    return Selection(every, slice_figures(fold.validation, group, config), "log_loss", patience=patience)


RECIPE = Recipe(
    "sequence_efficientnet",
    "one network per sequence looks at whole slices (Mysuru)",
    {"tiny": tiny_stages, "paper": paper_stages},
)
