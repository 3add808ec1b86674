"""From one finding that needs a person to the next."""

from __future__ import annotations

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.widgets.cells import Cell, CellState
from napari_lumbar.widgets.walk import READING_ORDER, is_not_normal, needs_check, next_finding

NORMAL = Cell(CellState.CURRENT, Severity.NORMAL_MILD)
FORAMEN = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L1_L2)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


def cells(**changed: Cell) -> dict[FindingKey, Cell]:
    return {key: changed.get(key.column, NORMAL) for key in ALL_FINDINGS}


def test_it_goes_row_by_row_round_and_round() -> None:
    bad = Cell(CellState.CURRENT, Severity.MODERATE)
    some = cells(**{FORAMEN.column: bad, CANAL.column: bad})
    assert READING_ORDER[4] == FORAMEN
    assert next_finding(some, None, is_not_normal, 1) == FORAMEN
    assert next_finding(some, FORAMEN, is_not_normal, 1) == CANAL
    assert next_finding(some, CANAL, is_not_normal, 1) == FORAMEN
    assert next_finding(some, FORAMEN, is_not_normal, -1) == CANAL
    one = cells(**{CANAL.column: bad})
    assert next_finding(one, CANAL, is_not_normal, 1) == CANAL
    assert next_finding(cells(), CANAL, is_not_normal, 1) is None
    assert next_finding({}, None, is_not_normal, 1) is None


def test_what_counts_as_not_normal_and_as_to_check() -> None:
    assert not is_not_normal(NORMAL)
    assert is_not_normal(Cell(CellState.CURRENT, Severity.SEVERE))
    assert is_not_normal(
        Cell(CellState.CURRENT, Severity.NORMAL_MILD, other=Cell(CellState.CURRENT, Severity.SEVERE))
    )
    assert not is_not_normal(Cell(CellState.STALE))
    assert not needs_check(NORMAL)
    assert needs_check(Cell(CellState.STALE, to_check=True))
    assert needs_check(Cell(CellState.CURRENT, Severity.NORMAL_MILD, differs=True))
