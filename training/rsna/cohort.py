"""The studies of a training run: which there are, their folds, and their decoded images."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import overload

from ...domain.errors import LumbarError
from .cache import cache_studies, load_cached
from .checks import Problem
from .folds import severities_lacking, stratified_folds
from .images import REPEATED_PATIENT
from .preflight import look_at
from .studies import LabelledStudy, studies_with_images
from .tables import RsnaTables

#: What the look before training found, and the folds, in the folder of a run.
PREFLIGHT, FOLDS = "preflight.json", "folds.json"
#: Studies that are kept open at a time; each holds a file open.
_OPEN_STUDIES = 500


class CachedStudies(Sequence[LabelledStudy]):
    """Studies of a cache, read when they are asked for."""

    def __init__(self, folder: Path, study_ids: Sequence[str]) -> None:
        self.folder, self.study_ids = folder, tuple(study_ids)
        self._load = lru_cache(_OPEN_STUDIES)(lambda study_id: load_cached(folder, study_id))

    def __len__(self) -> int:
        return len(self.study_ids)

    @overload
    def __getitem__(self, place: int) -> LabelledStudy: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[LabelledStudy]: ...
    def __getitem__(self, place: int | slice) -> LabelledStudy | Sequence[LabelledStudy]:
        if isinstance(place, slice):
            return [self._load(study_id) for study_id in self.study_ids[place]]
        return self._load(self.study_ids[place])


@dataclass(frozen=True)
class Cohort:
    """Studies with images in a cache, and the fold in which each is held out."""

    cache: Path
    folds: Mapping[str, int]

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return max(self.folds.values()) + 1

    def training(self, fold: int) -> CachedStudies:
        """The studies that the networks of a fold learn from."""
        return CachedStudies(self.cache, [study for study, k in self.folds.items() if k != fold])

    def held_out(self, fold: int) -> CachedStudies:
        """The studies that they never see."""
        return CachedStudies(self.cache, [study for study, k in self.folds.items() if k == fold])


@dataclass(frozen=True)
class Split:
    """How many folds, and what they are drawn from."""

    folds: int
    seed: int


def prepare_cohort(
    root: Path, run: Path, cache: Path, split: Split, jobs: int, say: Callable[[str], None]
) -> Cohort:
    """Look at the data, keep what is wrong in ``run``, make the folds, decode what is not decoded yet.

    Raises
    ------
    LumbarError
        If the tables cannot be read, or no study has images, or there are fewer than folds, or a patient has
        two studies, or too many images are damaged.
    """
    found = look_at(root)
    (run / PREFLIGHT).write_text(json.dumps(found.as_json(), indent=1), encoding="utf-8")
    for line in found.lines(examples=1):
        say(line)
    _refuse_repeated_patients(found.problems)
    studies = studies_with_images(found.tables, root)
    graded = set(found.tables.grades["study_id"])
    usable = [study for study in studies if study in graded]
    if not usable:
        raise LumbarError(f"no study of {root} has both grades in its tables and images in train_images")
    cache_studies(found.tables, root, usable, cache, jobs, say)
    folds = stratified_folds(_only(found.tables, usable), split.folds, split.seed)
    for sentence in severities_lacking(found.tables, folds):
        say(f"warning: {sentence}")
    (run / FOLDS).write_text(json.dumps(folds, indent=1), encoding="utf-8")
    return Cohort(cache, folds)


def load_cohort(run: Path, cache: Path) -> Cohort:
    """What ``prepare_cohort`` made."""
    return Cohort(cache, json.loads((run / FOLDS).read_text("utf-8")))


def _refuse_repeated_patients(problems: Sequence[Problem]) -> None:
    repeated = [problem for problem in problems if problem.code == REPEATED_PATIENT]
    if repeated:
        raise LumbarError(
            f"{len(repeated)} studies are of a patient who has another one, and a fold could be measured on "
            f"someone it learned from: study {repeated[0].study_id} is {repeated[0].what}. Take one of each "
            "out of the tables"
        )


def _only(tables: RsnaTables, studies: Sequence[str]) -> RsnaTables:
    wanted = set(studies)
    return replace(tables, grades=tables.grades[tables.grades["study_id"].isin(wanted)])
