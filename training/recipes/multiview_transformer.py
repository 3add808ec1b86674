"""Multi-view transformer: Park et al., "Multi-View and Multimodal Radiological Grading Using Spinal MRIs".

Reproduces Table 2, row 8: all three series of a disc in one network with five severities. Expected on RSNA
2024 with the ``paper`` preset (macro AUROC, 194 test patients): canal 0.961, foramina left 0.886 and right
0.875, recesses left 0.904 and right 0.909. Rows 5 to 7 are the same network with fewer ``roles`` in its
configuration. Rows 2 to 4 pool the slices by attention without a transformer and are not reproduced.

Deviations: discs are cut around the landmarks (``preprocess.disc_volumes``) instead of SpineNetV2's boxes,
moved in training as a localiser misses them. Ten "iterations" of warm-up and thirty between restarts are read
as epochs, and the warm-up starts at a 4940th of the rate instead of a tenth. Batch size, dropout,
feed-forward width, weight decay and clipping are not published: 16, 0.1, 2048, 0.01, 1. Any series is left
out of a training disc with a probability of 0.2, so that one network works with any subset. The ``tiny``
preset has a ten-layer ResNet of a quarter of the channels, volumes of 7 x 56 x 112, milder augmentation, a
higher rate, one cosine and averaged weights, opens with the slices of the landmarks alone, and asks each of
them for its own condition's severity too.

Hardware and hours: ``paper`` not measured here; one GPU of 16 GB is meant. ``tiny``: one CPU core,
half an hour on a busy machine (figures: training/README.md).
Command: ``napari-lumbar train multiview_transformer --data ROOT --out RUN --preset paper``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ...models.multiview_transformer import MultiviewConfig
from ..engine import Task
from ..schedule import Schedule, Selection
from ..tasks.disc_grading import DiscBatches, DiscTask, disc_figures
from ..tasks.discs import DiscAugmentation
from .recipe import FoldData, Recipe, Stage

#: Steps of one epoch of the published training set: 1580 studies of five discs, 16 at a time.
EPOCH = 494

PAPER = MultiviewConfig()
PAPER_SCHEDULE = Schedule(
    200 * EPOCH,
    learning_rate=1e-5,
    warmup_steps=10 * EPOCH,
    restart_steps=30 * EPOCH,
    ema_decay=None,
    checkpoint_every=EPOCH,
)

TINY = MultiviewConfig(
    shape=(7, 56, 112),
    encoder="resnet10t",
    encoder_options={"channels": (16, 32, 64, 128), "stem_width": 16},
    feedforward=256,
    dropout=0.0,
    answers_by_slice=True,
)
TINY_SCHEDULE = Schedule(1500, learning_rate=1e-3, warmup_steps=100)
TINY_AUGMENTATION = DiscAugmentation(slices=1, shift=(0.05, 0.05), degrees=10.0)
TINY_BATCHES = DiscBatches(8, annotated_steps=900, annotated_size=24)


def _task(
    config: MultiviewConfig, augmentation: DiscAugmentation, batches: DiscBatches, fold: FoldData
) -> Task:
    return DiscTask(fold.training, config, augmentation, batches, fold.seed)


def _selection(config: MultiviewConfig, every: int, window: int, fold: FoldData) -> Selection:
    measure = disc_figures(fold.validation, config)
    return Selection(every, measure, "macro_auroc", higher_is_better=True, window=window)


def _paper() -> Sequence[Stage]:
    return (
        Stage(
            "grade_discs",
            "multiview_transformer",
            PAPER,
            PAPER_SCHEDULE,
            partial(_task, PAPER, DiscAugmentation(), DiscBatches(16)),
            partial(_selection, PAPER, EPOCH, 10),
        ),
    )


def tiny_stages(config: MultiviewConfig = TINY) -> Sequence[Stage]:
    """The same structure for one CPU core."""
    return (
        Stage(
            "grade_discs",
            "multiview_transformer",
            config,
            TINY_SCHEDULE,
            partial(_task, config, TINY_AUGMENTATION, TINY_BATCHES),
            partial(_selection, config, 200, 2),
        ),
    )


RECIPE = Recipe(
    "multiview_transformer",
    "slices of every series of a disc as tokens of one transformer (Park et al.)",
    {"tiny": tiny_stages, "paper": _paper},
)
