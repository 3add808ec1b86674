"""Two bundles' grades side by side: pure, so that nothing stale can be told as current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..domain.findings import Finding
from ..domain.landmarks import Dependence, Landmarks
from ..domain.spine import FindingKey
from ..session import SessionState
from ..session.state import placement
from .cells import Cell, CellState, describe, describe_answer


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a second bundle says of the study on the screen, graded from the points that were in force.

    Parameters
    ----------
    first, second
        Names of the bundle on the screen and of the other one.
    landmarks
        The points that the second bundle graded from: those of the first with a person's corrections.
    findings
        Its grades.
    dependence
        Which points it looks at for one finding.
    """

    first: str
    second: str
    landmarks: Landmarks
    findings: Mapping[FindingKey, Finding]
    dependence: Dependence

    def is_current(self, state: SessionState, key: FindingKey) -> bool:
        """Whether the points that the second bundle graded ``key`` from are still those in force."""
        asked, now = (placement(each, key, self.dependence) for each in (self.landmarks, state.landmarks))
        return asked == now


def describe_both(state: SessionState, comparison: Comparison, key: FindingKey, regrading: bool) -> Cell:
    """Return the cell of the first bundle with that of the second in it.

    There is room for how probable each is, and no more; the tooltip has the rest.
    """
    first = describe(state, key, regrading)
    is_stale = not comparison.is_current(state, key)
    second = describe_answer(comparison.findings[key], is_stale)
    differs = _differ(first, second)
    both = f"Above, {comparison.first}:\n{first.tooltip}\n\nBelow, {comparison.second}:\n{second.tooltip}"
    tooltip = f"The two differ.\n{both}" if differs else both
    note = describe_answer(state.finding(key), key in state.stale).note
    return replace(first, note=note, tooltip=tooltip, other=second, differs=differs)


def describe_all(
    state: SessionState | None, comparison: Comparison | None, regrading: bool
) -> dict[FindingKey, Cell]:
    """Return the cells of all findings: of one bundle, or of two while there is a comparison."""
    if state is None:
        return {}
    keys = state.analysis.findings
    if comparison is None:
        return {key: describe(state, key, regrading) for key in keys}
    return {key: describe_both(state, comparison, key, regrading) for key in keys}


def legend(comparison: Comparison, cells: Mapping[FindingKey, Cell]) -> str:
    """Say which bundle is which, from which points both were graded, and how far they agree."""
    names = f"Above: {comparison.first}; below: {comparison.second}"
    return f"{summary(cells)} {names}; both graded from the points on the screen."


def summary(cells: Mapping[FindingKey, Cell]) -> str:
    """Say in a sentence how far two bundles agree: ``5 of 25 findings differ; 1 by two grades.``."""
    compared = [(cell, cell.other) for cell in cells.values() if cell.other is not None]
    current = [(first, second) for first, second in compared if _both_current(first, second)]
    differing = [(first, second) for first, second in current if _differ(first, second)]
    by_two = sum(_grades_apart(first, second) == 2 for first, second in differing)
    one_sided = sum(_grades_apart(first, second) is None for first, second in differing)
    stale = len(compared) - len(current)
    parts = [
        f"{len(differing)} of {len(current)} findings differ",
        f"{by_two} by two grades" if by_two else "",
        f"{one_sided} graded by only one" if one_sided else "",
        f"{stale} not compared: a point moved" if stale else "",
    ]
    return "; ".join(filter(None, parts)) + "."


def _differ(first: Cell, second: Cell) -> bool:
    return _both_current(first, second) and first.severity != second.severity


def _both_current(first: Cell, second: Cell) -> bool:
    return not {first.state, second.state} & {CellState.STALE, CellState.REGRADING}


def _grades_apart(first: Cell, second: Cell) -> int | None:
    """How many grades lie between two cells; None where only one is graded."""
    if first.severity is None or second.severity is None:
        return None
    return abs(first.severity - second.severity)
