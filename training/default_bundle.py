"""``make bundle``: train every network of the default bundle from phantoms and SPIDER, fit it, and write it.

Each network is trained by one process on one thread, two at a time; a killed run goes on where it was.
Members of an ensemble differ in their seed and in the patients they never see, so that every real patient
can be looked at by a network that does not know them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..domain.spine import ConditionGroup
from ..models.blocks import channels_last
from ..models.bundle import BundleManifest, NetworkEntry, write_manifest, write_network
from ..models.catalog import build_network
from ..models.golden import write_golden
from ..pipeline.judge import CALIBRATION_NAMES
from . import spider
from .calibrate import Records, collect, fit_confidence, fit_grades, level_log_prior, with_grades_of
from .curves import CURVES, plot_curves
from .engine import Run, Task, fit, make_fabric, use_threads
from .misses import load_misses, measure_misses
from .model_card import write_model_card
from .phantom_kinds import CANAL_CONFIG, TRAINING_CONFIG
from .phantoms import load_axial, load_graded, load_stacks, make_phantoms
from .processes import worker_pool
from .samples import SagittalSample
from .schedule import Schedule
from .spider_canal import graded_canals
from .tasks.axial import AxialTask, axial_config
from .tasks.grading import GradedSource, GradedStudy, GradingTask, grading_config
from .tasks.sagittal import SagittalTask, sagittal_config

#: Held-out phantoms of ``evaluate`` have seeds below this; training never sees those.
FIRST_TRAINING_SEED = 100_000_000
#: Calibration and the localiser's misses use seeds this far above the first training seed of the run.
_CALIBRATION_OFFSET, _MISSES_OFFSET = 5_000, 4_000
#: Members of the ensembles; each leaves out its share of the SPIDER patients.
SAGITTAL_MEMBERS = 4
GRADE_MEMBERS = {ConditionGroup.CANAL: 5, ConditionGroup.FORAMINAL: 5, ConditionGroup.SUBARTICULAR: 3}
#: Share of real slices in the batches of the sagittal networks.
_REAL_SLICES = 0.55
#: Share of real canals while the canal's graders learn from single crops. Whole bags, which come last, hold
#: none: real canals are to teach how a canal looks, but their borders, widths on masks that are as frequent
#: as the RSNA tables' severities, are not those that the phantoms' readers have.
_REAL_CANALS = 0.15


@dataclass(frozen=True)
class BundlePlan:
    """What to train with."""

    out: Path
    run: Path
    spider_root: Path
    phantoms: int
    seed: int = 2024
    calibration_phantoms: int = 120
    misses_phantoms: int = 60
    jobs: int = 2
    #: Scales every schedule; below 1 only for tests.
    effort: float = 1.0

    @property
    def seeds(self) -> range:
        """Seeds of the training phantoms."""
        first = FIRST_TRAINING_SEED + 10_000 * (self.seed % 10_000)
        return range(first, first + self.phantoms)

    @property
    def calibration_seeds(self) -> range:
        """Seeds of the phantoms that the finished networks are calibrated on."""
        first = self.seeds.start + _CALIBRATION_OFFSET
        return range(first, first + self.calibration_phantoms)

    @property
    def misses_seeds(self) -> range:
        """Seeds of the phantoms that the localiser's misses are measured on."""
        first = self.seeds.start + _MISSES_OFFSET
        return range(first, first + self.misses_phantoms)

    @property
    def misses_path(self) -> Path:
        """Where the localiser's misses are kept."""
        return self.run / "misses.safetensors"

    @property
    def phantom_folder(self) -> Path:
        """Where the training phantoms are kept."""
        return self.run / "phantoms"

    @property
    def canal_phantom_folder(self) -> Path:
        """Where those of the canal's graders are kept."""
        return self.run / "canal_phantoms"


@dataclass(frozen=True)
class NetworkPlan:
    """One network: its architecture, configuration, task and schedule.

    Parameters
    ----------
    member, members
        Which network of an ensemble this is, and how many there are; its share of patients is left out.
    start
        The network whose trained weights this one starts from.
    """

    architecture: str
    config: Any
    task: Callable[[BundlePlan, NetworkPlan], Task]
    schedule: Schedule
    member: int = 0
    members: int = 1
    start: str | None = None

    def seed(self, plan: BundlePlan) -> int:
        """Every member starts and draws differently."""
        return plan.seed + 101 * self.member

    def held_out(self, cases: Sequence[str]) -> list[str]:
        """Patients that this network never sees: every n-th of the sorted cases."""
        return list(cases[self.member :: self.members]) if self.members > 1 else []

    def seen(self, cases: Sequence[str]) -> list[str]:
        """Patients that it may see."""
        return [case for case in cases if case not in self.held_out(cases)]


def _base_task(plan: BundlePlan, network: NetworkPlan) -> Task:
    return SagittalTask([(1.0, _made_slices(plan))], network.seed(plan))


