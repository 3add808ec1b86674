"""Phantoms to train on, made once per run and kept on disk as what each network needs of them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..domain.study import MRSeries, MRSlice, SliceStack
from ..phantom import PhantomConfig, PhantomStudy, make_phantom
from ..preprocess.intensity import percentile_scale
from .processes import map_in_processes
from .samples import SagittalStack
from .tasks.axial import AxialSample, axial_samples
from .tasks.grading import GradedStudy
from .tasks.sagittal_phantoms import sagittal_stacks


def make_phantoms(
    folder: Path,
    config: PhantomConfig,
    seeds: Sequence[int],
    jobs: int,
    say: Callable[[str], None] = print,
) -> None:
    """Make the phantoms that ``folder`` lacks, in ``jobs`` processes."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [seed for seed in seeds if not _path(folder, seed, "graded").exists()]
    for done, _ in enumerate(map_in_processes(partial(_make, folder, config), wanted, jobs), start=1):
        if done % 20 == 0 or done == len(wanted):
            say(f"phantoms {done} of {len(wanted)}")


def load_stacks(folder: Path, seeds: Sequence[int]) -> Iterator[SagittalStack]:
    """Sagittal stacks of both contrasts."""
    for seed in seeds:
        yield from _read(folder, seed, "sagittal")


def load_axial(folder: Path, seeds: Sequence[int]) -> Iterator[AxialSample]:
    """Axial slices through the discs."""
    for seed in seeds:
        yield from _read(folder, seed, "axial")


def load_graded(folder: Path, seeds: Sequence[int]) -> Iterator[GradedStudy]:
    """Whole studies with what their readers said."""
    for seed in seeds:
        yield _read(folder, seed, "graded")


def _path(folder: Path, seed: int, part: str) -> Path:
    return folder / f"{seed:09d}.{part}"


def _read(folder: Path, seed: int, part: str) -> Any:
    return pickle.loads(_path(folder, seed, part).read_bytes())  # noqa: S301 - written by this very run


def _make(folder: Path, config: PhantomConfig, seed: int) -> None:
    phantom = _compact_study(make_phantom(seed, config))
    parts = {
        "sagittal": sagittal_stacks(phantom),
        "axial": axial_samples(phantom),
        "graded": GradedStudy.from_phantom(phantom),
    }
    for part, content in parts.items():
        temporary = folder / f"{seed}.part"
        temporary.write_bytes(pickle.dumps(content))
        os.replace(temporary, _path(folder, seed, part))  # noqa: PTH105


def _compact_study(phantom: PhantomStudy) -> PhantomStudy:
    """One byte per pixel, 0..255 between each slice's 1-99 percentiles: far finer than the noise."""
    series = tuple(_compact(one) for one in phantom.study.series)
    return replace(phantom, study=replace(phantom.study, series=series))


def _compact(series: MRSeries) -> MRSeries:
    stacks = tuple(SliceStack(tuple(_compact_slice(s) for s in stack.slices)) for stack in series.stacks)
    return replace(series, stacks=stacks)


def _compact_slice(mr_slice: MRSlice) -> MRSlice:
    scaled = (percentile_scale(mr_slice.pixels) * 255).astype(np.uint8)
    return replace(mr_slice, pixels=scaled)  # type: ignore[arg-type]
