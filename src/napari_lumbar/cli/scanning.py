"""``napari-lumbar scan``: the accounting of a folder as a table or as JSON, without patient identifiers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress

from ..domain.study import FileAccounting, FileOutcome

if TYPE_CHECKING:  # this package brings pydicom, which --help can do without
    from ..dicom import Survey
    from ..dicom.survey import SeriesSurvey, StudySurvey

SCHEMA_VERSION = 1


def print_scan(folder: Path, as_json: bool, identified: bool) -> None:
    """Scan a folder and print what it holds.

    Parameters
    ----------
    identified
        Also print file names and UIDs, which can lead to a patient.

    Raises
    ------
    StudyError
        If the folder cannot be opened, or the accounting does not close.
    """
    console = Console(highlight=False)
    survey = _surveyed(folder)
    if as_json:
        console.out(json.dumps(scan_document(survey, identified), indent=2, allow_nan=False))
        return
    for line in scan_lines(survey, identified):
        console.print(line, markup=False, soft_wrap=True)


def scan_document(survey: Survey, identified: bool) -> dict[str, Any]:
    """Return what a scan found as plain dictionaries, lists, strings and numbers."""
    accounting = survey.accounting
    document: dict[str, Any] = {
        "schema": {"name": "napari-lumbar scan", "version": SCHEMA_VERSION},
        "found": len(accounting.records),
        "used": accounting.count(FileOutcome.USED),
        "excluded": accounting.count(FileOutcome.EXCLUDED),
        "reasons": [
            {"code": code, "count": count, "sentence": sentence, "remedy": remedy}
            for code, count, sentence, remedy in _reasons(accounting)
        ],
        "notes": [
            {"code": code, "count": count, "sentence": sentence} for code, count, sentence in _notes(survey)
        ],
        "patients": survey.n_patients,
        "studies": [_study(study, identified) for study in survey.studies],
    }
    if identified:
        document["files"] = [
            {"path": r.path, "outcome": r.outcome.value, "code": r.code, "reason": r.reason}
            for r in accounting.records
        ]
    return document


def scan_lines(survey: Survey, identified: bool) -> Iterator[str]:
    """Yield what a scan found as lines of text."""
    accounting = survey.accounting
    used, excluded = (accounting.count(outcome) for outcome in FileOutcome)
    yield f"found {len(accounting.records)} = used {used} + excluded {excluded}"
    for code, count, sentence, remedy in _reasons(accounting):
        yield f"  {count:>6}  {code:<22}{sentence}. To do: {remedy}."
    for code, count, sentence in _notes(survey):
        yield f"  note: {count} x {code}: {sentence}"
    yield f"{survey.n_patients} patients, {len(survey.studies)} studies, the newest first"
    for study in survey.studies:
        yield f"study {study.pseudonym}{f'  {study.study_uid}' if identified else ''}"
        for series in study.series:
            yield f"  series {_series_line(series, identified)}"
    if identified:
        yield from (f"{r.outcome.value:<9} {r.code:<22}{r.path}" for r in accounting.records)


def _surveyed(folder: Path) -> Survey:
    from ..dicom import survey_folder

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("scanning", total=1.0)
        return survey_folder(folder, lambda done: bars.update(task, completed=done), lambda: None)


def _reasons(accounting: FileAccounting) -> list[tuple[str, int, str, str]]:
    """Code, count, sentence and remedy of what was excluded, the most frequent first."""
    from ..dicom.accounting import excluded_counts

    found = excluded_counts(accounting)
    return [(one.why.code, one.count, one.why.sentence, one.why.remedy) for one in found]


def _notes(survey: Survey) -> list[tuple[str, int, str]]:
    counts: Counter[str] = Counter()
    for note in survey.notes:
        counts[note.oddity.code] += note.count
    sentences = {note.oddity.code: note.oddity.sentence for note in survey.notes}
    return [(code, count, sentences[code]) for code, count in counts.items()]


def _study(study: StudySurvey, identified: bool) -> dict[str, Any]:
    uid = {"study_uid": study.study_uid} if identified else {}
    return {"study": study.pseudonym, **uid, "series": [_series(one, identified) for one in study.series]}


def _series(series: SeriesSurvey, identified: bool) -> dict[str, Any]:
    facts, choice = series.facts, series.choice
    return {
        "series": series.pseudonym,
        **({"series_id": series.series_id} if identified else {}),
        "plane": facts.plane.name.lower() if facts.plane else None,
        "role": choice.role.name.lower() if choice.role else None,
        "candidate_role": choice.candidate.name.lower() if choice.candidate else None,
        "score": choice.score,
        "reason": choice.reason,
        "stacks": list(series.stacks),
        "pixel_mm": round(facts.pixel_mm, 3),
        "step_mm": round(facts.step_mm, 2),
    }


def _series_line(series: SeriesSurvey, identified: bool) -> str:
    choice = series.choice
    role = choice.role.name.lower() if choice.role else "-"
    stacks = " + ".join(str(count) for count in series.stacks)
    uid = f"  {series.series_id}" if identified else ""
    return f"{series.pseudonym}{uid}  {role:<12} {choice.score:.2f}  {stacks} slices  {choice.reason}"
