"""Three-way classification from images and words: Abdullah et al., "A Novel Approach for a Three-Way ...".

The paper is a proposal. It reports no result, so there is no number to reproduce and none is expected; it
names candidates (ResNet50, EfficientNet, 3-D U-Net, CLIP, BERT), a softmax over the grades, and accuracy,
precision and recall as metrics. What is printed here for each condition: weighted log loss beside its value
without skill, accuracy beside that of the most frequent grade, balanced accuracy, macro AUROC.

Read into the paper: "three-way" is the three grades; one image encoder and one text vector per series, a
level and a condition token, joined and fed to two layers; words are RSNA's description, plane, angle and
spacing; the region of interest is a square of 60 mm around the landmark in every series that shows it, moved
as a localiser misses it; "denormalisation" is ``preprocess.denormalise``. Batch, rate and length are ours.
Coordinates exist for training alone in the paper; here the localiser's take their place in use.

``paper_stages(image=..., text=...)`` chooses candidates: ``resnet50`` (default), ``efficientnet``,
``unet3d``, ``clip``; ``hashed`` (default), ``bert``. Weights are random unless ``image_folder`` (CLIP) or
``text_folder`` (BERT) names a folder on this machine; the published "transfer learning" needs those.
``tiny`` sees one slice of 72 x 72 per series through a ten-layer ResNet of a quarter of the channels.

Hardware and hours: ``paper`` not measured here, one GPU of 16 GB is meant; ``tiny``: one CPU core,
20 minutes (figures: training/README.md).
Command: ``napari-lumbar train three_way --data ROOT --out RUN --preset paper``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ...models.three_way import ThreeWayConfig
from ..engine import Task
from ..local_models import start_from_folders, with_bert, with_clip
from ..schedule import Schedule, Selection
from ..tasks.fusion_grading import FusionTask, fusion_figures
from .recipe import FoldData, Recipe, Stage

_NAME, _ARCHITECTURE = "grade_findings", "three_way"
#: Batches of an epoch: 1580 studies of 25 findings, 32 at a time.
EPOCH = 1234

TINY = ThreeWayConfig(
    slices=1,
    size=72,
    window_mm=54.0,
    image="timm",
    image_options={"channels": (16, 32, 64, 128), "stem_width": 16},
    joint_width=64,
    hidden=64,
    dropout=0.1,
)
TINY_SCHEDULE = Schedule(1000, warmup_steps=100)
PAPER_SCHEDULE = Schedule(10 * EPOCH, learning_rate=1e-4, warmup_steps=EPOCH // 2, checkpoint_every=EPOCH)


def paper_config(
    image: str = "resnet50",
    text: str = "hashed",
    image_folder: Path | None = None,
    text_folder: Path | None = None,
) -> ThreeWayConfig:
    """The sizes of a pair of candidates; folders give those of their own."""
    config = ThreeWayConfig(image=image, text=text)
    config = with_clip(config, image_folder) if image_folder else config
    return with_bert(config, text_folder) if text_folder else config


def paper_stages(
    image: str = "resnet50",
    text: str = "hashed",
    image_folder: Path | None = None,
    text_folder: Path | None = None,
) -> Sequence[Stage]:
    """One network of the candidates that are named."""
    config = paper_config(image, text, image_folder, text_folder)
    start = partial(start_from_folders, image=image_folder, text=text_folder)
    return (
        Stage(
            _NAME,
            _ARCHITECTURE,
            config,
            PAPER_SCHEDULE,
            partial(_task, config, 32),
            partial(_selection, config, EPOCH),
            start if image_folder or text_folder else None,
        ),
    )


def tiny_stages() -> Sequence[Stage]:
    """The same structure for one CPU core."""
    return (
        Stage(
            _NAME,
            _ARCHITECTURE,
            TINY,
            TINY_SCHEDULE,
            partial(_task, TINY, 24),
            partial(_selection, TINY, 250),
        ),
    )


def _task(config: ThreeWayConfig, batch_size: int, fold: FoldData) -> Task:
    return FusionTask(fold.training, config, fold.seed, batch_size)


def _selection(config: ThreeWayConfig, every: int, fold: FoldData) -> Selection:
    return Selection(every, fusion_figures(fold.validation, config), "log_loss")


RECIPE = Recipe(
    "three_way",
    "images of every series, words about them and what is asked, in one answer (Abdullah et al.)",
    {"tiny": tiny_stages, "paper": paper_stages},
)
