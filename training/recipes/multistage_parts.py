"""Stages of the multistage system: what they learn from, what they start from, and how they are named.

Networks of one ensemble share the start of their names: ``points_canal-convnext_base`` is one of
``points_canal``. A kind without a name has none: ``points_canal``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import timm
from torch import nn

from ...domain.spine import ConditionGroup
from ...models.convnext3d import SliceIndexConfig
from ...models.lstm_mil import LstmMil, MilConfig
from ...models.point_regressor import PointRegressor, PointRegressorConfig
from ..engine import Task
from ..fold_misses import fold_misses
from ..point_table import TableImages, named_table, read_points
from ..schedule import Schedule
from ..tasks.marked import head_keys
from ..tasks.mil import BagOptions, BagTask
from ..tasks.points import AxialImages, PointTask, SagittalImages
from ..tasks.slice_index import SliceIndexTask, StudyVolumes
from .recipe import FoldData, Stage

#: Short names of the groups in the names of networks.
GROUPS = {
    ConditionGroup.CANAL: "canal",
    ConditionGroup.FORAMINAL: "foraminal",
    ConditionGroup.SUBARTICULAR: "subarticular",
}
SAGITTAL = (ConditionGroup.CANAL, ConditionGroup.FORAMINAL)
#: Planes that each group is graded from, as published.
GRADED_PLANES = {
    ConditionGroup.CANAL: ("sagittal", "axial"),
    ConditionGroup.FORAMINAL: ("sagittal", "axial"),
    ConditionGroup.SUBARTICULAR: ("axial",),
}
#: Weights of timm that the published encoders start from.
IMAGENET = {
    "convnext_base": "convnext_base.fb_in22k_ft_in1k_384",
    "convnext_small": "convnext_small.fb_in22k_ft_in1k_384",
    "tf_efficientnetv2_l": "tf_efficientnetv2_l.in21k_ft_in1k",
    "tf_efficientnetv2_s": "tf_efficientnetv2_s.in21k_ft_in1k",
}


@dataclass(frozen=True)
class Ablation:
    """What the severity networks do without, for the tables that compare.

    Parameters
    ----------
    recurrent
        False: no Bi-LSTM, the encoder's features go straight to the attentions.
    auxiliary
        False: no auxiliary losses.
    jitter
        False: crops around the truth, whatever the localiser misses.
    """

    recurrent: bool = True
    auxiliary: bool = True
    jitter: bool = True


WHOLE = Ablation()


@dataclass(frozen=True)
class FoldLocalizer:
    """Stages whose networks find landmarks, and how many held-out studies their misses are measured on."""

    stages: Sequence[str]
    studies: int


@dataclass(frozen=True)
class Grading:
    """How one kind of severity network is trained; planes and shapes follow from the group."""

    config: MilConfig
    schedule: Schedule
    shapes: Mapping[str, tuple[int, int]]


def slice_stages(
    kinds: Mapping[str, tuple[SliceIndexConfig, bool]], schedule: Schedule, batch: int
) -> Iterator[Stage]:
    """Stage 1a: networks of each kind for both groups; the flag says whether their volumes are moved."""
    for group in SAGITTAL:
        for kind, (config, augmented) in kinds.items():
            sized = replace(config, heads=len(head_keys(group)))
            task = partial(slice_task, group, config.size, batch, augmented)
            yield Stage(f"slice_{GROUPS[group]}-{kind}", "slice_index_convnext3d", sized, schedule, task)


def point_stages(
    kinds: Mapping[str, PointRegressorConfig],
    schedules: Mapping[str, Schedule],
    batch: int,
    pretrained: bool = False,
) -> Iterator[Stage]:
    """Stage 1b: regressors of each kind for both groups, pretrained where there is a table of points.

    ``schedules`` by ``canal``, ``foraminal`` and ``pretraining``.
    """
    table, imagenet = named_table(), from_imagenet if pretrained else None
    for kind, config in kinds.items():
        start = imagenet
        if table is not None:
            name = named("points_pretraining", kind)
            task = partial(table_task, table, config.size, batch)
            once = schedules["pretraining"]
            yield Stage(name, "point_regressor", config, once, task, start=start, exported=False)
            start = partial(from_stage, name)
        for group in SAGITTAL:
            name, task = (
                named(f"points_{GROUPS[group]}", kind),
                partial(sagittal_task, group, config.size, batch),
            )
            yield Stage(name, "point_regressor", config, schedules[GROUPS[group]], task, start=start)


def axial_stage(
    config: PointRegressorConfig, schedule: Schedule, batch: int, pretrained: bool = False
) -> Stage:
    """Stage 1c."""
    task, start = partial(axial_task, config.size, batch), from_imagenet if pretrained else None
    return Stage("points_axial", "point_regressor", config, schedule, task, start=start)


def grade_stages(
    kinds: Mapping[str, Grading],
    options: Mapping[ConditionGroup, BagOptions],
    ablation: Ablation,
    localizer: FoldLocalizer,
    pretrained: bool = False,
) -> Iterator[Stage]:
    """Stage 2: severity networks of each kind for each group."""
    for group, planes in GRADED_PLANES.items():
        cut = replace(options[group], jitter=ablation.jitter, auxiliary=ablation.auxiliary)
        for kind, grading in kinds.items():
            shapes = tuple(grading.shapes[plane] for plane in planes)
            config = replace(grading.config, planes=planes, shapes=shapes, recurrent=ablation.recurrent)
            task = partial(bag_task, group, config, cut, localizer)
            start = from_imagenet if pretrained else None
            name = named(f"grade_{GROUPS[group]}", kind)
            yield Stage(name, "lstm_mil", config, grading.schedule, task, start=start)


def named(ensemble: str, kind: str) -> str:
    """The name of a network of an ensemble."""
    return f"{ensemble}-{kind}" if kind else ensemble


def slice_task(group: ConditionGroup, size: int, batch: int, augmented: bool, fold: FoldData) -> Task:
    """Volumes of a group's series."""
    return SliceIndexTask(StudyVolumes(fold.training, group, size), fold.seed, batch, augmented)


