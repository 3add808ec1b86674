"""Levels and canal on SPIDER's patients, each read by networks that were trained without that patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...domain.errors import LumbarError
from ...domain.geometry import FloatArray
from ...domain.landmarks import Landmarks
from ...domain.spine import Condition, FindingKey, Level
from ...domain.study import Study
from ...models.bundle import load_bundle
from ...pipeline import System, load_system
from ..metrics import bootstrap
from .schema import Figure, FigureMaker
from .spider_canal import canal_figures
from .spider_studies import SpiderCase, cut_below, locate, read_case, single_slice, spine_axis

Say = Callable[[str], None]

#: Where the field ends above the centre of L5/S1, mm: through L5's lower endplate to the middle of L4.
CUTS_MM = (8.0, 14.0, 22.0, 32.0, 45.0)
#: Slices beside the middle of L5/S1 that are tried alone, in slices of 0.9 mm.
_ALONE = (-6, -2, 2, 6)


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read of one patient.

    Parameters
    ----------
    along_mm
        Canal landmark from its disc's centre along the spine, per level; NaN where it is missing.
    named_right
        Whether every level of the truth was found, nearest to the disc of its own name.
    invented, invented_alone
        Whether L5/S1 was claimed where the field ends above it: per cut, and per cut and slice alone.
    """

    along_mm: FloatArray
    named_right: bool
    invented: tuple[bool, ...]
    invented_alone: tuple[bool, ...]


Statistic = Callable[[Sequence[Reading]], float]


def fold_of(training: Mapping[str, Any], key: str) -> dict[str, int]:
    """Cases by name, and the number of the network that was trained without them.

    Raises
    ------
    LumbarError
        If the bundle's manifest does not say which patients each network left out.
    """
    if key not in training:
        raise LumbarError(
            f"the bundle's manifest has no training[{key!r}]: it does not say which SPIDER patients each "
            "network left out, so none can be measured without having been trained on"
        )
    return {case: fold for fold, cases in enumerate(training[key]) for case in cases}


def spider_figures(
    bundle: Path, root: Path, make: FigureMaker, device: str = "cpu", say: Say = lambda _: None
) -> list[Figure]:
    """All figures of the patients; those of the canal where the bundle's canal networks have folds."""
    training = load_bundle(bundle).manifest.training
    levels = {"sagittal": fold_of(training, "spider_folds")}
    readings = []
    for case, system in cases_unseen(bundle, root, levels, device):
        readings.append(read_patient(case, system))
        say(f"{case.name}: {_line(readings[-1])}")
    figures = level_figures(readings, make)
    if "canal_folds" in training:
        grades = {**levels, "grade_canal": fold_of(training, "canal_folds")}
        figures += canal_figures(root, cases_unseen(bundle, root, grades, device), make)
    return figures


def _line(reading: Reading) -> str:
    named = "named right" if reading.named_right else "NOT named right"
    return f"{named}, L5/S1 invented in {sum(reading.invented)} of {len(reading.invented)} cuts"


def cases_unseen(
    bundle: Path, root: Path, folds: Mapping[str, Mapping[str, int]], device: str
) -> Iterator[tuple[SpiderCase, System]]:
    """Each patient with the system whose members of the ensembles in ``folds`` never saw it."""
    names = sorted(set.intersection(*(set(fold) for fold in folds.values())))
    members = {name: tuple(f"{ensemble}_{fold[name]}" for ensemble, fold in folds.items()) for name in names}
    for chosen in sorted(set(members.values())):
        by_ensemble = {ensemble: (member,) for ensemble, member in zip(folds, chosen, strict=True)}
        system = load_system(bundle, device, by_ensemble)
        for name in (name for name in names if members[name] == chosen):
            yield read_case(root, name), system


def read_patient(case: SpiderCase, system: System) -> Reading:
    """Locate the levels of a patient, whole and cut off above L5/S1."""
    along, named_right = score_levels(case, locate(system, case.study))
    cuts = [cut_below(case.study, row) for row in cut_rows(case)]
    middle = int(np.argmin(np.abs(np.subtract(case.numbers, case.slice_numbers[Level.L5_S1.value]))))
    places = {int(np.clip(middle + step, 0, len(case.numbers) - 1)) for step in _ALONE}
    return Reading(
        along,
        named_right,
        tuple(_claims_l5_s1(system, cut) for cut in cuts),
        tuple(_claims_l5_s1(system, single_slice(cut, i)) for cut in cuts for i in sorted(places)),
    )


def cut_rows(case: SpiderCase) -> list[int]:
    """Rows at which the field is made to end, above the centre of L5/S1."""
    row = case.centres_rc[Level.L5_S1.value][0]
    return [round(row - above / case.pixel_mm) for above in CUTS_MM]


def _claims_l5_s1(system: System, study: Study) -> bool:
    return any(landmark.key.level is Level.L5_S1 for landmark in locate(system, study))


def score_levels(case: SpiderCase, landmarks: Landmarks) -> tuple[FloatArray, bool]:
    """Canal landmarks from the discs' centres along the spine, mm, and whether all levels are right."""
    known = [level for level in Level if level.value in case.centres_rc]
    errors, right = [], True
    for level in known:
        landmark = landmarks.get(FindingKey(Condition.SPINAL_CANAL_STENOSIS, level))
        if landmark is None:
            errors.append(float("nan"))
            right = False
            continue
        axis = spine_axis(case, level)
        along = {
            other: abs(float((np.array(landmark.pixel_rc) - case.centres_rc[other.value]) @ axis))
            for other in known
        }
        errors.append(along[level] * case.pixel_mm)
        right &= min(along, key=lambda other: along[other]) is level
    return np.array(errors), right


def level_figures(readings: Sequence[Reading], make: FigureMaker) -> list[Figure]:
    """Figures of the levels; intervals draw whole patients."""
    figures = []
    for name, what, unit, statistic in _FIGURES:
        figures.append(make(name, what, bootstrap(readings, statistic), len(readings), unit))
    return figures


def _percentile(readings: Sequence[Reading], percent: float) -> float:
    errors = np.concatenate([reading.along_mm for reading in readings])
    found = errors[~np.isnan(errors)]
    return float(np.percentile(found, percent)) if len(found) else float("nan")


def _missing(readings: Sequence[Reading]) -> float:
    return float(np.isnan(np.concatenate([reading.along_mm for reading in readings])).mean())


def _share(values: Callable[[Reading], Sequence[bool]]) -> Statistic:
    return lambda readings: float(np.concatenate([values(reading) for reading in readings]).mean())


#: Name, a person's name, unit, and how to compute it.
_FIGURES: tuple[tuple[str, str, str, Statistic], ...] = (
    (
        "along_spine_median",
        "canal landmark from the disc's centre along the spine, median",
        "mm",
        lambda readings: _percentile(readings, 50),
    ),
    ("along_spine_p95", "the same, 95th percentile", "mm", lambda readings: _percentile(readings, 95)),
    (
        "named_right",
        "patients with all five levels found and named right",
        "",
        _share(lambda reading: (reading.named_right,)),
    ),
    ("levels_missing", "levels not found", "", _missing),
    (
        "l5_s1_invented_studies",
        "L5/S1 claimed although the field ends above it: share of cut studies",
        "",
        _share(lambda reading: reading.invented),
    ),
    (
        "l5_s1_invented_slices",
        "the same of single cut slices",
        "",
        _share(lambda reading: reading.invented_alone),
    ),
)
