"""What the report says of one finding, in words; the page only lays it out."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.findings import Analysis, Certainty, Finding, Override
from ..domain.landmarks import NotGradable
from ..domain.spine import FindingKey
from .certainty_words import (
    UNLIKE_TRAINING,
    certainty_lines,
    doubt_mark,
    is_open,
    left_open,
    not_ruled_out,
    override_words,
    placed_words,
)
from .severity_style import SEVERITY_STYLES, SeverityStyle

NO_ANSWER = NotGradable("no-answer", "the grader gave no answer for this finding")


@dataclass(frozen=True)
class Cell:
    """One finding as the page shows it: a severity with its percentages, or the reason why there is none.

    A grade by hand has a severity and no percentages.

    Parameters
    ----------
    by_hand
        Who graded, and why, where a person did; else empty.
    mark
        "?" where other severities than the grade are not ruled out.
    open_set, caution
        Sentences under a grade; empty where there is nothing to say.
    certainty
        Everything known about the grade's certainty, for a tooltip.
    certainty_columns
        Prediction set, spread (grades) and strangeness as the table of numbers has them.
    """

    text: str
    style: SeverityStyle | None
    percents: tuple[int, ...]
    confidence: int
    reason: str
    source: str
    place: str
    mark: str = ""
    open_set: str = ""
    caution: str = ""
    certainty: tuple[str, ...] = ()
    certainty_columns: tuple[str, str, str] = ("", "", "")
    by_hand: str = ""


def report_cell(analysis: Analysis, key: FindingKey) -> Cell:
    """Return the cell of ``key``."""
    finding = analysis.findings.get(key)
    if finding is not None and finding.override is not None:
        return _cell_by_hand(finding, finding.override)
    if finding is None or finding.probs is None:
        return _empty_cell(finding, key)
    probs = finding.probs
    return Cell(
        text=key.text,
        style=SEVERITY_STYLES[probs.severity],
        percents=tuple(round(100 * p) for p in probs.as_tuple),
        confidence=round(100 * probs.confidence),
        reason="",
        source=_source(finding),
        place=_place(finding),
        mark=doubt_mark(finding),
        open_set=not_ruled_out(finding) if is_open(finding) else "",
        caution=UNLIKE_TRAINING if finding.certainty.is_outside_training else "",
        certainty=certainty_lines(finding),
        certainty_columns=_columns(finding.certainty),
    )


def _cell_by_hand(finding: Finding, override: Override) -> Cell:
    style, words = SEVERITY_STYLES[override.severity], override_words(override)
    return Cell(finding.key.text, style, (), 0, "", _source(finding), _place(finding), by_hand=words)


def _empty_cell(finding: Finding | None, key: FindingKey) -> Cell:
    why = (finding.not_gradable if finding else None) or NO_ANSWER
    source, place = (_source(finding), _place(finding)) if finding else ("", "")
    return Cell(key.text, None, (), 0, why.reason, source, place)


def _source(finding: Finding) -> str:
    return placed_words(finding.landmark) if finding.landmark else ""


def _place(finding: Finding) -> str:
    if finding.landmark is None:
        return ""
    return ", ".join(f"{value:.1f}" for value in finding.landmark.point_lps_mm)


def _columns(certainty: Certainty) -> tuple[str, str, str]:
    spread, strangeness = (
        "" if value is None else f"{value:.2f}" for value in (certainty.spread, certainty.strangeness)
    )
    return left_open(certainty), spread, strangeness
