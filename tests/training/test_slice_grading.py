"""What the networks of one sequence learn from: batches, figures, and whether they can learn at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.models.catalog import build_network
from napari_lumbar.models.sequence_efficientnet import LevelSlices, SequenceEfficientNet
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.training.losses import weighted_cross_entropy
from napari_lumbar.training.recipes import RECIPES, FoldData
from napari_lumbar.training.recipes.sequence_efficientnet import (
    PATIENCE,
    TINY,
    paper_stages,
    start_from_imagenet,
    tiny_stages,
)
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.slice_grading import SliceTask, graded_slices, slice_figures

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)


@pytest.fixture(scope="module")
def study() -> LabelledStudy:
    return labelled_phantom(make_phantom(5, SMALL))


def _never(name: str) -> torch.nn.Module:
    raise AssertionError(f"{name} is not needed")


def test_batches_follow_from_seed_and_step(study: LabelledStudy) -> None:
    task = SliceTask([study], ConditionGroup.FORAMINAL, TINY, 3, 4)
    first, again, other = task.batch(7), task.batch(7), task.batch(8)
    assert first["image"].shape == (4, 1, 112, 112)
    assert first["level"].shape == (4,)
    assert first["severity"].shape == (4, 3)
    assert 0 <= float(first["image"].min()) <= float(first["image"].max()) <= 1
    torch.testing.assert_close(first["image"], again["image"])
    assert not torch.equal(first["image"], other["image"])


def test_findings_without_grade_or_landmark_are_left_out(study: LabelledStudy) -> None:
    known = graded_slices([study], ConditionGroup.CANAL)
    key = known[0].landmark.key
    ungraded = replace(study, severities={k: v for k, v in study.severities.items() if k != key})
    points = {k: v for k, v in study.landmarks.points.items() if k != key}
    unplaced = replace(study, landmarks=replace(study.landmarks, points=points))
    for lacking in (ungraded, unplaced):
        assert len(graded_slices([lacking], ConditionGroup.CANAL)) == len(known) - 1
    with pytest.raises(ValueError, match="no finding of spinal canal stenosis in 0 studies has a grade"):
        SliceTask([], ConditionGroup.CANAL, TINY, 0, 4)


def test_figures_stand_beside_those_without_skill(study: LabelledStudy) -> None:
    network = build_network("sequence_efficientnet", vars(TINY)).eval()
    figures = slice_figures([study], ConditionGroup.SUBARTICULAR, TINY)(network)
    assert {"accuracy", "majority_accuracy", "balanced_accuracy", "log_loss", "no_skill_log_loss"} <= set(
        figures
    )
    assert slice_figures([], ConditionGroup.CANAL, TINY)(network)["log_loss"] == pytest.approx(np.log(3))


def test_eight_findings_are_learnt_by_heart() -> None:
    studies = [labelled_phantom(make_phantom(seed, SMALL)) for seed in (1, 2)]
    items = [one.item(TINY) for one in graded_slices(studies, ConditionGroup.CANAL)[:8]]
    images, levels, truth = (
        torch.from_numpy(np.stack([item[name] for item in items])) for name in ("image", "level", "severity")
    )
    torch.manual_seed(0)
    network = SequenceEfficientNet(replace(TINY, dropout=0.0)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(30):
        loss = weighted_cross_entropy(network(LevelSlices(images, levels)).logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_stages_of_a_preset_make_tasks_and_measures(
    preset: str, study: LabelledStudy, tmp_path: Path
) -> None:
    fold = FoldData([study], [study], 1, tmp_path, _never)
    stages = RECIPES["sequence_efficientnet"].presets[preset]()  # type: ignore[index]
    assert [stage.name for stage in stages] == ["grade_canal", "grade_foraminal", "grade_subarticular"]
    for stage in stages:
        batch = stage.task(fold).batch(0)
        assert batch["image"].shape[-1] == stage.config.size
        assert stage.start is None


def test_paper_stages_are_the_published_ones(study: LabelledStudy, tmp_path: Path) -> None:
    fold = FoldData([study], [study], 1, tmp_path, _never)
    for stage in paper_stages():
        assert (stage.schedule.optimizer, stage.schedule.learning_rate) == ("adam", 1e-3)
        assert stage.selection is not None
        selection = stage.selection(fold)
        assert (selection.metric, selection.patience, selection.higher_is_better) == (
            "log_loss",
            PATIENCE,
            False,
        )
    assert all(stage.start is start_from_imagenet for stage in paper_stages(pretrained=True))
    assert len(tiny_stages()) == 3


def test_weights_of_imagenet_are_for_this_network_alone(study: LabelledStudy, tmp_path: Path) -> None:
    fold = FoldData([study], [study], 1, tmp_path, _never)
    with pytest.raises(TypeError, match="fit a SequenceEfficientNet, not a Linear"):
        start_from_imagenet(torch.nn.Linear(2, 2), fold)
