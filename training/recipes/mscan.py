"""M-SCAN, multi-view cross attention for spinal canal stenosis (Batra et al.).

Expected on RSNA 2024 with the ``paper`` preset: accuracy 0.938, weighted log loss 0.282, AUROC 0.971; a
constant answer has an accuracy of 0.856, and the flaws inflate the published figures. Ablations by fields of
``MscanConfig`` (same figures): ``views="sagittal", recurrent=False`` 0.898 / 0.392 / 0.851; with GRU 0.914 /
0.336 / 0.863; ``attention=False`` 0.926 / 0.321 / 0.891.

Flaws of the published code, mended here: attention over one token instead of five levels; only the last
level's token answers; levels as a directory lists them; the augmented sagittal image thrown away; missing
grades filled in as normal (ignored here); stage 2 splits rows, so that stage 3 is tested on patients its
encoders saw (one split here); the test studies chose the checkpoint (a tenth of the training studies here);
accuracy and log loss of different epochs; PixelSpacing read as (x, y).
Deviations: FCOS instead of YOLOv8 (AGPL); the axial network answers with both recesses, the canal is their
middle; millimetres; blobs weigh ten times the background; warm-up and cosine instead of a plateau; residual
attention; a study without axial series is graded from its sagittal crops. Own choice where nothing is
published: blobs of 6 mm, boxes of 40 mm, lengths of the stages, rates of points and levels. ``tiny``: small
ten-layer ResNets and images, higher rates, averaged weights.

Hardware and hours: ``paper`` not measured here; one GPU of 24 GB is meant. ``tiny``: one CPU core,
half an hour (figures: training/README.md).
Command: ``napari-lumbar train mscan --data ROOT --out RUN --preset paper``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from ...models.axial_point import AxialPointConfig
from ...models.crop_grader import CropGraderConfig
from ...models.level_detector import LevelDetectorConfig
from ...models.mscan import MscanConfig
from ...models.point_unet import PointUNetConfig
from ..engine import Task
from ..inner_split import inner_split
from ..schedule import Schedule, Selection
from ..tasks.mscan_canal import CanalCropTask, CanalStudyTask, View, take_encoders
from ..tasks.mscan_figures import crop_figures, study_figures
from ..tasks.mscan_places import AxialPointTask, LevelBoxTask, PointMaskTask
from .recipe import FoldData, Recipe, Stage

#: Steps of one epoch of the published 1580 studies: canals four at a time, and two studies per update.
CROP_EPOCH, STUDY_EPOCH = 5 * 1580 // 4, 1580 // 2


@dataclass(frozen=True)
class _Preset:
    """Networks, schedules and batches by stage, and the steps between two measurements."""

    points: PointUNetConfig
    levels: LevelDetectorConfig
    axial_point: AxialPointConfig
    crops: CropGraderConfig
    fusion: MscanConfig
    schedules: Mapping[str, Schedule]
    batches: Mapping[str, int]
    measured_every: tuple[int, int]


PAPER = _Preset(
    PointUNetConfig(),
    LevelDetectorConfig(),
    AxialPointConfig(),
    CropGraderConfig(),
    MscanConfig(),
    {
        **dict.fromkeys(("points", "levels"), Schedule(20_000, 1e-4, warmup_steps=500, ema_decay=None)),
        "axial_point": Schedule(20_000, 1e-3, optimizer="adam", weight_decay=0.0, ema_decay=None),
        "grade": Schedule(20 * CROP_EPOCH, 5e-5, warmup_steps=CROP_EPOCH, ema_decay=None),
        "fusion": Schedule(
            40 * STUDY_EPOCH, 2e-4, warmup_steps=4 * STUDY_EPOCH, ema_decay=None, accumulate=2
        ),
    },
    {"points": 8, "levels": 8, "axial_point": 16, "grade": 4, "fusion": 1},
    (CROP_EPOCH, STUDY_EPOCH),
)

_SMALL: Mapping[str, Any] = {
    "encoder": "resnet10t",
    "encoder_options": {"channels": (16, 32, 64, 128), "stem_width": 16},
}
_CROPS = CropGraderConfig(**_SMALL, heatmap_layer="layer2", size=80, features=128)
TINY = _Preset(
    PointUNetConfig(**_SMALL, decoder=(64, 48, 32, 16, 8), size=128),
    LevelDetectorConfig(**_SMALL, stages=(3, 4), coarser=False, width=64, depth=1, size=128),
    AxialPointConfig(**_SMALL, size=96),
    _CROPS,
    MscanConfig(_CROPS, _CROPS, width=128, layers=1),
    {
        "points": Schedule(600),
        "levels": Schedule(700),
        "axial_point": Schedule(500),
        "grade": Schedule(600),
        "fusion": Schedule(250, 1e-3, accumulate=2),
    },
    {"points": 8, "levels": 8, "axial_point": 16, "grade": 16, "fusion": 2},
    (200, 50),
)


def _stages(preset: _Preset) -> Sequence[Stage]:
    place, crops = partial(_place_stage, preset), partial(_crop_stage, preset)
    fusion = preset.fusion

    def task(fold: FoldData) -> Task:
        return CanalStudyTask(inner_split(fold).training, fusion, preset.batches["fusion"], fold.seed)

    def selection(fold: FoldData) -> Selection:
        measure = study_figures(inner_split(fold).validation, fusion)
        return Selection(preset.measured_every[1], measure, "log_loss")

    return (
        place("points", "point_unet", preset.points, PointMaskTask),
        place("levels", "level_detector", preset.levels, LevelBoxTask),
        place("axial_point", "axial_point", preset.axial_point, AxialPointTask),
        crops("sagittal"),
        crops("axial"),
        Stage("fusion", "mscan", fusion, preset.schedules["fusion"], task, selection, take_encoders),
    )


def _place_stage(
    preset: _Preset, name: str, architecture: str, config: Any, task: Callable[..., Task]
) -> Stage:
    def make(fold: FoldData) -> Task:
        return task(fold.training, config.size, preset.batches[name], fold.seed)

    return Stage(name, architecture, config, preset.schedules[name], make)


def _crop_stage(preset: _Preset, view: View) -> Stage:
    config, size = preset.crops, preset.batches["grade"]

    def task(fold: FoldData) -> Task:
        return CanalCropTask(inner_split(fold).training, view, config.size, size, fold.seed)

    def selection(fold: FoldData) -> Selection:
        measure = crop_figures(inner_split(fold).validation, view, config.size)
        return Selection(preset.measured_every[0], measure, "log_loss")

    return Stage(f"grade_{view}", "crop_grader", config, preset.schedules["grade"], task, selection)


def tiny_stages(views: Literal["both", "sagittal"] = "both") -> Sequence[Stage]:
    """The same structure for one CPU core; the sagittal crops alone for the paper's ablation."""
    return _stages(replace(TINY, fusion=replace(TINY.fusion, views=views)))


RECIPE = Recipe(
    "mscan",
    "the canal from two views by recurrent networks and cross attention (M-SCAN)",
    {"tiny": tiny_stages, "paper": partial(_stages, PAPER)},
    localizes=True,
)
