"""The 5 x 5 table of grades, for a terminal and for a log."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..domain.findings import Analysis, Finding
from ..domain.spine import Condition, FindingKey, Level
from ..export.severity_style import CONDITION_HEADINGS, SEVERITY_STYLES

_UNGRADED = "not gradable"
_CELL_WIDTH = 19


def print_grades(console: Console, analysis: Analysis) -> None:
    """Print the table, coloured on a terminal, and the reasons for what is missing in it."""
    if console.is_terminal:
        console.print(terminal_table(analysis))
    else:
        for line in plain_lines(analysis):
            console.print(line, markup=False, soft_wrap=True)
    for line in reason_lines(analysis):
        console.print(line, markup=False, soft_wrap=True)


def terminal_table(analysis: Analysis) -> Table:
    """Return a table whose cells wear their severity's colour and symbol."""
    table = Table("Level", *CONDITION_HEADINGS.values(), show_lines=True)
    for level in Level:
        table.add_row(level.value, *(_coloured(finding) for finding in _row(analysis, level)))
    return table


def plain_lines(analysis: Analysis) -> list[str]:
    """Return the table as aligned plain text, one line per level under a heading."""
    lines = [_line("Level", list(CONDITION_HEADINGS.values()))]
    lines += [_line(level.value, [_plain(f) for f in _row(analysis, level)]) for level in Level]
    return lines


def reason_lines(analysis: Analysis) -> list[str]:
    """Return one line per reason for which findings could not be graded, naming the findings."""
    refused = [f for f in analysis.findings.values() if f.not_gradable is not None]
    reasons = sorted((f.not_gradable.reason, f.key.text) for f in refused if f.not_gradable)
    return [
        f"{_UNGRADED}, {reason}: {', '.join(text for _, text in group)}"
        for reason, group in groupby(reasons, key=lambda pair: pair[0])
    ]


def _row(analysis: Analysis, level: Level) -> list[Finding | None]:
    return [analysis.findings.get(FindingKey(condition, level)) for condition in Condition]


def _coloured(finding: Finding | None) -> Text:
    if finding is None or finding.probs is None:
        return Text(_UNGRADED, style="dim")
    style = SEVERITY_STYLES[finding.probs.severity]
    chip = Text(f" {style.symbol} {style.label} ", style=f"{style.ink} on {style.fill}")
    return chip.append(f" {finding.probs.confidence:.0%}", style="default on default")


def _plain(finding: Finding | None) -> str:
    if finding is None or finding.probs is None:
        return _UNGRADED
    return f"{finding.probs.severity.label} {finding.probs.confidence:.0%}"


def _line(head: str, cells: list[str]) -> str:
    return (f"{head:<7}" + "".join(f"{cell:<{_CELL_WIDTH}}" for cell in cells)).rstrip()
