"""What can be done now, what it would do, or why it cannot be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.session import Session, SessionState, commands, landmark_at
from napari_lumbar.widgets.commands import GRADE_COMMANDS, Command
from napari_lumbar.widgets.edit_hints import Hint, hints, saved_text

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
NOW = datetime(2026, 1, 2, 15, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


def test_every_command_of_the_session_says_why_it_cannot_be_given() -> None:
    told = hints(None, None, False)
    assert set(told) == set(Command) - {Command.PROPOSE, Command.LEAVE, Command.SHOW_KEYS}
    assert set(told.values()) == {Hint(False, "Analyse a study first")}


def test_without_a_finding_only_the_whole_can_be_changed(state: SessionState) -> None:
    told = hints(state, None, False)
    assert told[Command.NAMES_DOWN].is_possible
    assert told[Command.RESET] == Hint(False, "Choose a finding first")
    assert told[Command.UNDO] == Hint(False, "Nothing to take back")
    assert told[Command.REGRADE] == Hint(False, "No finding is stale")


def test_what_was_done_can_be_taken_back_and_done_again(state: SessionState, small_study: Study) -> None:
    moved = state.doing(commands.move(state, landmark_at(small_study.by_id("t2"), CANAL, 3, (20, 12))))
    told = hints(moved, CANAL, False)
    assert told[Command.UNDO] == Hint(True, "Take back: Moved: L4/L5 spinal canal stenosis")
    assert told[Command.RESET] == Hint(True, "Bring the predicted point back")
    assert told[Command.REGRADE] == Hint(True, "Grade 1 stale findings again")
    assert hints(moved, CANAL, True)[Command.REGRADE] == Hint(False, "Being graded again now")
    again = hints(moved.undoing(), CANAL, False)
    assert again[Command.REDO] == Hint(True, "Do again: Moved: L4/L5 spinal canal stenosis")


def test_what_is_absent_is_not_graded(state: SessionState) -> None:
    told = hints(state.doing(commands.mark_absent(state, CANAL)), CANAL, False)
    for command in GRADE_COMMANDS.values():
        assert told[command] == Hint(False, f"{CANAL.text} is marked absent: reset its point first")
    assert not told[Command.MARK_ABSENT].is_possible
    assert told[Command.RESET].is_possible


def test_a_grade_by_hand_can_be_taken_back(state: SessionState) -> None:
    assert not hints(state, CANAL, False)[Command.CLEAR_GRADE].is_possible
    graded = state.doing(commands.override(state, CANAL, Severity.SEVERE))
    assert hints(graded, CANAL, False)[Command.CLEAR_GRADE].is_possible


def test_names_at_the_end_of_the_spine_say_so(state: SessionState) -> None:
    for _ in range(4):
        state = state.doing(commands.shift_levels(state, 1))
    assert hints(state, CANAL, False)[Command.NAMES_DOWN].text.startswith("the level names cannot move")


@pytest.mark.parametrize(
    ("saved_at", "not_saved", "said"),
    [
        (None, "", "Nothing to save yet"),
        (datetime(2026, 1, 2, 13, 5, tzinfo=UTC), "", "Saved 14:05"),
        (datetime(2025, 12, 31, 23, 5, tzinfo=UTC), "", "Saved 2026-01-01 00:05"),
        (datetime(2026, 1, 2, 13, 5, tzinfo=UTC), "the disk is full.", "⚠ Not saved"),
    ],
)
def test_it_is_always_said_whether_the_work_is_on_disk(
    state: SessionState, small_study: Study, saved_at: datetime | None, not_saved: str, said: str
) -> None:
    session = Session(small_study, state, lambda _: NOW, saved_at, not_saved)
    short, in_full = saved_text(session, NOW)
    assert short == said
    assert not_saved in in_full
    assert saved_text(None, NOW) == ("", "")
