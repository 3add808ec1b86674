"""Analysing many test phantoms, some at a time, and keeping their rows so that no study is analysed twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...models.bundle import default_bundle_path
from ...phantom import PhantomStudy
from ...pipeline import System, load_system
from ...pipeline.run import analyze
from ..processes import map_in_processes
from .records import Rows, study_rows


def analysed_rows(phantom: PhantomStudy, system: System) -> Rows:
    """The rows of the findings of a study."""
    return study_rows(phantom, analyze(phantom.study, system))


@dataclass(frozen=True)
class Runs:
    """How studies are analysed.

    Parameters
    ----------
    bundle
        Folder of weights.
    work
        Where rows are kept: ``work/{bundle's hash}/{name of the set}/{seed}.npy``.
    jobs
        Processes at a time, each on one thread.
    device
        Where the networks run.
    """

    bundle: Path
    work: Path
    jobs: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class StudySet:
    """Phantoms of one kind, and what is measured on each.

    Parameters
    ----------
    name
        A folder's name.
    make
        Makes the study of a seed.
    measure
        Makes the rows of a study. Both must be picklable.
    """

    name: str
    seeds: range
    make: Callable[[int], PhantomStudy]
    measure: Callable[[PhantomStudy, System], npt.NDArray[Any]] = analysed_rows


@cache
def system_of(bundle: Path | None, device: str) -> System:
    """The system of a bundle, loaded once per process."""
    return load_system(bundle or default_bundle_path(), device)


def rows_of(runs: Runs, studies: StudySet, say: Callable[[str], None]) -> list[npt.NDArray[Any]]:
    """The rows of each study of a set, in the order of seeds; those that are kept already are read."""
    folder = runs.work / system_of(runs.bundle, runs.device).bundle_sha256[:12] / studies.name
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in studies.seeds if not _path(folder, seed).is_file()]
    work = partial(_analyse_and_keep, runs, studies, folder)
    for done, seed in enumerate(map_in_processes(work, missing, runs.jobs), 1):
        say(f"{studies.name}: seed {seed} analysed, {done} of {len(missing)}")
    return [np.load(_path(folder, seed)) for seed in studies.seeds]


def _analyse_and_keep(runs: Runs, studies: StudySet, folder: Path, seed: int) -> int:
    rows = studies.measure(studies.make(seed), system_of(runs.bundle, runs.device))
    temporary = folder / f".{seed}.part.npy"
    np.save(temporary, rows)
    temporary.replace(_path(folder, seed))
    return seed


def _path(folder: Path, seed: int) -> Path:
    return folder / f"{seed}.npy"
