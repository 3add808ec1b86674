"""What one cell of the matrix says: pure, so that the words can be checked without a window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..domain.findings import Finding, GradeSource
from ..domain.landmarks import Landmark, LandmarkSource
from ..domain.spine import FindingKey, Severity
from ..export.certainty_words import (
    BY_HAND,
    CAUTION,
    certainty_lines,
    doubt_mark,
    is_open,
    is_unsure,
    override_words,
    placed_words,
)
from ..export.severity_style import SEVERITY_STYLES
from ..session import SessionState
from ..session.corrections import Correction


class CellState(Enum):
    """Whether the grade can be relied on as the answer for the landmark on the screen."""

    EMPTY = "not analysed"
    CURRENT = "current"
    STALE = "stale: a landmark moved after this was graded"
    REGRADING = "regrading after a landmark moved"
    NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Cell:
    """The words and the meaning of one cell; the delegate turns them into ink."""

    state: CellState
    severity: Severity | None = None
    title: str = "\N{EN DASH}"
    note: str = ""
    #: Stands in the corner where the point is not where it was predicted: whose doing that is.
    mark: str = ""
    tooltip: str = "Not analysed yet"
    #: A person should look: the grade is unsure, or there is none that is current.
    to_check: bool = False
    #: What another bundle says of the same finding, and whether the two differ.
    other: Cell | None = None
    differs: bool = False


#: The word a severity has where there is no room for its label.
_SHORT = {Severity.NORMAL_MILD: "Normal", Severity.MODERATE: "Moderate", Severity.SEVERE: "Severe"}

#: Whose doing a grade, or the lack of one, is.
_SOURCE_WORDS = {
    GradeSource.PREDICTED: "predicted",
    GradeSource.CORRECTED: "from corrected points",
    GradeSource.OVERRIDDEN: "by hand",
    GradeSource.ABSENT: "marked absent",
}

#: A person put the point elsewhere, or marked it absent; or it followed another point that a person moved.
CORRECTED_MARK, PROPAGATED_MARK = "✎", "↳"

EMPTY_CELL = Cell(CellState.EMPTY)


def describe(state: SessionState, key: FindingKey, regrading: bool) -> Cell:
    """Return the cell of ``key``; ``regrading`` says whether stale findings are being graded right now."""
    finding, is_stale = state.finding(key), key in state.stale
    cell_state, mark = _cell_state(finding, is_stale, regrading), _mark(state.correction(key))
    return Cell(
        state=cell_state,
        severity=None if is_stale else finding.severity,
        title=_title(cell_state, finding, bool(mark)),
        note=_note(state, key, is_stale),
        mark=mark,
        tooltip=explain(state, key, cell_state),
        to_check=cell_state is not CellState.CURRENT or is_doubtful(finding),
    )


def describe_answer(finding: Finding, is_stale: bool) -> Cell:
    """Return the cell of what another bundle says; a stale one shows no grade."""
    cell_state = _cell_state(finding, is_stale, False)
    return Cell(
        state=cell_state,
        severity=None if is_stale else finding.severity,
        title=_title(cell_state, finding, False),
        note=_was(finding) if is_stale else _sure(finding),
        tooltip="\n".join(_answer_lines(finding, cell_state)),
    )


def is_doubtful(finding: Finding) -> bool:
    """Whether a grade by the networks, or the landmark it comes from, should be looked at first."""
    if finding.override is not None:
        return False
    placed_unsurely = finding.landmark is not None and is_unsure(finding.landmark)
    return placed_unsurely or is_open(finding) or finding.certainty.is_outside_training


def grade_text(finding: Finding) -> str:
    """A grade in short, for example ``Moderate? 0.62``."""
    if finding.severity is None:
        return "Not graded"
    return f"{finding.severity.label}{doubt_mark(finding)} {_sure(finding)}"


def change_text(state: SessionState, key: FindingKey) -> str:
    """The grade, or old and new after a change: ``Moderate 0.62 → Severe 0.81``."""
    now, before = grade_text(state.finding(key)), state.before(key)
    return f"{grade_text(before)} → {now}" if before and state.is_changed(key) else now


def headline(state: SessionState, key: FindingKey, cell_state: CellState) -> str:
    """The grade and its change; of a grade that is not current, that it was: ``stale, was Moderate 0.62``."""
    if cell_state in (CellState.STALE, CellState.REGRADING):
        word = cell_state.name.lower()
        return f"{word}, was {grade_text(state.finding(key))}"
    return change_text(state, key)


def explain(state: SessionState, key: FindingKey, cell_state: CellState) -> str:
    """Everything a person may ask about a cell, in lines."""
    finding = state.finding(key)
    lines = [key.text, headline(state, key, cell_state), *_answer_lines(finding, cell_state)]
    mark = _mark(state.correction(key))
    return "\n".join([*lines, f"Landmark: {source_text(state.landmarks.get(key))} {mark}".rstrip()])


def _answer_lines(finding: Finding, cell_state: CellState) -> list[str]:
    """Probabilities, certainty, the reason for no grade, whose grade it is and whether it is current."""
    lines = []
    if finding.probs:
        lines += [f"{s.label}: {p:.3f}" for s, p in zip(Severity, finding.probs.as_tuple, strict=True)]
    lines += [_sentence(line) for line in certainty_lines(finding)]
    if finding.override:
        lines.append(_sentence(override_words(finding.override)))
    if finding.not_gradable:
        lines.append(f"Why: {finding.not_gradable.reason}")
    return [*lines, f"Grade: {_SOURCE_WORDS[finding.source]}; {cell_state.value}"]


def shorter(title: str) -> str:
    """A cell's title where there is little room: ``● Normal`` for normal/mild."""
    normal = Severity.NORMAL_MILD
    return title.replace(normal.label, _SHORT[normal])


