"""``napari-lumbar train``: a recipe, data in RSNA's layout, and a bundle that the viewer runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from lightning.fabric import Fabric

from ..domain.errors import LumbarError
from ..models.blocks import channels_last
from ..models.bundle import default_bundle_path
from ..models.catalog import build_network
from ..models.golden import write_golden
from .curves import CURVES, plot_curves
from .engine import Machine, Run, fit, make_fabric
from .fold_bundle import FoldBundle, join_folds, stages_as_json
from .graded import graded_studies
from .out_of_fold import calibrate_bundle
from .point_table import named_table
from .recipes import RECIPES, FoldData, Preset, Recipe, Stage
from .rsna.cohort import Cohort, Split, load_cohort, prepare_cohort
from .rsna.tables import tables_sha256
from .run_config import RunConfig, keep_config, load_config

#: Appears when the data of a run are ready; other processes wait for it.
_READY, _STAGES = "ready", "stages.json"
#: Its place in the folder of a run, and of a fold.
BUNDLE = "bundle"


@dataclass(frozen=True)
class TrainPlan:
    """What to train, on what.

    Parameters
    ----------
    data
        Folder with RSNA's tables and ``train_images``.
    out
        Folder of the run.
    fold
        The one fold to train; None for all.
    cache
        Folder of decoded studies; None for one inside the run.
    localizer
        Bundle whose localiser finds landmarks for recipes that have none.
    effort
        Scales every schedule; below 1 only for trials.
    jobs
        Processes that decode and grade studies.
    """

    recipe: str
    data: Path
    out: Path
    preset: Preset = "tiny"
    folds: int = 5
    fold: int | None = None
    seed: int = 2024
    cache: Path | None = None
    localizer: Path = field(default_factory=default_bundle_path)
    effort: float = 1.0
    jobs: int = 1
    machine: Machine = field(default_factory=Machine)
    resume: bool = False

    @property
    def config(self) -> RunConfig:
        """What must stay the same while a run goes on."""
        return RunConfig(
            recipe=self.recipe,
            preset=self.preset,
            data=str(self.data.resolve()),
            tables_sha256=tables_sha256(self.data),
            processes=self.machine.processes,
            folds=self.folds,
            seed=self.seed,
            effort=self.effort,
            localizer=str(self.localizer.resolve()),
            cache=str(self.cache_folder.resolve()),
            points=str(table.resolve()) if (table := named_table()) else "",
        )

    @property
    def cache_folder(self) -> Path:
        """Where the decoded studies lie."""
        return self.cache or self.out / "cache"

    @property
    def split(self) -> Split:
        """How the studies are divided."""
        return Split(self.folds, self.seed)

    @property
    def wanted_folds(self) -> Sequence[int]:
        """The folds to train.

        Raises
        ------
        LumbarError
            If there is no such fold.
        """
        if self.fold is not None and not 0 <= self.fold < self.folds:
            raise LumbarError(f"fold {self.fold} is none of 0 to {self.folds - 1}")
        return range(self.folds) if self.fold is None else [self.fold]


@dataclass(frozen=True)
class Watcher:
    """Who is told how a run goes: lines of text; and a stage's name, its steps done, and of how many."""

    say: Callable[[str], None] = print
    progress: Callable[[str, int, int], None] = lambda *_: None


def recipe_named(name: str) -> Recipe:
    """The recipe of this name.

    Raises
    ------
    LumbarError
        If there is none.
    """
    if name not in RECIPES:
        raise LumbarError(f"recipe {name!r} is none of {', '.join(RECIPES)}")
    return RECIPES[name]


def train(plan: TrainPlan, watcher: Watcher = Watcher(), recipe: Recipe | None = None) -> Path:
    """Train every stage on every wanted fold, calibrate on the held-out studies; return the bundle.

    Parameters
    ----------
    recipe
        In the place of the one that the plan names: the same system with other stages, for ablations.

    Raises
    ------
    LumbarError
        If the recipe, the fold or the data are not there, or the folder holds another run.
    FloatingPointError
        If the losses of a stage stop being finite.
    """
    recipe, folds = recipe or recipe_named(plan.recipe), plan.wanted_folds
    stages = [_scaled(stage, plan.effort) for stage in recipe.presets[plan.preset]()]
    cohort = _prepared(plan, stages, watcher.say)
    fabric = make_fabric(machine=plan.machine)
    fabric.launch()
    training = _Training(plan, recipe, stages, cohort, fabric, watcher)
    for fold in folds:
        training.fold(fold)
    if fabric.is_global_zero:
        export_run(plan.out, plan.out / BUNDLE, plan.jobs, watcher.say)
    fabric.barrier()
    return plan.out / BUNDLE


