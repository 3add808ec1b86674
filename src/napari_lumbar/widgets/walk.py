"""Which finding comes next when a person reads only those that need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..domain.spine import Condition, FindingKey, Level, Severity
from .cells import Cell

#: As the matrix is read: level by level, from the patient's right to the left.
READING_ORDER = tuple(FindingKey(condition, level) for level in Level for condition in Condition)


def is_not_normal(cell: Cell) -> bool:
    """Whether a current grade is worse than normal/mild; of two bundles, that of either."""
    cells = (cell, cell.other) if cell.other else (cell,)
    return any(each.severity is not None and each.severity > Severity.NORMAL_MILD for each in cells)


def needs_check(cell: Cell) -> bool:
    """Whether a person should look: unsure, stale, not graded, or two bundles differ."""
    return cell.to_check or cell.differs


def next_finding(
    cells: Mapping[FindingKey, Cell], start: FindingKey | None, wanted: Callable[[Cell], bool], step: int
) -> FindingKey | None:
    """Return the next finding after ``start`` in reading order (``step`` -1: backwards), round and round.

    None where no finding is wanted; ``start`` itself where it is the only one.
    """
    keys = READING_ORDER[::step]
    first = keys.index(start) + 1 if start else 0
    return next((key for key in keys[first:] + keys[:first] if key in cells and wanted(cells[key])), None)
