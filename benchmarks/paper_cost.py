"""Count what the ``paper`` presets compute, without computing it, and say what that takes on a GPU.

    python -m benchmarks.paper_cost [--only RECIPE ...] [--write]

A batch of every stage goes through its network on PyTorch's meta device, at the published sizes; a training
step is taken as three forward passes, and a GPU as doing a fifth of its peak. Hours are of one fold, the
published system of paper 000 trains five. An estimate, not a measurement: no loaders, no validations.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.fx.experimental._config
from benchmarks.analyze import keep
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.models.catalog import build_network
from napari_lumbar.phantom import write_cohort
from napari_lumbar.training.recipes import RECIPES, FoldData, Stage
from napari_lumbar.training.rsna.cohort import prepare_cohort
from napari_lumbar.training.train import TrainPlan

README = Path(__file__).parents[1] / "training" / "README.md"
#: Dense bfloat16 peak of an NVIDIA A100 (data sheet), and the share of it that is taken as reached.
_PEAK_FLOPS, _SHARE = 312e12, 0.2
_PASSES_OF_A_STEP = 3
_NOTE = """
Counted, not run (`python -m benchmarks.paper_cost --write`): a batch of each network at the published size on
PyTorch's meta device, three forward passes a step, an A100 at a fifth of its peak (312 T a second in
bfloat16). One fold; `--fold all` trains five. EfficientNets reach less of the peak than the others, and
neither validations nor waiting for batches is in it.
""".strip()


@dataclass(frozen=True)
class Cost:
    """What a stage computes: parameters, and operations of all its training steps."""

    stage: str
    parameters: int
    steps: int
    operations: float

    @property
    def hours(self) -> float:
        """On the GPU that is taken as the measure."""
        return self.operations / (_PEAK_FLOPS * _SHARE) / 3600


class _Forward(Exception):
    """The forward pass is done; what comes after it needs numbers."""


def stage_cost(stage: Stage, fold: FoldData) -> Cost:
    """Count one batch of a stage, as the task makes it."""
    network = _fresh(stage)
    parameters = sum(weight.numel() for weight in network.parameters())
    batch = _on_meta(stage.task(fold).batch(0))
    network = network.to("meta").train()
    operations = _forward_operations(stage, network, fold, batch)
    schedule = stage.schedule
    steps = schedule.steps * schedule.accumulate
    return Cost(stage.name, parameters, schedule.steps, operations * _PASSES_OF_A_STEP * steps)


def _forward_operations(stage: Stage, network: nn.Module, fold: FoldData, batch: Any) -> float:
    def done(*_: object) -> None:
        raise _Forward

    network.register_forward_hook(done)
    with FlopCounterMode(display=False) as counter:
        try:
            stage.task(fold).loss(network, batch)
        except _Forward:
            return float(counter.get_total_flops())
    raise RuntimeError(f"{stage.name}: its loss never calls its network")


def _fresh(stage: Stage) -> nn.Module:
    return build_network(stage.architecture, asdict(stage.config))


def _on_meta(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to("meta")
    if isinstance(value, dict):
        return {key: _on_meta(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_on_meta(part) for part in value)
    return value


def _fold(root: Path, stages: Sequence[Stage], name: str) -> FoldData:
    """A fold of a few phantoms; networks of earlier stages are untrained, landmarks never missed."""
    plan = TrainPlan(name, root / "data", root / name, preset="paper", folds=2, cache=root / "cache")
    plan.out.mkdir(parents=True)
    cohort = prepare_cohort(plan.data, plan.out, plan.cache_folder, plan.split, 1, print)
    run = plan.out / "fold_0"
    run.mkdir()
    unmoved = np.zeros((1, 3))
    save_file({group.name: unmoved for group in ConditionGroup}, run / "misses.safetensors")
    by_name = {stage.name: stage for stage in stages}
    return FoldData(cohort.training(0), cohort.held_out(0), 0, run, lambda one: _fresh(by_name[one]))


def recipe_costs(root: Path, name: str) -> list[Cost]:
    """Every stage of a recipe's paper preset."""
    stages = RECIPES[name].presets["paper"]()
    fold = _fold(root, stages, name)
    return [stage_cost(stage, fold) for stage in stages]


def table(costs: dict[str, list[Cost]]) -> str:
    """A row per recipe."""
    lines = [
        "| recipe | networks | parameters | steps | operations | hours of one A100 |",
        "|---|---|---|---|---|---|",
    ]
    for name, stages in costs.items():
        total = sum(stage.operations for stage in stages)
        hours = sum(stage.hours for stage in stages)
        lines.append(
            f"| `{name}` | {len(stages)} | {sum(stage.parameters for stage in stages) / 1e6:.0f} M "
            f"| {sum(stage.steps for stage in stages):,} | {total:.1e} | {hours:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Count, print, and with ``--write`` keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    # Masks have no values on the meta device: every slice is taken to be there.
    torch.fx.experimental._config.meta_nonzero_assume_all_nonzero = True
    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        write_cohort(Path(folder) / "data", 6, 1, jobs=1)
        for name in options.only:
            costs[name] = recipe_costs(Path(folder), name)
            for cost in costs[name]:
                print(
                    f"{name} {cost.stage}: {cost.operations:.2e} operations, {cost.hours:.2f} h", flush=True
                )
    print(table(costs))
    if options.write:
        keep("What the paper presets compute", f"{_NOTE}\n\n{table(costs)}", README)


if __name__ == "__main__":
    main()
