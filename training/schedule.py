"""How long and how fast a network learns, and which of its states is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Schedule:
    """Optimiser, linear warm-up, cosine to zero, clipping, weight averaging.

    Parameters
    ----------
    steps
        Updates of the weights.
    restart_steps
        The cosine starts anew every so many steps; None for one fall over all steps.
    ema_decay
        Decay of the exponential average of the weights, which is what is kept; None keeps the last weights.
    accumulate
        Batches whose gradients make one update.
    bad_steps
        So many losses in a row may be infinite or no number, and are left out; one more stops the run.
    """

    steps: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 50
    clip_norm: float = 1.0
    ema_decay: float | None = 0.99
    checkpoint_every: int = 200
    log_every: int = 50
    optimizer: Literal["adamw", "adam"] = "adamw"
    restart_steps: int | None = None
    accumulate: int = 1
    bad_steps: int = 3

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        length = self.restart_steps or max(1, self.steps - self.warmup_steps)
        done = ((step - self.warmup_steps) % length) / length
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def make_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """The optimiser of the weights that are not frozen."""
        kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
        weights = [p for p in network.parameters() if p.requires_grad]
        return kinds[self.optimizer](weights, lr=self.learning_rate, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Selection:
    """When a network is measured on held-out studies, and which of its states is kept.

    Parameters
    ----------
    every
        Steps between two measurements; the last step is measured too.
    measure
        Figures of a network, by name.
    metric
        The figure that decides.
    higher_is_better
        Whether it should rise.
    patience
        Stop after so many measurements that were not better than the best; None never stops.
    window
        The mean over so many measurements in a row is compared, the state of the newest kept.
    """

    every: int
    measure: Callable[[nn.Module], Mapping[str, float]]
    metric: str
    higher_is_better: bool = False
    patience: int | None = None
    window: int = 1

    def is_due(self, step: int, last: bool) -> bool:
        """Whether the network is measured after this step."""
        return last or (step + 1) % self.every == 0

    def is_best(self, values: Sequence[float]) -> bool:
        """Whether the newest of these measurements, in order, makes the best window so far."""
        means = self._means(values)
        return len(means) > 0 and int(np.argmax(means)) == len(means) - 1

    def is_enough(self, values: Sequence[float]) -> bool:
        """Whether to stop after these measurements."""
        means = self._means(values)
        return self.patience is not None and len(means) - 1 - int(np.argmax(means or [0.0])) >= self.patience

    def _means(self, values: Sequence[float]) -> list[float]:
        sign = 1.0 if self.higher_is_better else -1.0
        # The first window is shorter where fewer were measured: something must be kept of a short run.
        return [
            sign * float(np.mean(values[max(0, i + 1 - self.window) : i + 1])) for i in range(len(values))
        ]
