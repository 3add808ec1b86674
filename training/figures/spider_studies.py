"""SPIDER's patients as sagittal T2 studies in memory, whole or cut off.

The pixels are real; the geometry follows SPIDER's tables: sagittal, 0.9 mm from slice to slice, rows to
caudal, columns to posterior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...domain.geometry import FloatArray
from ...domain.landmarks import Landmarks
from ...domain.spine import Level
from ...domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from ...pipeline import System
from ...pipeline.progress import CancelToken, ignore_progress
from ..spider import SLICE_STEP_MM, disc_table, grey, sagittal_slice, slice_paths


@dataclass(frozen=True, eq=False)
class SpiderCase:
    """A patient with the truth.

    Parameters
    ----------
    numbers
        SPIDER's number of each slice of the study.
    centres_rc
        Disc centres by name, (row, column) in pixels.
    slice_numbers
        SPIDER's number of the slice through each disc's centre.
    """

    name: str
    study: Study
    numbers: tuple[int, ...]
    centres_rc: Mapping[str, FloatArray]
    slice_numbers: Mapping[str, float]
    pixel_mm: float


def read_case(root: Path, name: str) -> SpiderCase:
    """One patient of the folder ``root``, which holds ``images`` and ``discs.csv``."""
    discs = disc_table(root, name)
    pixel_mm = float(discs[0]["pixel_mm"])
    paths = slice_paths(root, name)
    slices = [_slice(path, number, pixel_mm) for number, path in paths.items()]
    return SpiderCase(
        name,
        study_of(name, slices, SeriesRole.SAGITTAL_T2),
        tuple(paths),
        {d["level_assumed"]: np.array([float(d["row"]), float(d["col"])]) for d in discs},
        {d["level_assumed"]: float(d["slice"]) for d in discs},
        pixel_mm,
    )


def study_of(name: str, slices: list[MRSlice], role: SeriesRole) -> Study:
    """A study of one series in one stack."""
    series = MRSeries(name, name, (SliceStack(tuple(slices)),), role, "it is known what this series is")
    return Study(name, name, (series,))


def cut_below(study: Study, row: int) -> Study:
    """The study as if its field ended above ``row``."""
    return _with_slices(study, [_cut(mr_slice, row) for mr_slice in study.series[0].slices])


def single_slice(study: Study, index: int) -> Study:
    """The study as if it held one slice only."""
    return _with_slices(study, [study.series[0].slices[index]])


def locate(system: System, study: Study) -> Landmarks:
    """The landmarks of a study."""
    return system.localizer.locate(study, ignore_progress, CancelToken())


def spine_axis(case: SpiderCase, level: Level) -> FloatArray:
    """Unit vector (row, column) along the spine to caudal at a level, from the discs beside it."""
    known = [lv.value for lv in Level if lv.value in case.centres_rc]
    place = known.index(level.value)
    above, below = known[max(0, place - 1)], known[min(len(known) - 1, place + 1)]
    axis = case.centres_rc[below] - case.centres_rc[above]
    return np.asarray(axis / np.linalg.norm(axis))


def _slice(path: Path, number: int, pixel_mm: float) -> MRSlice:
    pixels = grey(path).astype(np.float32)
    return sagittal_slice(pixels, pixel_mm, number * SLICE_STEP_MM, path.stem)


def _cut(mr_slice: MRSlice, row: int) -> MRSlice:
    geometry = replace(mr_slice.geometry, rows=row)
    return replace(mr_slice, geometry=geometry, pixels=mr_slice.pixels[:row])


def _with_slices(study: Study, slices: list[MRSlice]) -> Study:
    series = replace(study.series[0], stacks=(SliceStack(tuple(slices)),))
    return replace(study, series=(series,))
