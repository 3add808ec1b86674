"""The commands that train, make, check and compare bundles: what they hand on, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from napari_lumbar.cli import app
from napari_lumbar.cli.exit_codes import ExitCode
from napari_lumbar.cli.train import RECIPE_NAMES
from napari_lumbar.models.bundle import default_bundle_path
from napari_lumbar.training import train as training
from napari_lumbar.training.recipes import RECIPES
from napari_lumbar.training.train import TrainPlan, Watcher


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_help_names_every_recipe() -> None:
    assert tuple(RECIPES) == RECIPE_NAMES


def test_the_options_reach_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[TrainPlan] = []

    def train(plan: TrainPlan, watcher: Watcher) -> Path:
        plans.append(plan)
        watcher.say("a line")
        watcher.progress("fold_0/grade", 3, 10)
        return plan.out / "bundle"

    monkeypatch.setattr(training, "train", train)
    options = ("--fold", "2", "--preset", "paper", "--devices", 4, "--resume", "--seed", 5)
    result = run("train", "multiview_transformer", "--data", tmp_path, "--out", tmp_path / "run", *options)
    assert result.exit_code == ExitCode.OK
    assert result.stdout == f"bundle: {tmp_path / 'run' / 'bundle'}\n"
    assert "a line" in result.stderr
    (plan,) = plans
    assert (plan.fold, plan.preset, plan.machine.devices, plan.resume, plan.seed) == (2, "paper", 4, True, 5)
    assert plan.localizer == default_bundle_path()


def test_a_fold_that_is_no_number_is_refused(tmp_path: Path) -> None:
    result = run("train", "multiview_transformer", "--data", tmp_path, "--out", tmp_path, "--fold", "two")
    assert result.exit_code == ExitCode.USAGE
    assert "--fold 'two' is neither a number nor all" in result.stderr


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("train", "yolo", "--data", tmp_path, "--out", tmp_path / "run")
    assert result.exit_code == ExitCode.USAGE
    assert f"recipe 'yolo' is none of {', '.join(RECIPES)}" in result.stderr


def test_a_bundle_is_checked_and_described() -> None:
    whole = run("bundle", "verify", default_bundle_path())
    assert whole.exit_code == ExitCode.OK
    assert "networks are whole" in whole.stdout
    assert "every network answers as it did when the bundle was made" in whole.stdout
    told = run("bundle", "info", default_bundle_path()).stdout
    assert "recipe multistage_mil, preset tiny" in told
    assert "heatmap_unet" in told


def test_a_broken_bundle_ends_with_its_status(tmp_path: Path) -> None:
    assert run("bundle", "verify", tmp_path).exit_code == ExitCode.BUNDLE_BROKEN


def test_a_folder_without_a_run_makes_no_bundle(tmp_path: Path) -> None:
    result = run("bundle", "make", tmp_path, "--out", tmp_path / "bundle")
    assert result.exit_code == ExitCode.USAGE
    assert "holds no run" in result.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--out", "report"), "several bundles and --out need --data"),
        (("--bundle", "a", "--bundle", "b"), "several bundles and --out need --data"),
        (("--data", "."), "--data needs --out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], sentence: str) -> None:
    result = run("evaluate", *options)
    assert result.exit_code == ExitCode.USAGE
    assert sentence in result.stderr
