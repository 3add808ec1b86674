"""How well M-SCAN's graders grade held-out studies.

Crops are cut anew each time: kept, they fill gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ...models.mscan import MscanConfig, MscanInput
from ..engine import Batch, stack_items
from ..metrics import NO_SKILL_LOG_LOSS, severity_figures
from ..rsna.studies import LabelledStudy
from .mscan_canal import UNGRADED, Cutter, Item, View, canal_studies, graded_levels, study_item

Figures = Callable[[nn.Module], Mapping[str, float]]
#: The middle one of a level's axial slices.
_MIDDLE = 1


def crop_figures(studies: Sequence[LabelledStudy], view: View, size: int) -> Figures:
    """Of a ``CropGrader``; an axial crop is the middle one of three."""
    levels = graded_levels(canal_studies(studies), view)

    def items() -> Iterator[Item]:
        for place, level in levels:
            cutter = Cutter(studies[place].study, size, size, None)
            crop = cutter.sagittal(level) if view == "sagittal" else cutter.axial(level, _MIDDLE, False)
            yield {"crop": crop[None], "severity": np.array(level.severity)}

    def measure(network: nn.Module) -> Mapping[str, float]:
        said = [(network(batch["crop"]), batch["severity"]) for batch in _batches(network, items(), 16)]
        return _figures(said)

    return measure


def study_figures(studies: Sequence[LabelledStudy], config: MscanConfig) -> Figures:
    """Of an ``Mscan``, over the levels that are graded."""
    canals = canal_studies(studies)

    def items() -> Iterator[Item]:
        return (study_item(studies[canal.place].study, canal, config) for canal in canals)

    def measure(network: nn.Module) -> Mapping[str, float]:
        said = []
        for batch in _batches(network, items(), 2):
            known = batch["severity"] != UNGRADED
            output = network(MscanInput(batch["sagittal"], batch["axial"], batch["seen"]))
            said.append((output.logits[known], batch["severity"][known]))
        return _figures(said)

    return measure


def _batches(network: nn.Module, items: Iterator[Item], size: int) -> Iterator[Batch]:
    device = next(network.parameters()).device
    waiting: list[Item] = []
    for item in items:
        waiting.append(item)
        if len(waiting) == size:
            yield {name: value.to(device) for name, value in stack_items(waiting).items()}
            waiting = []
    if waiting:
        yield {name: value.to(device) for name, value in stack_items(waiting).items()}


def _figures(said: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, float]:
    """Of logits and severities; no skill where nothing was held out."""
    if not said:
        return {"log_loss": NO_SKILL_LOG_LOSS}
    logits, labels = (torch.cat(parts) for parts in zip(*said, strict=True))
    probs = logits.float().softmax(-1).cpu().numpy().astype(np.float64)
    return severity_figures(probs, labels.cpu().numpy())
