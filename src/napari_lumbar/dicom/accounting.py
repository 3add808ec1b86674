"""From what became of slices to what became of their files. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.study import FileAccounting, FileOutcome, FileRecord
from .codes import Exclusion
from .complaint import Complaint
from .headers import SliceHeader

#: A slice, and what keeps it out, or None if it is used.
SliceOutcome = tuple[SliceHeader, Complaint | None]

OTHER_STUDY = Complaint(Exclusion.OTHER_STUDY)


@dataclass(frozen=True)
class ExcludedCount:
    """How many files were excluded for one reason."""

    why: Exclusion
    count: int


def excluded_counts(accounting: FileAccounting) -> tuple[ExcludedCount, ...]:
    """Why files were excluded, the most frequent reason first."""
    by_code = {exclusion.code: exclusion for exclusion in Exclusion}
    counts = Counter(record.code for record in accounting.excluded).most_common()
    return tuple(ExcludedCount(by_code[code], count) for code, count in counts)


def file_records(outcomes: Iterable[SliceOutcome]) -> list[FileRecord]:
    """One record for each file: used if one of its slices is, else excluded with its first slice's reason."""
    by_path: dict[str, list[SliceOutcome]] = defaultdict(list)
    for header, complaint in outcomes:
        by_path[header.path].append((header, complaint))
    return [_record(path, of_file) for path, of_file in by_path.items()]


def _record(path: str, outcomes: list[SliceOutcome]) -> FileRecord:
    complaints = [complaint for _, complaint in outcomes if complaint is not None]
    n_used = len(outcomes) - len(complaints)
    if not n_used:
        return complaints[0].record(path)
    series = outcomes[0][0].series_uid
    if len(outcomes) == 1:
        return FileRecord(path, FileOutcome.USED, "used", f"a slice of series {series}")
    rest = f"; {len(complaints)} left out: {complaints[0].reason}" if complaints else ""
    return FileRecord(path, FileOutcome.USED, "used", f"{n_used} slices of series {series}{rest}")
