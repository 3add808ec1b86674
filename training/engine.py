"""One training loop for every network: one device or many, seeded by step, resumable, atomic checkpoints.

A batch is a pure function of (task, number), so resuming needs no data-loader state: the run after a kill
sees exactly the batches it would have seen. With several processes each takes every n-th batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .checkpoint import load_checkpoint, save_checkpoint
from .run_log import RunLog
from .schedule import Schedule, Selection

Batch = dict[str, Tensor]

#: A process that waits this long for another one gives the job up.
_DEAD_AFTER = timedelta(minutes=4)


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
class Machine:
    """What to train on.

    Parameters
    ----------
    device
        ``auto`` takes CUDA if there is any.
    devices, nodes
        Processes on this machine, and machines; ``torchrun`` sets both by its environment.
    """

    device: str = "auto"
    devices: int = 1
    nodes: int = 1

    @property
    def processes(self) -> int:
        """How many train together; ``torchrun`` knows better than the command line."""
        return int(os.environ.get("WORLD_SIZE", self.devices * self.nodes))


def make_fabric(device: str = "auto", machine: Machine | None = None) -> Fabric:
    """The devices of a run; bfloat16 on CUDA only, because most CPUs emulate it slowly."""
    machine = machine or Machine(device)
    use_cuda = machine.device != "cpu" and torch.cuda.is_available()
    several = machine.devices * machine.nodes > 1
    return Fabric(
        accelerator="cuda" if use_cuda else "cpu",
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=DDPStrategy(timeout=_DEAD_AFTER) if several else "auto",
        precision="bf16-mixed" if use_cuda else "32-true",
    )


@dataclass(frozen=True)
class Run:
    """Where a run leaves its checkpoint and logs, and who is told.

    Parameters
    ----------
    say
        Told every row of the logs.
    progress
        Told after every step how many are done, and of how many.
    loaders
        Threads that prepare batches.
    """

    folder: Path
    say: Callable[[str], None] = print
    progress: Callable[[int, int], None] = lambda *_: None
    loaders: int = 1


def fit(
    fabric: Fabric,
    network: nn.Module,
    task: Task,
    schedule: Schedule,
    run: Run,
    selection: Selection | None = None,
) -> nn.Module:
    """Train, or go on from the newest checkpoint of ``run``; return the network that is kept.

    Raises
    ------
    FloatingPointError
        If more losses in a row are not finite than the schedule allows: the message names the step, the
        losses and how many there were.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    trainer = _Trainer(fabric, network, task, schedule, selection)
    start = load_checkpoint(fabric, run.folder, trainer.state)
    log = RunLog(run.folder, start, run.say, writes=fabric.is_global_zero)
    numbers = range(start, start if trainer.is_done(start) else schedule.steps)
    for step, batches, waited_s in _prepared(fabric, task, numbers, schedule.accumulate, run.loaders):
        losses = trainer.step(step, batches)
        log.waited(waited_s)
        last = step == schedule.steps - 1
        run.progress(step + 1, schedule.steps)
        if step % schedule.log_every == 0 or last:
            log.losses(step, losses)
        if selection is not None and selection.is_due(step, last):
            last = trainer.select(step, selection, log) or last
        if (step + 1) % schedule.checkpoint_every == 0 or last:
            save_checkpoint(fabric, run.folder, trainer.state, step + 1)
        if last:
            break
    return trainer.kept.eval()


class _Counters:
    """What a run counts; goes into its checkpoints. No dataclass: Fabric would fill a copy of one."""

    def __init__(self) -> None:
        self.measured: list[float] = []
        self.bad = 0
        self.bad_in_a_row = 0

    def state_dict(self) -> dict[str, Any]:
        return vars(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)


