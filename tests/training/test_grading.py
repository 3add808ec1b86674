"""What the graders learn from: crops around the truth, recoloured, moved, sometimes blank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.training.tasks import grading
from napari_lumbar.training.tasks.grading import GradedSource, GradedStudy, GradingTask

NONE = dict.fromkeys(ConditionGroup, np.zeros((0, 3)))
SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)


@pytest.fixture(scope="module")
def study() -> GradedStudy:
    return GradedStudy.from_phantom(make_phantom(11, SMALL))


def test_tissues_lie_where_their_pixels_lie(study: GradedStudy) -> None:
    """Also in a series whose slices were stored from left to right."""
    assert study.tissues.keys() == study.series.keys()
    for series_id, series in study.series.items():
        for image, labels in zip(series.slices, study.tissues[series_id].slices, strict=True):
            assert image.geometry == labels.geometry
            air = labels.pixels == 0
            assert image.pixels[air].mean() < image.pixels[~air].mean()


def test_single_crops_come_first_then_whole_bags(study: GradedStudy) -> None:
    task = GradingTask(
        [GradedSource([study], 1.0, 1.0)], ConditionGroup.CANAL, seed=1, single_steps=1, misses=NONE
    )
    first, second = task.batch(0), task.batch(1)
    assert first["sagittal"].shape[1:] == (1, 1, 64, 112)
    assert second["sagittal"].shape[1:] == (5, 1, 64, 112)
    assert second["axial"].shape[1:] == (5, 1, 96, 96)
    torch.testing.assert_close(first["severity"].sum(1), torch.ones(len(first["severity"])))


def test_some_studies_teach_single_crops_alone(study: GradedStudy) -> None:
    """Real canals show how a canal looks; the borders of the severities come last, from phantoms."""
    severe = np.array([0.0, 0.0, 1.0], np.float32)
    real = replace(study, severity=dict.fromkeys(study.severity, severe))
    sources = [GradedSource([real], 1.0, 0.0), GradedSource([study], 0.0, 1.0)]
    task = GradingTask(sources, ConditionGroup.CANAL, seed=1, single_steps=1, misses=NONE)
    single, bags = (batch["severity"].numpy() for batch in (task.batch(0), task.batch(1)))
    assert (single == severe).all()
    assert not (bags == severe).all(1).any()


def test_recolouring_changes_the_crops_but_not_what_is_asked(
    study: GradedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = GradingTask(
        [GradedSource([study], 1.0, 1.0)], ConditionGroup.SUBARTICULAR, seed=1, single_steps=1, misses=NONE
    )
    recoloured = task.batch(0)
    monkeypatch.setattr(grading, "tissue_gains", lambda rng, image, labels: np.ones(64, np.float32))
    plain = task.batch(0)
    assert not torch.equal(recoloured["axial"], plain["axial"])
    assert recoloured["axial"].shape == plain["axial"].shape
