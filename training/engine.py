"""One training loop for every network: seeded by step, resumable, atomic checkpoints.

A batch is a pure function of (task, step), so resuming needs no data-loader state: the run after a kill
sees exactly the batches it would have seen.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .checkpoint import load_checkpoint, save_checkpoint

Batch = dict[str, Tensor]

#: Name of a run's log.
LOSSES = "losses.csv"


def use_threads(count: int) -> None:
    """Let PyTorch and the linear algebra below NumPy and SciPy use so many threads in this process."""
    torch.set_num_threads(count)
    threadpool_limits(count)


#: Start a worker process like this where several share the machine: threads that wait for each other make
#: phantoms three times as slow.
one_thread = partial(use_threads, 1)


def stack_items(items: Sequence[Mapping[str, npt.NDArray[np.generic]]]) -> Batch:
    """Join the arrays of several samples, name by name, along a new first axis."""
    return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}


class Task(Protocol):
    """What there is to learn."""

    def batch(self, step: int) -> Batch:
        """Return the batch of a step; the same step always gives the same batch."""
        ...

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return named losses; the one called ``loss`` is minimised."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. AdamW, linear warm-up, cosine to zero, clipping, weight averaging."""

    steps: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 50
    clip_norm: float = 1.0
    ema_decay: float = 0.99
    checkpoint_every: int = 200
    log_every: int = 50

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def make_fabric(device: str = "auto") -> Fabric:
    """One device; bfloat16 on CUDA only, because most CPUs emulate it slowly."""
    use_cuda = device != "cpu" and torch.cuda.is_available()
    return Fabric(
        accelerator="cuda" if use_cuda else "cpu",
        devices=1,
        precision="bf16-mixed" if use_cuda else "32-true",
    )


def fit(
    fabric: Fabric,
    network: nn.Module,
    task: Task,
    schedule: Schedule,
    run: Path,
    say: Callable[[str], None] = print,
) -> nn.Module:
    """Train, or go on from the newest checkpoint in ``run``; return the averaged network.

    Raises
    ------
    FloatingPointError
        If a loss is not finite: the message names the step and the losses.
    """
    run.mkdir(parents=True, exist_ok=True)
    trainer = _Trainer(fabric, network, task, schedule)
    start = load_checkpoint(fabric, run, trainer.state)
    started = time.monotonic()
    for step, batch in _batches(task, start, schedule.steps):
        losses = trainer.step(step, batch)
        last = step == schedule.steps - 1
        if step % schedule.log_every == 0 or last:
            _log(run, step, losses, time.monotonic() - started, say)
        if (step + 1) % schedule.checkpoint_every == 0 or last:
            save_checkpoint(fabric, run, trainer.state, step + 1)
    return trainer.averaged.module.eval()


class _Trainer:
    """The mutable part of a run: network, optimiser, averaged weights."""

    def __init__(self, fabric: Fabric, network: nn.Module, task: Task, schedule: Schedule) -> None:
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self._fabric, self._task, self._schedule = fabric, task, schedule
        self._network, self._optimizer = fabric.setup(network, optimizer)
        self.averaged = AveragedModel(
            self._network.module, multi_avg_fn=get_ema_multi_avg_fn(schedule.ema_decay)
        )

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"network": self._network, "optimizer": self._optimizer, "averaged": self.averaged}

    def step(self, step: int, batch: Batch) -> dict[str, float]:
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.rate(step)
        # Dropout must not depend on how often the run was interrupted.
        self._fabric.seed_everything(step, verbose=False)
        self._network.train()
        losses = self._task.loss(self._network, {k: self._fabric.to_device(v) for k, v in batch.items()})
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not all(math.isfinite(v) for v in values.values()):
            raise FloatingPointError(
                f"loss is not finite at step {step}: {values}; lower the learning rate or look at this batch"
            )
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(losses["loss"])
        self._fabric.clip_gradients(self._network, self._optimizer, max_norm=self._schedule.clip_norm)
        self._optimizer.step()
        self.averaged.update_parameters(self._network.module)
        return values


def _batches(task: Task, start: int, stop: int) -> Iterator[tuple[int, Batch]]:
    """Prepare the next batch in a thread while the network works on this one."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(task.batch, start) if start < stop else None
        for step in range(start, stop):
            assert upcoming is not None  # noqa: S101 - for the type checker
            batch = upcoming.result()
            upcoming = pool.submit(task.batch, step + 1) if step + 1 < stop else None
            yield step, batch


def _log(run: Path, step: int, losses: dict[str, float], seconds: float, say: Callable[[str], None]) -> None:
    path = run / LOSSES
    new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(["step", "seconds", *losses])
        writer.writerow([step, f"{seconds:.1f}", *(f"{v:.5f}" for v in losses.values())])
    say(f"{run.name} step {step} {seconds:.0f}s " + " ".join(f"{k}={v:.4f}" for k, v in losses.items()))