def _scaled(stage: Stage, effort: float) -> Stage:
    steps = max(2, round(stage.schedule.steps * effort))
    return replace(stage, schedule=replace(stage.schedule, steps=steps))


def _prepared(plan: TrainPlan, stages: Sequence[Stage], say: Callable[[str], None]) -> Cohort:
    """Data that are ready; with several processes the first one makes them and the others wait."""
    ready = plan.out / _READY
    if int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) > 0:
        while not ready.exists():
            time.sleep(1)
        return load_cohort(plan.out, plan.cache_folder)
    keep_config(plan.out, plan.config, plan.resume)
    (plan.out / _STAGES).write_text(stages_as_json(stages), encoding="utf-8")
    cohort = prepare_cohort(plan.data, plan.out, plan.cache_folder, plan.split, plan.jobs, say)
    ready.touch()
    return cohort


@dataclass(frozen=True)
class _Training:
    """The loop over folds and stages."""

    plan: TrainPlan
    recipe: Recipe
    stages: Sequence[Stage]
    cohort: Cohort
    fabric: Fabric
    watcher: Watcher

    def fold(self, fold: int) -> None:
        """Train what is not trained yet of a fold."""
        folder = self.plan.out / f"fold_{fold}"
        bundle = FoldBundle(folder / BUNDLE)
        training, held_out = self.cohort.training(fold), self.cohort.held_out(fold)
        data = FoldData(training, held_out, self.plan.seed + fold, folder, bundle.trained)
        for stage in self.stages:
            if not bundle.holds(stage.name):
                self._stage(stage, data, bundle)
        if self.fabric.is_global_zero:
            bundle.finish(self.recipe, self.plan.preset, self.stages, self.plan.localizer)
            plot_curves(folder, [stage.name for stage in self.stages], folder / CURVES)
        self.fabric.barrier()

    def _stage(self, stage: Stage, data: FoldData, bundle: FoldBundle) -> None:
        torch.manual_seed(data.seed)
        network = channels_last(build_network(stage.architecture, asdict(stage.config)))
        if stage.start is not None:
            stage.start(network, data)
        selection = stage.selection(data) if stage.selection is not None else None
        name = f"{data.run.name}/{stage.name}"
        run = Run(data.run / stage.name, self.watcher.say, partial(self.watcher.progress, name))
        kept = fit(self.fabric, network, stage.task(data), stage.schedule, run, selection)
        if self.fabric.is_global_zero:
            bundle.put(stage, kept)
        self.fabric.barrier()


def export_run(run: Path, out: Path, jobs: int = 1, say: Callable[[str], None] = print) -> Path:
    """One bundle of the finished folds, calibrated by what each says of the studies that it never saw.

    Raises
    ------
    LumbarError
        If the folder holds no run, or none of its folds is finished.
    """
    config = load_config(run)
    cohort = load_cohort(run, Path(config.cache))
    folds = {fold: FoldBundle(run / f"fold_{fold}" / BUNDLE) for fold in range(config.folds)}
    folds = {fold: bundle for fold, bundle in folds.items() if bundle.is_whole}
    if not folds:
        raise LumbarError(f"no fold of {run} is trained to its end")
    rows = [
        study
        for fold, bundle in folds.items()
        for study in graded_studies(bundle.folder, cohort.held_out(fold), jobs, say)
    ]
    how = {
        "command": f"napari-lumbar train {config.recipe}",
        "trained_folds": list(folds),
        **config.model_dump(),
    }
    manifest = join_folds(folds, out, f"{config.recipe}-{config.preset}", how)
    calibrate_bundle(out, manifest, rows)
    write_golden(out)
    return out
