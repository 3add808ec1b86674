"""What the networks of the multistage system learn from, that they learn, and that they run in a system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack
from napari_lumbar.models.catalog import build_network
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.regression_localizer import RegressionLocalizer
from napari_lumbar.pipeline.run import analyze
from napari_lumbar.preprocess.bags import finding_bags, sample_bag
from napari_lumbar.preprocess.canonical import canonical_series
from napari_lumbar.preprocess.crop_tables import CROP_TABLES
from napari_lumbar.training import fold_misses as misses_module
from napari_lumbar.training.engine import Task
from napari_lumbar.training.fold_bundle import FoldBundle
from napari_lumbar.training.fold_misses import fold_misses
from napari_lumbar.training.recipes import RECIPES, FoldData, Stage
from napari_lumbar.training.recipes.multistage_mil import TINY_BAGS, paper_stages, tiny_stages
from napari_lumbar.training.recipes.multistage_parts import Ablation, from_imagenet
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.mil import BagTask, epoch_order, near_misses
from napari_lumbar.training.tasks.points import AxialImages, PointTask, SagittalImages, mirrored
from napari_lumbar.training.tasks.slice_index import StudyVolumes

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
CANAL, FORAMINAL, SUBARTICULAR = ConditionGroup.CANAL, ConditionGroup.FORAMINAL, ConditionGroup.SUBARTICULAR
NO_MISSES = dict.fromkeys(ConditionGroup, np.zeros((0, 3)))
STAGES = {stage.name: stage for stage in tiny_stages()}


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(31, SMALL)


@pytest.fixture(scope="module")
def labelled(phantom: PhantomStudy) -> LabelledStudy:
    return labelled_phantom(phantom)


def fold_of(labelled: LabelledStudy, run: Path, trained: Callable[[str], nn.Module]) -> FoldData:
    return FoldData([labelled], [labelled], 5, run, trained)


def built(stage: Stage) -> nn.Module:
    torch.manual_seed(3)
    return build_network(stage.architecture, asdict(stage.config))


def untrained(name: str) -> nn.Module:
    return built(STAGES[name]).eval()


# Left and right exchanged ----------------------------------------------------------------------------------


def swapped(key: FindingKey) -> FindingKey:
    side = key.condition.side
    return FindingKey(Condition.of(key.condition.group, side.opposite if side else None), key.level)


def mirrored_study(labelled: LabelledStudy) -> LabelledStudy:
    """The same patient seen in a mirror: the same pixels elsewhere, names of sides exchanged."""
    across = np.array([-1.0, 1.0, 1.0])

    def series(one: MRSeries) -> MRSeries:
        stacks = []
        for stack in one.stacks:
            turned = [
                replace(
                    s,
                    geometry=replace(
                        s.geometry,
                        position_lps_mm=vector3(across * s.geometry.position_lps_mm),
                        along_row=vector3(across * s.geometry.along_row),
                        along_column=vector3(across * s.geometry.along_column),
                    ),
                )
                for s in stack.slices
            ]
            stacks.append(SliceStack(tuple(turned if one.role is SeriesRole.AXIAL_T2 else turned[::-1])))
        return canonical_series(replace(one, stacks=tuple(stacks)))

    turned = {one.series_id: series(one) for one in labelled.study.series}
    points = {}
    for landmark in labelled.landmarks:
        one = turned[landmark.series_id]
        last = len(one.slices) - 1
        index = landmark.slice_index if one.role is SeriesRole.AXIAL_T2 else last - landmark.slice_index
        place = across * landmark.point_lps_mm
        row, column = one.slices[index].geometry.pixel_from_lps(place)
        key, pixel = swapped(landmark.key), (float(row), float(column))
        points[key] = Landmark(key, vector3(place), landmark.series_id, index, pixel, None)
    return LabelledStudy(
        replace(labelled.study, series=tuple(turned.values())),
        Landmarks(points),
        {swapped(key): severity for key, severity in labelled.severities.items()},
    )


@pytest.fixture(scope="module")
def mirror(labelled: LabelledStudy) -> LabelledStudy:
    return mirrored_study(labelled)


@pytest.mark.parametrize("crops", sorted(CROP_TABLES))
def test_a_mirrored_patient_gives_the_same_bags_on_the_other_side(
    labelled: LabelledStudy, mirror: LabelledStudy, crops: str
) -> None:
    for key in (k for k in ALL_FINDINGS if k.level in (Level.L2_L3, Level.L5_S1)):
        here, there = (
            finding_bags(
                k, one.landmarks, {s.series_id: s for s in one.study.series}, side, table=CROP_TABLES[crops]
            )
            for k, one, side in ((key, labelled, Side.LEFT), (swapped(key), mirror, Side.RIGHT))
        )
        assert here.keys() == there.keys()
        for plane, bag in here.items():
            first, second = (
                sample_bag(b, one.study.by_id(b.series_id), (32, 32))
                for b, one in ((bag, labelled), (there[plane], mirror))
            )
            np.testing.assert_allclose(first, second, atol=0.1)


def test_a_mirrored_patient_gives_the_same_images_of_foramina_on_the_other_side(
    labelled: LabelledStudy, mirror: LabelledStudy
) -> None:
    here, there = (SagittalImages([one], FORAMINAL, 48) for one in (labelled, mirror))
    for side in (0, 1):
        first, second = here.sample(side, 0), there.sample(1 - side, 0)
        np.testing.assert_allclose(first.image.astype(float), second.image, atol=1)
        np.testing.assert_allclose(first.points_rc, second.points_rc, atol=1e-4)


def test_a_mirrored_axial_image_is_that_of_a_mirrored_patient(
    labelled: LabelledStudy, mirror: LabelledStudy
) -> None:
    here, there = (AxialImages([one], 48).sample(2, 0) for one in (labelled, mirror))
    image, points = mirrored(here.image.astype(np.float32), here.points_rc)
    np.testing.assert_allclose(image, there.image, atol=1)
    np.testing.assert_allclose(points, there.points_rc, atol=1e-4)


def test_a_mirrored_patient_gives_the_volume_from_its_other_end(
    labelled: LabelledStudy, mirror: LabelledStudy
) -> None:
    here, there = (StudyVolumes([one], FORAMINAL, 32)[0] for one in (labelled, mirror))
    np.testing.assert_allclose(here.volume.astype(float), there.volume[::-1], atol=1)
    right_then_left = np.roll(len(here.volume) - 1 - there.indices, len(Level))
    np.testing.assert_allclose(here.indices, right_then_left)


# Tasks -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 3))
def test_everything_comes_once_before_anything_comes_twice(size: int, count: int, seed: int) -> None:
    drawn = [i for step in range(count) for i in epoch_order(seed, step, size, count)]
    epochs = np.array(drawn).reshape(-1, count)
    assert (np.sort(epochs, axis=1) == np.arange(count)).all()


def test_only_misses_that_show_the_same_disc_move_crops() -> None:
    measured = np.array([[3.0, -4.0, 1.0], [30.0, 5.0, 0.0], [0.0, 15.0, 9.0]])
    np.testing.assert_array_equal(near_misses(measured), measured[[0, 2]])


def test_bags_hold_what_was_graded_moved_as_the_localiser_misses(labelled: LabelledStudy) -> None:
    config, options = STAGES["grade_foraminal"].config, replace(TINY_BAGS, size=4, single_steps=1)
    misses = {**NO_MISSES, FORAMINAL: np.array([[0.0, 0.0, 1.0]]), SUBARTICULAR: np.array([[0.0, 0.0, 9.0]])}
    task = BagTask([labelled], FORAMINAL, config, misses, options, seed=1)
    single, whole = task.batch(0), task.batch(1)
    assert single["sagittal"].shape == (32, 1, 1, 64, 112)
    assert whole["sagittal"].shape == (4, 5, 1, 64, 112)
    assert whole["axial"].shape == (4, 5, 1, 96, 96)
    torch.testing.assert_close(whole["severity"].sum(1), torch.ones(4))
    torch.testing.assert_close(whole["axial"], task.batch(1)["axial"])
    unmoved = BagTask([labelled], FORAMINAL, config, misses, replace(options, jitter=False), seed=1)
    assert (unmoved.batch(1)["places"][:, 0] == 2).all()  # the middle of five, at no end of its stack


def test_without_auxiliary_losses_only_the_grade_counts(labelled: LabelledStudy) -> None:
    config, options = STAGES["grade_canal"].config, replace(TINY_BAGS, size=2, single_steps=0)
    network = untrained("grade_canal")
    losses = []
    for auxiliary in (True, False):
        task = BagTask([labelled], CANAL, config, NO_MISSES, replace(options, auxiliary=auxiliary), seed=1)
        losses.append(task.loss(network, task.batch(0)))
    torch.testing.assert_close(losses[1]["loss"], losses[1]["grade"])
    assert losses[0]["loss"] > losses[0]["place"] * 2 > 0  # once per plane


class _Repeated:
    """A task that shows one batch again and again."""

    def __init__(self, task: Task, step: int) -> None:
        self._batch, self.loss = task.batch(step), task.loss

    def batch(self, _: int) -> dict[str, torch.Tensor]:
        return self._batch


def learned(network: nn.Module, task: Task, steps: int) -> tuple[float, float]:
    """Loss of the first and of the last step."""
    optimizer = torch.optim.AdamW(network.train().parameters(), lr=3e-3)
    losses = []
    for step in range(steps):
        loss = task.loss(network, task.batch(step))["loss"]
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses[0], min(losses[-3:])


def test_eight_findings_are_learned_by_heart(labelled: LabelledStudy) -> None:
    stage, options = STAGES["grade_subarticular"], replace(TINY_BAGS, size=8, single_steps=0)
    task = BagTask([labelled], SUBARTICULAR, stage.config, NO_MISSES, options, seed=2)
    first, last = learned(built(stage), _Repeated(task, 0), 20)
    assert last < 0.5 * first


def test_points_are_learned_by_heart(labelled: LabelledStudy) -> None:
    stage = STAGES["points_axial"]
    task = PointTask(AxialImages([labelled], stage.config.size), 1, batch_size=4, flips=True)
    first, last = learned(built(stage), _Repeated(task, 0), 25)
    assert last < 0.5 * first


@pytest.mark.parametrize("name", ["slice_canal-classes", "slice_foraminal-places"])
def test_slices_are_learned_by_heart(labelled: LabelledStudy, tmp_path: Path, name: str) -> None:
    stage = STAGES[name]
    task = stage.task(fold_of(labelled, tmp_path, untrained))
    first, last = learned(built(stage), _Repeated(task, 0), 12)
    assert last < 0.7 * first


# Folds, recipe, system -------------------------------------------------------------------------------------


def test_misses_of_a_fold_are_measured_once_by_its_own_networks(
    labelled: LabelledStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def trained(name: str) -> nn.Module:
        asked.append(name)
        return untrained(name)

    found = [name for name in STAGES if not name.startswith("grade")]
    first = fold_misses(fold_of(labelled, tmp_path, trained), found, studies=3)
    assert asked == found
    assert len(first[CANAL]) == 5
    assert len(first[FORAMINAL]) == 10
    monkeypatch.setattr(misses_module, "_measure", lambda *_: pytest.fail("measured again"))
    again = fold_misses(fold_of(labelled, tmp_path, trained), found, studies=3)
    np.testing.assert_array_equal(first[CANAL], again[CANAL])


def test_the_published_stages_are_those_of_the_paper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LUMBAR_POINTS", raising=False)
    stages = {stage.name: stage for stage in paper_stages()}
    assert len(stages) == 6 + 5 + 6
    assert stages["grade_canal-convnext_small"].schedule.steps == 7 * 395
    assert stages["grade_canal-tf_efficientnetv2_s"].schedule.steps == 14 * 395
    config = stages["grade_foraminal-convnext_small"].config
    assert (config.planes, config.shapes, config.crops) == (
        ("sagittal", "axial"),
        ((128, 224), (256, 256)),
        "published",
    )
    assert all(stage.start is None and stage.selection is None for stage in stages.values())
    assert all(s.start is from_imagenet for s in paper_stages(pretrained=True) if s.name.startswith("grade"))
    table = tmp_path / "points.csv"
    table.write_text("image,level,x,y\n")
    monkeypatch.setenv("LUMBAR_POINTS", str(table))
    with_table = {stage.name: stage for stage in paper_stages()}
    extra = set(with_table) - set(stages)
    assert extra == {"points_pretraining-convnext_base", "points_pretraining-tf_efficientnetv2_l"}
    assert not any(with_table[name].exported for name in extra)
    assert with_table["points_foraminal-convnext_base"].start is not None


def test_ablations_change_what_they_say_and_nothing_else() -> None:
    lesser = {stage.name: stage for stage in tiny_stages(Ablation(recurrent=False))}
    for name, stage in STAGES.items():
        if name.startswith("grade"):
            assert lesser[name].config == replace(stage.config, recurrent=False)
        else:
            assert lesser[name].config == stage.config


def test_a_bundle_of_these_networks_is_a_system(
    phantom: PhantomStudy, labelled: LabelledStudy, tmp_path: Path
) -> None:
    bundle = FoldBundle(tmp_path / "bundle")
    for stage in STAGES.values():
        bundle.put(stage, built(stage))
    bundle.finish(RECIPES["multistage_mil"], "tiny", list(STAGES.values()), tmp_path)
    system = load_system(tmp_path / "bundle", "cpu")
    assert isinstance(system.localizer, RegressionLocalizer)
    analysis = analyze(phantom.study, system)
    assert set(analysis.findings) == set(ALL_FINDINGS)
    for key, finding in analysis.findings.items():
        assert (finding.probs is None) == (finding.not_gradable is not None)
        roles = {crop.role for crop in finding.evidence}
        if key.condition.group is FORAMINAL and finding.probs is not None:
            assert SeriesRole.SAGITTAL_T1 in roles
        for role in roles:
            total = sum(crop.weight for crop in finding.evidence if crop.role is role)
            assert total == pytest.approx(1, abs=1e-4)
    without = tuple(s for s in phantom.study.series if s.role is not SeriesRole.AXIAL_T2)
    less = analyze(replace(phantom.study, series=without), system)
    assert all(f.probs is None for k, f in less.findings.items() if k.condition.group is SUBARTICULAR)
    doubted = frozenset().union(
        *(doubt.withheld for doubt in less.doubts)
    )  # it has not learnt where discs lie
    assert {
        k for k, f in less.findings.items() if f.probs is None and k.condition.group is not SUBARTICULAR
    } <= doubted


def test_its_localiser_serves_recipes_that_have_none(tmp_path: Path) -> None:
    lender, borrower = FoldBundle(tmp_path / "lender"), FoldBundle(tmp_path / "borrower")
    for stage in STAGES.values():
        lender.put(stage, built(stage))
    lender.finish(RECIPES["multistage_mil"], "tiny", list(STAGES.values()), tmp_path)
    (stage,) = RECIPES["three_way"].presets["tiny"]()
    borrower.put(stage, built(stage))
    borrower.finish(RECIPES["three_way"], "tiny", [stage], lender.folder)
    assert isinstance(load_system(borrower.folder, "cpu").localizer, RegressionLocalizer)
