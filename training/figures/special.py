"""Test phantoms that are out of the ordinary: series missing, other fields, other numbers of vertebrae."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from ...domain.spine import ALL_FINDINGS, Level
from ...domain.study import SeriesRole
from ...phantom.holdout import TestPhantomConfig, make_test_phantom
from .phantom_figures import Measure, landmark_percentile, measured, missing, named_wrong, share
from .records import Rows
from .runs import Runs, StudySet, rows_of
from .schema import Figure, FigureMaker

_T1, _T2 = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2
KINDS: Final[Mapping[str, TestPhantomConfig]] = {
    "T1 only": TestPhantomConfig(roles=frozenset({_T1}), transitional="none"),
    "T2 only": TestPhantomConfig(roles=frozenset({_T2}), transitional="none"),
    "axial missing": TestPhantomConfig(roles=frozenset({_T1, _T2}), transitional="none"),
    "thoraco-lumbar": TestPhantomConfig(field="thoracolumbar", transitional="none"),
    "L6": TestPhantomConfig(transitional="l6"),
    "sacralised L5": TestPhantomConfig(transitional="sacralised"),
    "scoliosis 20 degrees": TestPhantomConfig(cobb_deg=20.0, transitional="none"),
}


def special_figures(
    runs: Runs, seeds: range, make: FigureMaker, say: Callable[[str], None] = lambda _: None
) -> list[Figure]:
    """A row of figures per kind; every kind takes the same seeds."""
    figures = []
    for kind, config in KINDS.items():
        studies = StudySet(kind.replace(" ", "-"), seeds, partial(make_test_phantom, config=config))
        figures += kind_figures(rows_of(runs, studies, say), make, kind)
    return figures


def kind_figures(studies: Sequence[Rows], make: FigureMaker, kind: str, draws: int = 1000) -> list[Figure]:
    """The figures of studies of one kind."""
    return measured(studies, _MEASURES, make, kind, draws)


def _studies_named_right(rows: Rows) -> float:
    """Share of studies that name something, and nothing wrong; what is not found is counted elsewhere."""
    found = rows["found"].reshape(-1, len(ALL_FINDINGS)).any(axis=1)
    wrong = named_wrong(rows).reshape(-1, len(ALL_FINDINGS)).any(axis=1)
    return share(np.asarray(found & ~wrong))


def _l5_s1_claimed_outside(rows: Rows) -> float:
    """Share of the studies without L5/S1 in which it is claimed; NaN where all show it."""
    lowest = rows[rows["level"] == Level.L5_S1.rank].reshape(-1, len(ALL_FINDINGS) // len(Level))
    absent = lowest["outside"].all(axis=1)
    return share(lowest["found"][absent].any(axis=1))


def _unsure(rows: Rows) -> float:
    return share(np.asarray(rows["unsure_numbering"].reshape(-1, len(ALL_FINDINGS))[:, 0]))


_MEASURES = (
    Measure("landmark_median", "landmark error, median", "mm", lambda rows: landmark_percentile(rows, 50)),
    Measure("landmark_p95", "95th percentile", "mm", lambda rows: landmark_percentile(rows, 95)),
    Measure("studies_named", "studies without a wrong name", "", _studies_named_right),
    Measure("missing", "not found", "", missing),
    Measure("l5_s1_outside", "L5/S1 claimed though outside", "", _l5_s1_claimed_outside),
    Measure("unsure", "numbering called unsure", "", _unsure),
)
