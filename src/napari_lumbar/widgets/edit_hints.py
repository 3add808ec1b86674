"""Which commands can be given now, what each would do, or why not: pure, so that it needs no window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..domain.errors import EditRefused
from ..domain.spine import FindingKey
from ..session import Session, SessionState
from ..session.commands import LevelStep
from ..session.forecast import shift_words, swap_words
from .commands import GRADE_COMMANDS, Command

_WAYS: Mapping[LevelStep, str] = {-1: "up", 1: "down"}


@dataclass(frozen=True)
class Hint:
    """Whether a command can be given, and what it would do or why it cannot."""

    is_possible: bool
    text: str


_NO_SESSION = Hint(False, "Analyse a study first")
_NO_FINDING = Hint(False, "Choose a finding first")


def hints(state: SessionState | None, key: FindingKey | None, regrading: bool) -> Mapping[Command, Hint]:
    """Return a hint for every command that changes or leaves the session."""
    if state is None:
        return dict.fromkeys((*_GENERAL, *_OF_FINDING), _NO_SESSION)
    general = {command: hint(state, regrading) for command, hint in _GENERAL.items()}
    if key is None:
        return {**general, **dict.fromkeys(_OF_FINDING, _NO_FINDING)}
    return {**general, **{command: hint(state, key) for command, hint in _OF_FINDING.items()}}


def saved_text(session: Session | None, now: datetime) -> tuple[str, str]:
    """Say in short, and in full, whether what a person did is on disk; ``now`` has a time zone."""
    if session is None:
        return "", ""
    if session.not_saved:
        return "⚠ Not saved", f"Corrections are not saved: {session.not_saved}"
    if session.saved_at is None:
        return "Nothing to save yet", "Every correction is saved at once"
    at = session.saved_at.astimezone(now.tzinfo)
    form = "%H:%M" if at.date() == now.date() else "%Y-%m-%d %H:%M"
    return f"Saved {at:{form}}", f"Every correction is saved at once; last at {at:%Y-%m-%d %H:%M:%S}"


def _undo(state: SessionState, _regrading: bool) -> Hint:
    done = state.work.done
    return Hint(True, f"Take back: {done[-1].text}") if done else Hint(False, "Nothing to take back")


def _redo(state: SessionState, _regrading: bool) -> Hint:
    undone = state.work.undone
    return Hint(True, f"Do again: {undone[-1].text}") if undone else Hint(False, "Nothing was taken back")


def _names(by: LevelStep) -> Callable[[SessionState, bool], Hint]:
    def hint(state: SessionState, _regrading: bool) -> Hint:
        try:
            return Hint(True, f"Move all level names {_WAYS[by]} by 1: {shift_words(state, by)}")
        except EditRefused as error:
            return Hint(False, str(error))

    return hint


def _swap(state: SessionState, _regrading: bool) -> Hint:
    return Hint(True, f"{swap_words(state)} You are asked first.")


def _regrade(state: SessionState, regrading: bool) -> Hint:
    if regrading:
        return Hint(False, "Being graded again now")
    if not state.outdated:
        return Hint(False, "No finding is stale")
    return Hint(True, f"Grade {len(state.outdated)} stale findings again")


def _export(_state: SessionState, _regrading: bool) -> Hint:
    return Hint(True, "Write CSV, JSON and a report")


def _grade(state: SessionState, key: FindingKey) -> Hint:
    if state.correction(key).absent:
        return Hint(False, f"{key.text} is marked absent: reset its point first")
    return Hint(True, f"Grade {key.text} by hand; what the networks say is kept beside it")


def _clear_grade(state: SessionState, key: FindingKey) -> Hint:
    if state.correction(key).override is None:
        return Hint(False, f"{key.text} is not graded by hand")
    return Hint(True, f"Let the networks' grade of {key.text} stand again")


def _put_here(_state: SessionState, _key: FindingKey) -> Hint:
    return Hint(True, "Move the point to the slice that is shown, or set one in the middle of the view")


def _mark_absent(state: SessionState, key: FindingKey) -> Hint:
    if state.correction(key).absent:
        return Hint(False, f"{key.text} is marked absent already: Reset brings it back")
    return Hint(True, f"Say that {key.text} is not there to be graded; a grade by hand goes")


def _reset(state: SessionState, key: FindingKey) -> Hint:
    if not state.correction(key).moves_point:
        return Hint(False, "The point is where it was predicted")
    if state.predicted_place(key) is None:
        return Hint(True, "Take the point back that was set by hand: none was predicted")
    return Hint(True, "Bring the predicted point back")


_GENERAL: Mapping[Command, Callable[[SessionState, bool], Hint]] = {
    Command.UNDO: _undo,
    Command.REDO: _redo,
    Command.NAMES_UP: _names(-1),
    Command.NAMES_DOWN: _names(1),
    Command.SWAP_SIDES: _swap,
    Command.REGRADE: _regrade,
    Command.EXPORT: _export,
}
_OF_FINDING: Mapping[Command, Callable[[SessionState, FindingKey], Hint]] = {
    **dict.fromkeys(GRADE_COMMANDS.values(), _grade),
    Command.CLEAR_GRADE: _clear_grade,
    Command.PUT_HERE: _put_here,
    Command.MARK_ABSENT: _mark_absent,
    Command.RESET: _reset,
}