class _Trainer:
    """The mutable part of a run: network, optimiser, averaged weights, the best state, counters."""

    def __init__(
        self, fabric: Fabric, network: nn.Module, task: Task, schedule: Schedule, selection: Selection | None
    ) -> None:
        optimizer = schedule.make_optimizer(network)
        self._fabric, self._task, self._schedule, self._selection = fabric, task, schedule, selection
        self._network, self._optimizer = fabric.setup(network, optimizer)
        self._averaged = AveragedModel(
            self._network.module,
            multi_avg_fn=get_ema_multi_avg_fn(schedule.ema_decay) if schedule.ema_decay else _newest,
        )
        self._best = AveragedModel(self._network.module, multi_avg_fn=_newest) if selection else None
        self._counters = _Counters()

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        state = {"network": self._network, "optimizer": self._optimizer, "averaged": self._averaged}
        return {**state, "counters": self._counters, **({"best": self._best} if self._best else {})}

    @property
    def kept(self) -> nn.Module:
        """The network that a run ends with."""
        return (self._best or self._averaged).module

    def is_done(self, start: int) -> bool:
        """Whether a run that was resumed had stopped of itself."""
        selection = self._selection
        return selection is not None and start > 0 and selection.is_enough(self._counters.measured)

    def step(self, step: int, batches: Sequence[Batch]) -> dict[str, float]:
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.rate(step)
        # Dropout must not depend on how often the run was interrupted; each process draws its own.
        self._fabric.seed_everything(step * self._fabric.world_size + self._fabric.global_rank, verbose=False)
        self._network.train()
        self._optimizer.zero_grad(set_to_none=True)
        parts = [self._accumulate(batch, i == len(batches) - 1) for i, batch in enumerate(batches)]
        losses = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        if self._all_finite(step, losses):
            self._fabric.clip_gradients(self._network, self._optimizer, max_norm=self._schedule.clip_norm)
            self._optimizer.step()
            self._averaged.update_parameters(self._network.module)
        return {**losses, "not_finite": float(self._counters.bad)}

    def select(self, step: int, selection: Selection, log: RunLog) -> bool:
        """Measure the network, keep it if it is the best; return whether to stop."""
        figures: Mapping[str, float] = {}
        if self._fabric.is_global_zero:
            with torch.no_grad():
                figures = dict(selection.measure(self._averaged.module.eval()))
        figures = self._fabric.broadcast(figures)
        if selection.metric not in figures:
            raise KeyError(f"{selection.metric!r} is none of the figures measured: {sorted(figures)}")
        log.figures(step, figures)
        measured = self._counters.measured
        measured.append(float(figures[selection.metric]))
        if self._best is not None and selection.is_best(measured):
            self._best.update_parameters(self._averaged.module)
        return selection.is_enough(measured)

    def _accumulate(self, batch: Batch, is_last: bool) -> dict[str, float]:
        """Add the gradients of one batch; return its losses."""
        quiet = nullcontext() if is_last else self._fabric.no_backward_sync(self._network)
        with quiet:
            moved = {name: self._fabric.to_device(value) for name, value in batch.items()}
            losses = self._task.loss(self._network, moved)
            self._fabric.backward(losses["loss"] / self._schedule.accumulate)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _all_finite(self, step: int, losses: Mapping[str, float]) -> bool:
        """Count losses that are not finite on any device; stop where there are too many in a row."""
        good = torch.tensor(float(np.isfinite(list(losses.values())).all()), device=self._fabric.device)
        if bool(self._fabric.all_reduce(good, reduce_op="mean") == 1):
            self._counters.bad_in_a_row = 0
            return True
        self._counters.bad += 1
        self._counters.bad_in_a_row += 1
        if self._counters.bad_in_a_row > self._schedule.bad_steps:
            raise FloatingPointError(
                f"loss is not finite at step {step}, the {self._counters.bad_in_a_row}th time in a row "
                f"({self._counters.bad} in all): {dict(losses)}; lower the learning rate or look at this "
                "step's batch"
            )
        return False


def _newest(averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor | int) -> None:
    for kept, new in zip(averaged, current, strict=True):
        kept.copy_(new)


def _prepared(
    fabric: Fabric, task: Task, steps: range, accumulate: int, loaders: int
) -> Iterator[tuple[int, list[Batch], float]]:
    """What each step of one process needs, prepared ahead in threads, and how long it was waited for."""
    world, rank = fabric.world_size, fabric.global_rank

    def batches(step: int) -> list[Batch]:
        return [task.batch((step * accumulate + i) * world + rank) for i in range(accumulate)]

    with ThreadPoolExecutor(loaders) as pool:
        upcoming = {step: pool.submit(batches, step) for step in steps[:loaders]}
        try:
            for step in steps:
                started = time.monotonic()
                ready = upcoming.pop(step).result()
                waited_s = time.monotonic() - started
                if step + loaders in steps:
                    upcoming[step + loaders] = pool.submit(batches, step + loaders)
                yield step, ready, waited_s
        finally:  # a run that ends early leaves batches that nobody needs
            for left in upcoming.values():
                left.cancel()