def certainty_text(finding: Finding) -> str:
    """All that is known about a grade's certainty, or that the weights say nothing, as sentences."""
    if finding.override is not None:
        return f"{_sentence(override_words(finding.override))}."
    if finding.probs is None:
        return ""
    lines = certainty_lines(finding) or ("these weights do not say how far this grade can be trusted",)
    return " ".join(f"{_sentence(line)}." for line in lines)


def source_text(landmark: Landmark | None) -> str:
    """Who placed a landmark, and how sure: ``predicted, unsure, confidence 0.31``."""
    if landmark is None:
        return "none"
    sure = f", confidence {landmark.confidence:.2f}" if landmark.confidence is not None else ""
    return f"{placed_words(landmark)}{sure}"


def _cell_state(finding: Finding, is_stale: bool, regrading: bool) -> CellState:
    if is_stale:
        return CellState.REGRADING if regrading else CellState.STALE
    return CellState.NOT_GRADED if finding.severity is None else CellState.CURRENT


def _mark(correction: Correction) -> str:
    if not correction.moves_point:
        return ""
    followed = correction.place is not None and correction.place.source is LandmarkSource.PROPAGATED
    return PROPAGATED_MARK if followed else CORRECTED_MARK


def _title(cell_state: CellState, finding: Finding, marked: bool) -> str:
    if cell_state is CellState.STALE:
        return "Stale"
    if cell_state is CellState.REGRADING:
        return "Regrading…"
    severity = finding.severity
    if severity is None:
        return "Not graded"
    style = SEVERITY_STYLES[severity]
    name = _SHORT[severity] if marked else style.label  # the mark stands beside it
    return f"{style.symbol} {name}{doubt_mark(finding)}"


def _note(state: SessionState, key: FindingKey, is_stale: bool) -> str:
    finding = state.finding(key)
    if is_stale:
        return _was(finding)
    sure = _sure(finding)
    caution = f"⚠ {CAUTION}" if finding.probs and finding.certainty.is_outside_training else ""
    before = state.before(key)
    was = _before(before, finding) if before and state.is_changed(key) else ""
    # Three would not fit: the old grade stands in the details, too.
    return " ".join(filter(None, (sure, caution or was)))


def _before(predicted: Finding, now: Finding) -> str:
    """What the prediction was; where the severity stayed, only how probable."""
    if predicted.probs and now.probs and predicted.severity is now.severity:
        return f"was {_sure(predicted)}"
    return _was(predicted)


def _was(finding: Finding) -> str:
    return "was not graded" if finding.severity is None else f"was {_SHORT[finding.severity]}"


def _sure(finding: Finding) -> str:
    """How probable a grade is, or that a person gave it; nothing where there is none."""
    if finding.override is not None:
        return BY_HAND
    return f"{finding.probs.confidence:.2f}" if finding.probs else ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
