"""Multi-stage system with Bi-LSTM attention MIL: Panditrao et al. (paper 000), the first place of RSNA 2024.

Reproduces the whole system: 1a, networks for the slice of each level on sagittal volumes (two widths that
classify, one that regresses; Table 2: 71.1 % of canal slices exact when classified); 1b and 1c, regressors of
points; 2, severity from bags of five crops (Table 1) per plane. Expected on RSNA 2024 with the ``paper``
preset, five folds and ``pretrained``: the challenge's score of the same system was 0.389 (private) and 0.33
(public); the paper itself prints no grading figure.

Of stage 1b the regressors are pretrained where ``LUMBAR_POINTS`` names a table of points
(``training.point_table``; ``python -m napari_lumbar.training spider-points`` makes one), else they are not.
Stage 2 sees crops moved by the misses of the fold's own localiser on the fold's held-out studies. Epochs are
fixed as published (7 and 14); nothing is selected. ``paper_stages`` and ``tiny_stages`` take an ``Ablation``.

Deviations: right sides are mirrored onto left ones; every slice is scaled on its own before a volume is; the
canal is graded from both sides' axial crops, not from a random one; misses over 15 mm, of another disc, move
no crop; optimiser, rates and batches of stage 2 are not published (AdamW, 1e-4, weight decay 1e-4, 20 or 40
findings). Encoders start from chance unless ``pretrained``. ``tiny`` has one small network per step (two for
the slice, as published), coarser images, closer crops at half the size, pools features of points on a grid,
opens stage 2 with single crops and draws the grading attention to the annotated slice a little.

Hardware and hours: ``paper`` not measured here; meant for a GPU of 80 GB (volumes of 32 x 384 x 384).
``tiny``: one CPU core, 50 minutes on a busy machine (figures: training/README.md).
Command: ``napari-lumbar train multistage_mil --data ROOT --out RUN --preset paper``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...domain.spine import ConditionGroup
from ...models.convnext3d import NARROW_CLASSES, WIDE_CLASSES, WIDE_PLACES, SliceIndexConfig
from ...models.lstm_mil import MilConfig
from ...models.point_regressor import PointRegressorConfig
from ..schedule import Schedule
from ..tasks.mil import BagOptions
from .multistage_parts import (
    WHOLE,
    Ablation,
    FoldLocalizer,
    Grading,
    axial_stage,
    grade_stages,
    point_stages,
    slice_stages,
)
from .recipe import Recipe, Stage

#: Steps of an epoch of the published training set: 1580 studies, four at a time.
EPOCH = 395
PAPER_SCHEDULE = Schedule(
    25 * EPOCH, 1e-4, weight_decay=1e-4, warmup_steps=2 * EPOCH, ema_decay=None, checkpoint_every=EPOCH
)
#: Networks for the slice, and whether their volumes are moved.
PAPER_SLICES = {
    "narrow": (NARROW_CLASSES, False),
    "wide": (WIDE_CLASSES, True),
    "places": (WIDE_PLACES, True),
}
PAPER_POINTS = {
    name: PointRegressorConfig(5, encoder=name) for name in ("convnext_base", "tf_efficientnetv2_l")
}
#: A study has two images of foramina, five of recesses; the external set has 1,121 images.
PAPER_POINT_SCHEDULES = {
    "canal": PAPER_SCHEDULE,
    "foraminal": replace(PAPER_SCHEDULE, steps=50 * EPOCH),
    "pretraining": replace(PAPER_SCHEDULE, steps=25 * 280),
}
PAPER_AXIAL = PointRegressorConfig(2, in_channels=1, encoder="convnext_base")
PAPER_SHAPES = {"sagittal": (128, 224), "axial": (256, 256)}


def _paper_grading(encoder: str, epochs: int, heatmap_layer: str) -> Grading:
    config = MilConfig((), encoder, {}, heatmap_layer=heatmap_layer, crops="published")
    return Grading(
        config, replace(PAPER_SCHEDULE, steps=epochs * EPOCH, warmup_steps=EPOCH // 2), PAPER_SHAPES
    )


PAPER_GRADINGS = {
    "convnext_small": _paper_grading("convnext_small", 7, "stages.1"),
    "tf_efficientnetv2_s": _paper_grading("tf_efficientnetv2_s", 14, "blocks.2"),
}
#: The findings of four studies.
PAPER_BAGS = {
    ConditionGroup.CANAL: BagOptions(20),
    ConditionGroup.FORAMINAL: BagOptions(40),
    ConditionGroup.SUBARTICULAR: BagOptions(40),
}


def paper_stages(ablation: Ablation = WHOLE, pretrained: bool = False) -> Sequence[Stage]:
    """The published sizes; encoders from chance unless ``pretrained``."""
    found = [
        *slice_stages(PAPER_SLICES, PAPER_SCHEDULE, 4),
        *point_stages(PAPER_POINTS, PAPER_POINT_SCHEDULES, 4, pretrained),
        axial_stage(PAPER_AXIAL, replace(PAPER_SCHEDULE, steps=125 * EPOCH), 4, pretrained),
    ]
    localizer = FoldLocalizer([stage.name for stage in found if stage.exported], studies=400)
    return [*found, *grade_stages(PAPER_GRADINGS, PAPER_BAGS, ablation, localizer, pretrained)]


TINY_ENCODER = "resnet10t"
TINY_OPTIONS = {"channels": (16, 32, 64, 128), "stem_width": 16}
_CLASSES = SliceIndexConfig(5, widths=(16, 32, 64, 64), regresses=0)
TINY_SLICES = {
    "classes": (_CLASSES, True),
    "places": (replace(_CLASSES, classifies=False, regresses=3), True),
}
TINY_POINTS = PointRegressorConfig(5, 3, 96, TINY_ENCODER, TINY_OPTIONS, pooled=3)
TINY_POINT_SCHEDULE = Schedule(600, learning_rate=3e-3)
#: Steps of single crops, and of whole bags.
TINY_SINGLE, TINY_WHOLE = 450, 200
TINY_GRADING = Grading(
    MilConfig((), TINY_ENCODER, TINY_OPTIONS),
    Schedule(TINY_SINGLE + TINY_WHOLE),
    {"sagittal": (64, 112), "axial": (96, 96)},
)
TINY_BAGS = BagOptions(12, single_steps=TINY_SINGLE, attention=0.3)


def tiny_stages(ablation: Ablation = WHOLE) -> Sequence[Stage]:
    """The same structure for one CPU core."""
    points = dict.fromkeys(("canal", "foraminal", "pretraining"), TINY_POINT_SCHEDULE)
    found = [
        *slice_stages(TINY_SLICES, Schedule(120), 4),
        *point_stages({"": TINY_POINTS}, points, 16),
        axial_stage(replace(TINY_POINTS, points=2, in_channels=1), TINY_POINT_SCHEDULE, 16),
    ]
    localizer = FoldLocalizer([stage.name for stage in found if stage.exported], studies=30)
    bags = dict.fromkeys(ConditionGroup, TINY_BAGS)
    return [*found, *grade_stages({"": TINY_GRADING}, bags, ablation, localizer)]


RECIPE = Recipe(
    "multistage_mil",
    "slice, point and Bi-LSTM attention MIL networks in stages (Panditrao et al.)",
    {"tiny": tiny_stages, "paper": paper_stages},
    localizes=True,
)
