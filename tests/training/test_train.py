"""From data in RSNA's layout to a bundle: folds, stages, going on after a kill, calibration, the commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.canaries import asking_a_network
from torch import Tensor, nn

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.models.bundle import load_bundle
from napari_lumbar.models.lstm_mil import MilConfig
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.phantom.write import write_rsna
from napari_lumbar.preprocess.bags import finding_bags, sample_bag
from napari_lumbar.preprocess.planes import PLANE_SHAPES, PLANES
from napari_lumbar.training import train as training
from napari_lumbar.training.engine import Batch, Machine, stack_items
from napari_lumbar.training.losses import mil_loss
from napari_lumbar.training.recipes import FoldData, Recipe, Stage
from napari_lumbar.training.schedule import Schedule
from napari_lumbar.training.train import TrainPlan, Watcher, export_run, train

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
SEEDS = range(21, 25)
QUIET = Watcher(lambda _: None)


class Bags:
    """Two findings of a group a batch, unmoved."""

    def __init__(self, group: ConditionGroup, data: FoldData) -> None:
        self.group, self.data = group, data

    def batch(self, step: int) -> Batch:
        return stack_items([self._item(step + place) for place in range(2)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        output = network(tuple(batch[plane] for plane in PLANES[self.group]))
        return mil_loss(output, batch["severity"], batch["places"])

    def _item(self, number: int) -> Mapping[str, np.ndarray[Any, Any]]:
        study = self.data.training[number % len(self.data.training)]
        key = next(k for k in study.landmarks.points if k.condition.group is self.group)
        series = {s.series_id: s for s in study.study.series}
        bags = finding_bags(key, study.landmarks, series)
        planes = PLANES[self.group]
        crops = {p: sample_bag(bags[p], series[bags[p].series_id], PLANE_SHAPES[p]) / 255 for p in planes}
        severity = np.eye(3, dtype=np.float32)[study.severities[key]]
        return {
            "severity": severity,
            "places": np.full(len(planes), 2),
            **{p: c[:, None] for p, c in crops.items()},
        }


def stages() -> list[Stage]:
    sizes = {"channels": (8, 8, 8, 8), "stem_width": 8}
    return [
        Stage(
            f"grade_{name}",
            "lstm_mil",
            MilConfig(planes=PLANES[group], encoder_options=sizes),
            Schedule(4, warmup_steps=1, checkpoint_every=2, log_every=1),
            lambda data, group=group: Bags(group, data),  # type: ignore[misc]
        )
        for group, name in (
            (ConditionGroup.CANAL, "canal"),
            (ConditionGroup.FORAMINAL, "foraminal"),
            (ConditionGroup.SUBARTICULAR, "subarticular"),
        )
    ]


@pytest.fixture(scope="module", autouse=True)
def _recipe() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        recipe = Recipe("multistage_mil", "a trial", {"tiny": stages, "paper": stages})
        patch.setattr(training, "RECIPES", {recipe.name: recipe})
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_rsna((make_phantom(seed, SMALL) for seed in SEEDS), folder)
    return folder


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    with asking_a_network() as asked:
        train(TrainPlan("multistage_mil", root, out, folds=2), QUIET)
    assert asked == [], "training downloads and reports nothing"
    return out


def test_a_run_ends_with_a_bundle_of_every_fold(run: Path) -> None:
    bundle = load_bundle(run / "bundle")
    assert {"grade_canal_0", "grade_canal_1", "axial", "sagittal_0"} <= set(bundle.networks)
    assert bundle.manifest.training["trained_folds"] == [0, 1]
    folds = json.loads((run / "folds.json").read_text())
    assert sorted(folds.values()) == [0, 0, 1, 1]


def test_a_run_leaves_logs_for_people(run: Path) -> None:
    stage = run / "fold_0" / "grade_canal"
    assert (stage / "losses.csv").read_text().count("\n") == 5
    assert list((stage / "tensorboard").glob("events*"))
    assert (run / "fold_0" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((run / "stages.json").read_text())[0]["name"] == "grade_canal"


def test_a_run_goes_on_only_when_asked_and_only_as_it_was_started(run: Path, root: Path) -> None:
    plan = TrainPlan("multistage_mil", root, run, folds=2)
    with pytest.raises(LumbarError, match="holds a run: add --resume"):
        train(plan, QUIET)
    with pytest.raises(
        LumbarError, match=r"started otherwise: seed was 2024 and is now 5\. Choose another --out"
    ):
        train(replace(plan, seed=5, resume=True), QUIET)
    with pytest.raises(LumbarError, match="started otherwise: processes was 1 and is now 2"):
        train(replace(plan, machine=Machine(devices=2), resume=True), QUIET)


def test_a_run_goes_on_only_with_the_labels_it_began_with(run: Path, root: Path, tmp_path: Path) -> None:
    data, copy = shutil.copytree(root, tmp_path / "data"), shutil.copytree(run, tmp_path / "run")
    (copy / "config.json").write_text((run / "config.json").read_text().replace(str(root), str(data)))
    labels = data / "train.csv"
    labels.write_text(labels.read_text().replace("Severe", "Moderate", 1))
    plan = TrainPlan("multistage_mil", data, copy, folds=2, cache=run / "cache", resume=True)
    with pytest.raises(
        LumbarError, match=r"started otherwise: tables_sha256 was '\w{64}' and is now '\w{64}'"
    ):
        train(plan, QUIET)


def test_a_run_keeps_the_table_that_pretrains_it(
    run: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "points.csv"
    table.touch()
    monkeypatch.setenv("LUMBAR_POINTS", str(table))
    with pytest.raises(LumbarError, match=r"started otherwise: points was '' and is now '.*points.csv'"):
        train(TrainPlan("multistage_mil", root, run, folds=2, resume=True), QUIET)


def test_a_run_that_lost_its_last_stage_ends_with_the_same_bytes(run: Path, root: Path) -> None:
    entry = run / "fold_1" / "bundle" / "grade_subarticular.entry.json"
    before = (run / "fold_1" / "bundle" / "grade_subarticular.safetensors").read_bytes()
    entry.unlink()
    train(TrainPlan("multistage_mil", root, run, folds=2, resume=True), QUIET)
    assert (run / "fold_1" / "bundle" / "grade_subarticular.safetensors").read_bytes() == before


@pytest.fixture(scope="module")
def decoded(run: Path) -> Path:
    """What ``run`` decoded and where its localiser found the landmarks."""
    return run / "cache"


def test_one_fold_alone_makes_a_bundle_too(root: Path, decoded: Path, tmp_path: Path) -> None:
    plan = TrainPlan("multistage_mil", root, tmp_path / "run", folds=2, fold=1, cache=decoded)
    bundle = load_bundle(train(plan, QUIET))
    assert "grade_canal_1" in bundle.networks
    assert "grade_canal_0" not in bundle.networks


def test_a_system_may_be_trained_with_other_stages_than_its_own(
    root: Path, decoded: Path, tmp_path: Path
) -> None:
    def without_lstm() -> list[Stage]:
        return [replace(stage, config=replace(stage.config, recurrent=False)) for stage in stages()]

    variant = Recipe("multistage_mil", "an ablation", {"tiny": without_lstm})
    plan = TrainPlan("multistage_mil", root, tmp_path / "run", folds=2, fold=1, cache=decoded)
    bundle = load_bundle(train(plan, QUIET, variant))
    assert bundle.manifest.networks["grade_canal_1"].config["recurrent"] is False
    assert json.loads((tmp_path / "run" / "stages.json").read_text())[0]["config"]["recurrent"] is False


def test_a_bundle_can_be_made_again_from_its_run(run: Path, tmp_path: Path) -> None:
    again = export_run(run, tmp_path / "bundle", say=lambda _: None)
    assert load_bundle(again).sha256 == load_bundle(run / "bundle").sha256


def test_what_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(LumbarError, match="recipe 'yolo' is none of multistage_mil"):
        train(TrainPlan("yolo", root, tmp_path), QUIET)
    with pytest.raises(LumbarError, match="fold 7 is none of 0 to 4"):
        train(TrainPlan("multistage_mil", root, tmp_path, fold=7), QUIET)
    with pytest.raises(LumbarError, match=r"holds no run: it has no config\.json"):
        export_run(tmp_path, tmp_path / "bundle")
