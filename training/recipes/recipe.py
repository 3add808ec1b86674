"""What a recipe is: stages that are trained one after another on the folds of a set of studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from ..engine import Task
from ..rsna.studies import LabelledStudy
from ..schedule import Schedule, Selection

Preset = Literal["tiny", "paper"]


@dataclass(frozen=True, eq=False)
class FoldData:
    """What the networks of one fold may know.

    Parameters
    ----------
    training, validation
        Studies to learn from, and studies held out; pixels 0..255, in the usual view.
    seed
        Decides everything.
    run
        Folder of the fold. Networks of earlier stages lie in it; see ``trained``.
    trained
        The finished network of an earlier stage of the same fold, by the stage's name.
    """

    training: Sequence[LabelledStudy]
    validation: Sequence[LabelledStudy]
    seed: int
    run: Path
    trained: Callable[[str], nn.Module]


@dataclass(frozen=True)
class Stage:
    """One network.

    Parameters
    ----------
    name
        What its weights are called in the bundle.
    architecture, config
        Key of the architecture catalogue, and its configuration.
    schedule
        How long and how fast.
    task
        What it learns.
    selection
        How it is measured on the held-out studies and which state is kept; None keeps the last.
    start
        Given the fresh network, put weights of elsewhere into it or freeze some.
    exported
        False for a network that only later stages start from: it stays out of the bundle.
    """

    name: str
    architecture: str
    config: Any
    schedule: Schedule
    task: Callable[[FoldData], Task]
    selection: Callable[[FoldData], Selection] | None = None
    start: Callable[[nn.Module, FoldData], None] | None = None
    exported: bool = True


@dataclass(frozen=True)
class Recipe:
    """One published system.

    Parameters
    ----------
    name
        Key of the recipe, of the bundle's manifest and of the system that runs the bundle.
    summary
        One line for people.
    presets
        Stages in their order, by preset.
    localizes
        Whether its stages find the landmarks; if not, the bundle gets the localiser of another bundle.
    """

    name: str
    summary: str
    presets: Mapping[Preset, Callable[[], Sequence[Stage]]]
    localizes: bool = False