def _sagittal_task(plan: BundlePlan, network: NetworkPlan) -> Task:
    cases = network.seen(spider.cases(plan.spider_root))
    real = [sample for case in cases for sample in spider.load_case(plan.spider_root, case)]
    sources = [(_REAL_SLICES, real), (1 - _REAL_SLICES, _made_slices(plan))]
    return SagittalTask(sources, network.seed(plan))


def _made_slices(plan: BundlePlan) -> list[SagittalSample]:
    stacks = load_stacks(plan.phantom_folder, plan.seeds)
    return [sample for stack in stacks for sample in stack.samples(1)]


def _axial_task(plan: BundlePlan, network: NetworkPlan) -> Task:
    return AxialTask(list(load_axial(plan.phantom_folder, plan.seeds)), network.seed(plan))


def _grading_task(group: ConditionGroup, single_steps: int, plan: BundlePlan, network: NetworkPlan) -> Task:
    is_canal = group is ConditionGroup.CANAL
    made = list(load_graded(plan.canal_phantom_folder if is_canal else plan.phantom_folder, plan.seeds))
    real: list[GradedStudy] = []
    if is_canal:
        cases = network.seen(spider.cases(plan.spider_root))
        real = [study for case in cases for study in graded_canals(plan.spider_root, case)]
    sources = [GradedSource(real, _REAL_CANALS, 0.0), GradedSource(made, 1 - _REAL_CANALS, 1.0)]
    misses = load_misses(plan.misses_path)
    return GradingTask(sources, group, network.seed(plan), round(single_steps * plan.effort), misses)


def _sagittal_plan(member: int) -> NetworkPlan:
    return NetworkPlan(
        "heatmap_unet",
        sagittal_config(),
        _sagittal_task,
        Schedule(1800, learning_rate=2e-3),
        member,
        SAGITTAL_MEMBERS,
        start=SAGITTAL_BASE,
    )


def _grading_plan(group: ConditionGroup, single_steps: int, bag_steps: int, member: int) -> NetworkPlan:
    return NetworkPlan(
        "lstm_mil",
        grading_config(group),
        partial(_grading_task, group, single_steps),
        Schedule(single_steps + bag_steps, learning_rate=2e-3),
        member,
        GRADE_MEMBERS[group],
    )


#: Name and steps of each ensemble of graders: single crops, then whole bags.
_GRADERS = {
    ConditionGroup.FORAMINAL: ("grade_foraminal", 1200, 1000),
    ConditionGroup.CANAL: ("grade_canal", 800, 800),
    ConditionGroup.SUBARTICULAR: ("grade_subarticular", 1200, 1000),
}

#: Trained on phantoms alone and thrown away: the sagittal networks start from it, each with its patients.
SAGITTAL_BASE = "sagittal_base"

#: Everything that is trained.
TRAINED: dict[str, NetworkPlan] = {
    SAGITTAL_BASE: NetworkPlan(
        "heatmap_unet", sagittal_config(), _base_task, Schedule(1000, learning_rate=3e-3)
    ),
    **{f"sagittal_{k}": _sagittal_plan(k) for k in range(SAGITTAL_MEMBERS)},
    **{
        f"{name}_{k}": _grading_plan(group, single, bags, k)
        for group, (name, single, bags) in _GRADERS.items()
        for k in range(GRADE_MEMBERS[group])
    },
    "axial": NetworkPlan("heatmap_unet", axial_config(), _axial_task, Schedule(400, learning_rate=3e-3)),
}
#: What goes into the bundle; and the part of it that the graders learn from the misses of.
NETWORKS = {name: network for name, network in TRAINED.items() if name != SAGITTAL_BASE}
LOCALISERS = {name: network for name, network in NETWORKS.items() if not name.startswith("grade")}


def make_bundle(plan: BundlePlan, say: Callable[[str], None] = print) -> None:
    """Train what is not trained yet, calibrate, then write the bundle with its manifest and card."""
    if not spider.cases(plan.spider_root):
        say("SPIDER is not there (set LUMBAR_DATA): training on phantoms alone, real levels will suffer")
    make_phantoms(plan.phantom_folder, TRAINING_CONFIG, plan.seeds, plan.jobs, say)
    _train_all(plan, [SAGITTAL_BASE, *LOCALISERS], say)
    write_bundle(plan, plan.run / "localisers", LOCALISERS)
    measure_misses(plan.run / "localisers", plan.misses_seeds, plan.jobs, plan.misses_path, say)
    make_phantoms(plan.canal_phantom_folder, CANAL_CONFIG, plan.seeds, plan.jobs, say)
    _train_all(plan, [name for name in NETWORKS if name not in LOCALISERS], say)
    write_bundle(plan, plan.run / "uncalibrated", NETWORKS)
    write_bundle(plan, plan.out, NETWORKS, _records(plan, say))
    say(f"bundle written to {plan.out.name}")


