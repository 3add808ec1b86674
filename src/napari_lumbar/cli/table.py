"""The 5 x 5 table of grades, for a terminal and for a log."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..domain.findings import Analysis, Finding
from ..domain.spine import Condition, FindingKey, Level
from ..export.certainty_words import BY_HAND, CAUTION, doubt_mark, is_open, left_open
from ..export.severity_style import CONDITION_HEADINGS, SEVERITY_STYLES

_UNGRADED = "not gradable"


def print_grades(console: Console, analysis: Analysis) -> None:
    """Print the table, coloured on a terminal, and below it what its marks mean and what is missing."""
    if console.is_terminal:
        console.print(terminal_table(analysis))
    else:
        for line in plain_lines(analysis):
            console.print(line, markup=False, soft_wrap=True)
    doubts = (f"{doubt.kind.code}: {doubt.text}" for doubt in analysis.doubts)
    for line in (
        analysis.landmarks.numbering.sentence,
        *doubts,
        *certainty_lines(analysis),
        *reason_lines(analysis),
    ):
        console.print(line, markup=False, soft_wrap=True)


def terminal_table(analysis: Analysis) -> Table:
    """Return a table whose cells wear their severity's colour and symbol."""
    table = Table("Level", *CONDITION_HEADINGS.values(), show_lines=True)
    for level in Level:
        table.add_row(level.value, *(_coloured(finding) for finding in _row(analysis, level)))
    return table


def plain_lines(analysis: Analysis) -> list[str]:
    """Return the table as aligned plain text, one line per level under a heading."""
    rows = [["Level", *CONDITION_HEADINGS.values()]]
    rows += [[level.value, *(_plain(f) for f in _row(analysis, level))] for level in Level]
    width = 2 + max(len(cell) for row in rows for cell in row)
    return [_line(row, width) for row in rows]


def certainty_lines(analysis: Analysis) -> list[str]:
    """Return what the question marks and the cautions of the table mean, naming the findings."""
    opened = [(left_open(f.certainty), f.key.text) for f in analysis.graded if is_open(f)]
    unlike = [f.key.text for f in analysis.graded if f.certainty.is_outside_training]
    lines = [f"?, not ruled out (90 % set): {words}: {names}" for words, names in _grouped(opened)]
    return [*lines, f"{CAUTION}, unlike the training images: {', '.join(unlike)}"] if unlike else lines


def reason_lines(analysis: Analysis) -> list[str]:
    """Return one line per reason for which findings could not be graded, naming the findings."""
    refused = [
        (f.not_gradable.reason, f.key.text) for f in analysis.findings.values() if f.not_gradable is not None
    ]
    return [f"{_UNGRADED}, {reason}: {names}" for reason, names in _grouped(refused)]


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each first word once, with the second ones that belong to it in a row."""
    groups = groupby(sorted(pairs), key=lambda pair: pair[0])
    return [(first, ", ".join(second for _, second in group)) for first, group in groups]


def _row(analysis: Analysis, level: Level) -> list[Finding | None]:
    return [analysis.findings.get(FindingKey(condition, level)) for condition in Condition]


def _coloured(finding: Finding | None) -> Text:
    if finding is None or finding.severity is None:
        return Text(_UNGRADED, style="dim")
    style = SEVERITY_STYLES[finding.severity]
    mark = doubt_mark(finding)
    chip = Text(f" {style.symbol} {style.label}{mark} ", style=f"{style.ink} on {style.fill}")
    return chip.append(f" {_sure(finding)}", style="default on default")


def _plain(finding: Finding | None) -> str:
    if finding is None or finding.severity is None:
        return _UNGRADED
    return f"{finding.severity.label}{doubt_mark(finding)} {_sure(finding)}"


def _sure(finding: Finding) -> str:
    """How probable the grade is, or that a person gave it."""
    if finding.probs is None:
        return BY_HAND
    caution = f" {CAUTION}" if finding.certainty.is_outside_training else ""
    return f"{finding.probs.confidence:.0%}{caution}"


def _line(cells: list[str], width: int) -> str:
    head, *others = cells
    return (f"{head:<7}" + "".join(f"{cell:<{width}}" for cell in others)).rstrip()
