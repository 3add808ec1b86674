"""``make bundle``: train every network of the default bundle from phantoms and SPIDER, and write it.

Each network is trained by one process on one thread, two at a time; a killed run goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..domain.spine import ConditionGroup
from ..models.bundle import BundleManifest, write_manifest, write_network
from ..models.catalog import build_network
from ..phantom import PhantomStudy
from . import spider
from .engine import Schedule, Task, fit, make_fabric
from .model_card import write_model_card
from .phantoms import load_phantoms, make_phantoms, sagittal_samples
from .tasks.axial import AxialTask, axial_config, axial_samples
from .tasks.grading import GradingTask, grading_config
from .tasks.sagittal import SagittalTask, sagittal_config
from .tasks.slice_index import SliceIndexTask, slice_index_config, slice_sample

#: Held-out phantoms of ``evaluate`` have seeds below this; training never sees those.
FIRST_TRAINING_SEED = 100_000_000
#: SPIDER cases kept for looking at, the last in order of name.
SPIDER_HELD_OUT = 5


@dataclass(frozen=True)
class BundlePlan:
    """What to train with."""

    out: Path
    run: Path
    spider_root: Path
    seed: int = 2024
    phantoms: int = 160
    jobs: int = 2
    #: Scales every schedule; below 1 only for tests.
    effort: float = 1.0

    @property
    def seeds(self) -> range:
        """Seeds of the training phantoms."""
        first = FIRST_TRAINING_SEED + 10_000 * (self.seed % 10_000)
        return range(first, first + self.phantoms)


@dataclass(frozen=True)
class NetworkPlan:
    """One network: its architecture, configuration, task and schedule."""

    architecture: str
    config: Any
    task: Callable[[BundlePlan], Task]
    schedule: Schedule


def _phantoms(plan: BundlePlan) -> list[PhantomStudy]:
    return list(load_phantoms(plan.run / "phantoms", plan.seeds))


def _sagittal_task(plan: BundlePlan) -> Task:
    cases = spider.cases(plan.spider_root)[:-SPIDER_HELD_OUT]
    real = [sample for case in cases for sample in spider.load_case(plan.spider_root, case)]
    made = [
        sample
        for phantom in load_phantoms(plan.run / "phantoms", plan.seeds)
        for sample in sagittal_samples(phantom)
    ]
    return SagittalTask([(0.5, real), (0.5, made)], plan.seed)


def _axial_task(plan: BundlePlan) -> Task:
    phantoms = load_phantoms(plan.run / "phantoms", plan.seeds)
    return AxialTask([sample for phantom in phantoms for sample in axial_samples(phantom)], plan.seed)


def _slice_task(group: ConditionGroup, plan: BundlePlan) -> Task:
    samples = (slice_sample(p, group) for p in load_phantoms(plan.run / "phantoms", plan.seeds))
    return SliceIndexTask([sample for sample in samples if sample is not None], plan.seed)


def _grading_task(group: ConditionGroup, single_steps: int, plan: BundlePlan) -> Task:
    return GradingTask(_phantoms(plan), group, plan.seed, round(single_steps * plan.effort))


def _grading_plan(group: ConditionGroup, single_steps: int, bag_steps: int) -> NetworkPlan:
    return NetworkPlan(
        "lstm_mil",
        grading_config(group),
        partial(_grading_task, group, single_steps),
        Schedule(single_steps + bag_steps, learning_rate=2e-3),
    )


def _slice_plan(group: ConditionGroup) -> NetworkPlan:
    return NetworkPlan(
        "slice_index_convnext3d",
        slice_index_config(group),
        partial(_slice_task, group),
        Schedule(steps=800, learning_rate=2e-3),
    )


#: In the order of training: the long ones first, so that both processes end together.
NETWORKS: dict[str, NetworkPlan] = {
    "sagittal": NetworkPlan(
        "heatmap_unet", sagittal_config(), _sagittal_task, Schedule(2000, learning_rate=3e-3)
    ),
    "grade_foraminal": _grading_plan(ConditionGroup.FORAMINAL, 250, 170),
    "grade_canal": _grading_plan(ConditionGroup.CANAL, 220, 170),
    "grade_subarticular": _grading_plan(ConditionGroup.SUBARTICULAR, 300, 220),
    "axial": NetworkPlan("heatmap_unet", axial_config(), _axial_task, Schedule(400, learning_rate=3e-3)),
    "slice_canal": _slice_plan(ConditionGroup.CANAL),
    "slice_foraminal": _slice_plan(ConditionGroup.FORAMINAL),
}


def make_bundle(plan: BundlePlan, say: Callable[[str], None] = print) -> None:
    """Train what is not trained yet, then write the bundle with its manifest and card."""
    if not spider.cases(plan.spider_root):
        say("SPIDER is not there (set LUMBAR_DATA): training on phantoms alone, real levels will suffer")
    make_phantoms(plan.run / "phantoms", plan.seeds, plan.jobs, say)
    with ProcessPoolExecutor(plan.jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(train_network, plan, name) for name in NETWORKS]):
            say(f"{future.result()} is trained")  # a failure ends the run here, whatever is still waiting
    write_bundle(plan)
    say(f"bundle written to {plan.out.name}")


def train_network(plan: BundlePlan, name: str) -> str:
    """Train one network in this process; return its name."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // plan.jobs))
    torch.manual_seed(plan.seed)
    network_plan = NETWORKS[name]
    network = _build(network_plan)
    fit(
        make_fabric(), network, network_plan.task(plan), _scaled(network_plan.schedule, plan), plan.run / name
    )
    return name


def write_bundle(plan: BundlePlan) -> None:
    """Write the averaged weights of every finished run."""
    plan.out.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name, network_plan in NETWORKS.items():
        network = fit(
            make_fabric("cpu"),
            _build(network_plan),
            _NoTask(),
            _scaled(network_plan.schedule, plan),
            plan.run / name,
        )
        entries[name] = write_network(plan.out, name, network_plan.architecture, network_plan.config, network)
    cases = spider.cases(plan.spider_root)
    manifest = BundleManifest(
        name="default",
        recipe="multistage_mil",
        preset="tiny",
        networks=entries,
        training={
            "command": "make bundle",
            "seed": plan.seed,
            "phantoms": plan.phantoms,
            "spider_cases": cases[:-SPIDER_HELD_OUT],
            "spider_held_out": cases[-SPIDER_HELD_OUT:],
            "steps": {name: _scaled(n.schedule, plan).steps for name, n in NETWORKS.items()},
        },
    )
    write_manifest(plan.out, manifest)
    write_model_card(plan.out, manifest)


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