def _records(plan: BundlePlan, say: Callable[[str], None]) -> Records:
    """What grades are calibrated on: each group's are of phantoms like those that its graders learnt from."""
    uncalibrated, seeds = plan.run / "uncalibrated", plan.calibration_seeds
    usual = collect(uncalibrated, seeds, plan.jobs, TRAINING_CONFIG.front_fat, say)
    varied = collect(uncalibrated, seeds, plan.jobs, CANAL_CONFIG.front_fat, say)
    return with_grades_of(usual, varied, ConditionGroup.CANAL)


def _train_all(plan: BundlePlan, names: Sequence[str], say: Callable[[str], None]) -> None:
    """Train in ``plan.jobs`` processes, in order; a network that starts from another waits for it."""
    waiting = {name: TRAINED[name] for name in names}
    with worker_pool(plan.jobs) as pool:
        running: set[Future[str]] = set()
        done: set[str | None] = {None}
        while waiting or running:
            ready = [name for name, network in waiting.items() if network.start in done]
            for name in ready[: plan.jobs - len(running)]:
                running.add(pool.submit(train_network, plan, name))
                del waiting[name]
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                done.add(future.result())  # a failure ends the run here, whatever is still waiting
                say(f"{future.result()} is trained")


def train_network(plan: BundlePlan, name: str) -> str:
    """Train one network in this process; return its name."""
    use_threads(max(1, (os.cpu_count() or 1) // plan.jobs))
    network_plan = TRAINED[name]
    torch.manual_seed(network_plan.seed(plan))
    network = _build(network_plan) if network_plan.start is None else _trained(plan, network_plan.start)
    task = network_plan.task(plan, network_plan)
    fit(
        make_fabric(),
        channels_last(network),
        task,
        _scaled(network_plan.schedule, plan),
        Run(plan.run / name),
    )
    return name


def write_bundle(plan: BundlePlan, out: Path, names: Collection[str], records: Records | None = None) -> None:
    """Write the averaged weights of finished runs, calibrated by ``records`` if there are any."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    entries = {name: _write_trained(plan, out, name) for name in names}
    for group, found in (records or {}).items():
        name = CALIBRATION_NAMES[group]
        fitted = fit_grades(found, level_log_prior(group))
        entries[name] = write_network(out, name, "grade_calibration", fitted.config, fitted)
    manifest = BundleManifest(
        name="default",
        recipe="multistage_mil",
        preset="tiny",
        networks=entries,
        training=_how_trained(plan),
        settings=fit_confidence(records).to_settings() if records else {},
    )
    write_manifest(out, manifest)
    write_golden(out)
    plot_curves(plan.run, [name for name in TRAINED if name in {SAGITTAL_BASE, *names}], out / CURVES)
    write_model_card(out, manifest)


def _write_trained(plan: BundlePlan, out: Path, name: str) -> NetworkEntry:
    network_plan = NETWORKS[name]
    return write_network(out, name, network_plan.architecture, network_plan.config, _trained(plan, name))


def _trained(plan: BundlePlan, name: str) -> nn.Module:
    """The averaged weights of a finished run."""
    network_plan = TRAINED[name]
    schedule = _scaled(network_plan.schedule, plan)
    network = fit(make_fabric("cpu"), _build(network_plan), _NoTask(), schedule, Run(plan.run / name))
    return network.requires_grad_(True)


def _how_trained(plan: BundlePlan) -> dict[str, Any]:
    cases = spider.cases(plan.spider_root)
    return {
        "command": "make bundle",
        "seed": plan.seed,
        "phantoms": plan.phantoms,
        "phantom_seeds": [plan.seeds.start, plan.seeds.stop],
        "misses_seeds": [plan.misses_seeds.start, plan.misses_seeds.stop],
        "calibration_seeds": [plan.calibration_seeds.start, plan.calibration_seeds.stop],
        "spider_cases": cases,
        "spider_folds": [NETWORKS[f"sagittal_{k}"].held_out(cases) for k in range(SAGITTAL_MEMBERS)],
        "canal_folds": [
            NETWORKS[f"grade_canal_{k}"].held_out(cases) for k in range(GRADE_MEMBERS[ConditionGroup.CANAL])
        ],
        "steps": {name: _scaled(n.schedule, plan).steps for name, n in TRAINED.items()},
    }


class _NoTask:
    """A finished run asks for no batch."""

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        raise RuntimeError(f"the run stopped before step {step}; train it before writing the bundle")

    def loss(self, network: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        raise RuntimeError(
            f"{type(network).__name__} was not trained to the end ({len(batch)} tensors given)"
        )


def _build(network_plan: NetworkPlan) -> nn.Module:
    return build_network(network_plan.architecture, asdict(network_plan.config))


def _scaled(schedule: Schedule, plan: BundlePlan) -> Schedule:
    return replace(schedule, steps=max(2, round(schedule.steps * plan.effort)))
