"""What M-SCAN's localising networks learn from, and that the small ones learn it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.models.blocks import channels_last
from napari_lumbar.models.catalog import build_network
from napari_lumbar.models.point_unet import BACKGROUND
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.training.engine import Task
from napari_lumbar.training.recipes import FoldData
from napari_lumbar.training.recipes.mscan import RECIPE, TINY
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.mscan_places import (
    AxialPointTask,
    LevelBoxTask,
    PointMaskTask,
    blobs,
    canal_points,
    mirrored_sides,
    recess_points,
)

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
L4 = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture(scope="module")
def study() -> LabelledStudy:
    return labelled_phantom(make_phantom(11, SMALL))


def without(study: LabelledStudy, key: FindingKey) -> LabelledStudy:
    points = {k: point for k, point in study.landmarks.points.items() if k != key}
    return replace(study, landmarks=Landmarks(points))


@pytest.mark.parametrize("kind", [PointMaskTask, LevelBoxTask, AxialPointTask])
def test_a_batch_follows_from_seed_and_step(study: LabelledStudy, kind: type[PointMaskTask]) -> None:
    first, again, other = (kind([study], 64, 2, seed).batch(7) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["image"], other["image"])
    assert first["image"].shape == (2, 1, 64, 64)
    assert 0 <= first["image"].min() <= first["image"].max() <= 1


def test_blobs_lie_around_their_points() -> None:
    classes = blobs(np.array([[10.0, 20.0], [40.0, 30.0]]), [0, 3], 2.0, 64)
    assert classes[10, 20] == 0
    assert classes[41, 31] == 3
    assert (classes == BACKGROUND).sum() == 64 * 64 - 2 * 13


def test_a_level_without_a_point_is_unknown_and_never_absent(study: LabelledStudy) -> None:
    batch = LevelBoxTask([without(study, L4)], 64, 8, seed=1).batch(0)
    rank = Level.L4_L5.rank
    assert not batch["known"][:, rank].any()
    assert batch["known"][:, :rank].any()
    assert batch["present"].any()


def test_all_marked_slices_are_found(study: LabelledStudy) -> None:
    (canal,) = canal_points([study])
    assert canal.points_lps_mm.keys() == set(Level)
    recesses = recess_points([study])
    assert {one.slice_index for one in recesses} == {
        mark.slice_index for mark in study.landmarks if mark.series_id == recesses[0].series_id
    }


def test_in_a_mirror_left_is_right() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    fractions, known = np.array([[0.5, 0.7], [0.6, 0.2]]), np.array([True, False])
    turned, points, sides = mirrored_sides(image, fractions, known)
    np.testing.assert_array_equal(turned[:, 0], image[:, -1])
    np.testing.assert_allclose(points, [[0.6, 0.8], [0.5, 0.3]])
    assert sides.tolist() == [False, True]
    back = mirrored_sides(turned, points, sides)
    np.testing.assert_array_equal(back[0], image)
    np.testing.assert_allclose(back[1], fractions)


@pytest.mark.parametrize(
    ("stage", "steps", "share"), [("points", 30, 0.6), ("levels", 40, 0.75), ("axial_point", 40, 0.5)]
)
def test_the_small_networks_learn_a_batch(study: LabelledStudy, stage: str, steps: int, share: float) -> None:
    chosen = next(one for one in RECIPE.presets["tiny"]() if one.name == stage)
    torch.manual_seed(1)
    network = channels_last(build_network(chosen.architecture, asdict(chosen.config)))
    kinds: dict[str, Callable[..., Task]] = {
        "points": PointMaskTask,
        "levels": LevelBoxTask,
        "axial_point": AxialPointTask,
    }
    task: Task = kinds[stage]([study], chosen.config.size, 4, 1)
    batch, optimizer = task.batch(0), replace(chosen.schedule, warmup_steps=0).make_optimizer(network)
    losses = []
    for _ in range(steps):
        loss = task.loss(network, batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < share * losses[0]


def test_the_recipe_makes_its_tasks_from_the_whole_fold(study: LabelledStudy, tmp_path: object) -> None:
    fold = FoldData([study], [], 1, tmp_path, {}.__getitem__)  # type: ignore[arg-type]
    for stage in RECIPE.presets["tiny"]()[:3]:
        assert len(stage.task(fold).batch(0)["image"]) == TINY.batches[stage.name]
