"""What M-SCAN's graders learn from: what is not graded is ignored; the small ones learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.crop_grader import CropGrader
from napari_lumbar.models.mscan import Mscan
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.training.engine import Task
from napari_lumbar.training.inner_split import inner_split
from napari_lumbar.training.recipes import FoldData
from napari_lumbar.training.recipes.mscan import TINY
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.mscan_canal import (
    UNGRADED,
    CanalCropTask,
    CanalStudyTask,
    canal_studies,
    study_item,
    take_encoders,
)
from napari_lumbar.training.tasks.mscan_figures import crop_figures, study_figures

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
L4 = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture(scope="module")
def studies() -> list[LabelledStudy]:
    return [labelled_phantom(make_phantom(seed, SMALL)) for seed in (13, 14)]


def without_axial(study: LabelledStudy) -> LabelledStudy:
    kept = tuple(s for s in study.study.series if s.role is not SeriesRole.AXIAL_T2)
    return replace(study, study=replace(study.study, series=kept))


def learn(network: nn.Module, task: Task, steps: int, rate: float = 2e-3) -> list[float]:
    """Losses of steps on one and the same batch."""
    batch = task.batch(0)
    weights = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    losses = []
    for _ in range(steps):
        loss = task.loss(network.train(), batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_missing_grades_and_points_are_never_filled_in(studies: Sequence[LabelledStudy]) -> None:
    graded = {key: s for key, s in studies[0].severities.items() if key != L4}
    (canal,) = canal_studies([replace(studies[0], severities=graded)])
    item = study_item(studies[0].study, canal, TINY.fusion)
    assert item["severity"][Level.L4_L5.rank] == UNGRADED
    assert item["seen"][Level.L4_L5.rank].all()
    points = {key: point for key, point in studies[0].landmarks.points.items() if key != L4}
    (canal,) = canal_studies([replace(studies[0], landmarks=Landmarks(points))])
    item = study_item(studies[0].study, canal, TINY.fusion)
    assert not item["seen"][Level.L4_L5.rank].any()
    assert item["severity"][Level.L4_L5.rank] == UNGRADED
    assert canal_studies([replace(studies[0], severities={})]) == []


def test_a_study_without_axial_series_shows_its_sagittal_crops(studies: Sequence[LabelledStudy]) -> None:
    (canal,) = canal_studies([without_axial(studies[0])])
    item = study_item(studies[0].study, canal, TINY.fusion)
    assert item["seen"].tolist() == [[True, False]] * 5
    assert not item["axial"].any()


def test_batches_follow_from_seed_and_step(studies: Sequence[LabelledStudy]) -> None:
    first, again = (CanalStudyTask(studies, TINY.fusion, 1, 3).batch(5) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    crops = CanalCropTask(studies, "axial", 40, 3, 3).batch(5)
    assert crops["crop"].shape == (3, 1, 40, 40)


@pytest.mark.parametrize("view", ["sagittal", "axial"])
def test_the_small_crop_grader_overfits_eight_findings(studies: Sequence[LabelledStudy], view: str) -> None:
    torch.manual_seed(1)
    network = CropGrader(TINY.crops)
    task = CanalCropTask(studies, view, TINY.crops.size, 8, seed=1)  # type: ignore[arg-type]
    losses = learn(network, task, steps=25)
    assert losses[-1] < 0.3 * losses[0]


def test_the_small_fusion_overfits_with_frozen_encoders(
    studies: Sequence[LabelledStudy], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    trained = {f"grade_{view}": CropGrader(TINY.crops) for view in ("sagittal", "axial")}
    fold = FoldData(studies, studies, 1, tmp_path, trained.__getitem__)
    network = Mscan(TINY.fusion)
    take_encoders(network, fold)
    before = network.sagittal.encoder.state_dict()
    torch.testing.assert_close(before, trained["grade_sagittal"].encoder.state_dict())
    kept = {name: value.clone() for name, value in before.items()}
    losses = learn(network, CanalStudyTask(studies, TINY.fusion, 2, seed=1), steps=60, rate=3e-3)
    assert losses[-1] < 0.3 * losses[0]
    torch.testing.assert_close(network.sagittal.encoder.state_dict(), kept)


def test_only_an_mscan_takes_encoders(tmp_path: Path) -> None:
    fold = FoldData([], [], 1, tmp_path, lambda name: nn.Linear(1, len(name)))
    with pytest.raises(TypeError, match="not Linear"):
        take_encoders(nn.Linear(1, 1), fold)


def test_figures_of_held_out_studies(studies: Sequence[LabelledStudy]) -> None:
    with torch.no_grad():
        crops = crop_figures(studies[:1], "axial", TINY.crops.size)(CropGrader(TINY.crops).eval())
        whole = study_figures(studies[:1], TINY.fusion)(Mscan(TINY.fusion).eval())
        nothing = study_figures([], TINY.fusion)(Mscan(TINY.fusion).eval())
    assert 0 < crops["log_loss"] < 5
    assert 0 < whole["log_loss"] < 5
    assert nothing["log_loss"] == pytest.approx(np.log(3))


def test_the_checkpoint_is_chosen_on_studies_that_are_neither_learnt_nor_held_out(tmp_path: Path) -> None:
    training: list[Any] = [f"study {i}" for i in range(25)]
    held_out: list[Any] = ["held out"]
    fold = FoldData(training, held_out, 1, tmp_path, lambda name: nn.Linear(1, len(name)))
    inner = inner_split(fold)
    assert set(map(str, [*inner.training, *inner.validation])) == set(training)
    assert list(inner.validation) == [training[9], training[19]]
    assert list(inner.training[1:3]) == training[1:3]
