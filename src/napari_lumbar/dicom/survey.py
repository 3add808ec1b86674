"""What a folder holds, by headers alone: every file accounted for, and the series under pseudonyms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain.pseudonym import pseudonym
from ..domain.study import FileAccounting
from .accounting import SliceOutcome, file_records
from .arrange import Arrangement, arranged
from .complaint import Note
from .facts import series_facts
from .headers import SliceHeader
from .oddities import series_notes, study_notes
from .read import scan_existing
from .roles import RoleChoice, SeriesFacts, choose_roles
from .stacks import stack_order
from .studies import by_study, n_patients


@dataclass(frozen=True)
class SeriesSurvey:
    """One series as it would be read, and the role that its headers suggest.

    Parameters
    ----------
    pseudonym
        Stands for the SeriesInstanceUID, which it cannot be turned back into.
    stacks
        Number of slices of each stack, in spatial order.
    """

    pseudonym: str
    series_id: str
    facts: SeriesFacts
    stacks: tuple[int, ...]
    choice: RoleChoice


@dataclass(frozen=True)
class StudySurvey:
    """One study, under a pseudonym, with its series, the best of each role first."""

    pseudonym: str
    study_uid: str
    series: tuple[SeriesSurvey, ...]


@dataclass(frozen=True)
class Survey:
    """What a folder holds; the studies newest first, and what was odd in any of them."""

    accounting: FileAccounting
    studies: tuple[StudySurvey, ...]
    n_patients: int
    notes: tuple[Note, ...]


def survey_folder(folder: Path, report: Callable[[float], None], cancel: Callable[[], None]) -> Survey:
    """Account for every file below a folder without decoding an image; parameters as ``read_study``.

    Raises
    ------
    StudyError
        If the folder is none or cannot be opened; a folder without a usable image is no error.
    AccountingError
        If a file is neither used nor excluded with a reason.
    """
    scan = scan_existing(folder, report, cancel)
    plans = {uid: arranged(headers) for uid, headers in by_study(scan.headers).items()}
    outcomes: list[SliceOutcome] = [pair for plan in plans.values() for pair in plan.left_out]
    outcomes += [(h, None) for plan in plans.values() for group in plan.groups for h in group.headers]
    studies = tuple(_study(uid, plan) for uid, plan in plans.items())
    return Survey(
        accounting=FileAccounting.closed(scan.found, [*scan.excluded, *file_records(outcomes)]),
        studies=studies,
        n_patients=n_patients(scan.headers) if scan.headers else 0,
        notes=(*(n for plan in plans.values() for n in _notes(plan)), *scan.notes),
    )


def _study(uid: str, plan: Arrangement) -> StudySurvey:
    facts = [series_facts(group.series_id, group.headers) for group in plan.groups]
    choices = choose_roles(facts)
    series = [
        SeriesSurvey(
            pseudonym=pseudonym(group.series_id),
            series_id=group.series_id,
            facts=fact,
            stacks=_stack_sizes(group.headers),
            choice=choices[group.series_id],
        )
        for group, fact in zip(plan.groups, facts, strict=True)
    ]
    return StudySurvey(pseudonym(uid), uid, tuple(sorted(series, key=lambda s: s.choice.rank)))


def _stack_sizes(headers: Sequence[SliceHeader]) -> tuple[int, ...]:
    return tuple(len(stack) for stack in stack_order([header.geometry for header in headers]))


def _notes(plan: Arrangement) -> list[Note]:
    notes = [n for group in plan.groups for n in series_notes(pseudonym(group.series_id), group.headers)]
    roles = choose_roles([series_facts(group.series_id, group.headers) for group in plan.groups])
    chosen = [roles[group.series_id].role for group in plan.groups]
    return [*notes, *study_notes([g.headers for g in plan.groups], chosen)]