def sagittal_task(group: ConditionGroup, size: int, batch: int, fold: FoldData) -> Task:
    """Sagittal images of a group's points."""
    return PointTask(SagittalImages(fold.training, group, size), fold.seed, batch)


def axial_task(size: int, batch: int, fold: FoldData) -> Task:
    """Axial images of the recesses."""
    return PointTask(AxialImages(fold.training, size), fold.seed, batch, flips=True)


def table_task(table: Path, size: int, batch: int, fold: FoldData) -> Task:
    """Images of an external table of points."""
    return PointTask(TableImages(read_points(table), size), fold.seed, batch, augmented=False)


def bag_task(
    group: ConditionGroup, config: MilConfig, options: BagOptions, localizer: FoldLocalizer, fold: FoldData
) -> Task:
    """Bags of a group's findings, moved as the fold's own localiser misses held-out studies."""
    unmoved = dict.fromkeys(ConditionGroup, np.zeros((0, 3)))
    misses = fold_misses(fold, localizer.stages, localizer.studies) if options.jitter else unmoved
    return BagTask(fold.training, group, config, misses, options, fold.seed)


def from_stage(name: str, network: nn.Module, fold: FoldData) -> None:
    """Start with the weights of an earlier stage."""
    network.load_state_dict(fold.trained(name).state_dict())


def from_imagenet(network: nn.Module, _: FoldData) -> None:
    """Put ImageNet's weights into the encoders; timm loads them from the net or its cache.

    Raises
    ------
    TypeError
        If the network has no such encoder.
    """
    if isinstance(network, PointRegressor):
        encoders = [(network.encoder, network.config.in_channels)]
    elif isinstance(network, LstmMil):
        encoders = [(encoder, 1) for encoder in network.encoders]
    else:
        raise TypeError(f"ImageNet's weights fit no {type(network).__name__}")
    for encoder, channels in encoders:
        name = IMAGENET[network.config.encoder]
        loaded = timm.create_model(name, pretrained=True, in_chans=channels, num_classes=0)
        encoder.load_state_dict(loaded.state_dict(), strict=True)
