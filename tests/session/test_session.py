"""Undo, redo, events and saving of a reading."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from napari_lumbar.domain.errors import EditRefused, SessionError
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.session import Corrections, Session, SessionState, landmark_at

from .conftest import side_points

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
OTHER = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L1_L2)
ONE_LOWER = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L5_S1)


@pytest.fixture
def saved() -> list[SessionState]:
    return []


@pytest.fixture
def session(small_study: Study, small_analysis: Analysis, saved: list[SessionState]) -> Session:
    def save(state: SessionState) -> datetime:
        saved.append(state)
        return datetime(2026, 1, 2, 3, len(saved), tzinfo=UTC)

    return Session(small_study, SessionState(small_study.study_uid, small_analysis), save)


def columns_of(session: Session, *keys: FindingKey) -> list[float]:
    return [session.state.landmarks.points[key].pixel_rc[1] for key in keys]


def move(session: Session, key: FindingKey, column: float) -> None:
    session.move(landmark_at(session.study.by_id("t2"), key, 3, (40, column)))


def test_undo_and_redo_walk_through_the_edits(session: Session) -> None:
    start = columns_of(session, CANAL, OTHER)
    move(session, CANAL, 40)
    move(session, OTHER, 41)
    move(session, CANAL, 42)
    assert session.undo() == CANAL
    assert columns_of(session, CANAL, OTHER) == [40, 41]
    assert [session.undo(), session.undo(), session.undo()] == [OTHER, CANAL, None]
    assert columns_of(session, CANAL, OTHER) == start
    assert [session.redo(), session.redo(), session.redo(), session.redo()] == [CANAL, OTHER, CANAL, None]
    assert columns_of(session, CANAL, OTHER) == [42, 41]


def test_a_new_edit_ends_what_could_be_redone(session: Session) -> None:
    move(session, CANAL, 40)
    session.undo()
    move(session, OTHER, 41)
    assert session.redo() is None


def test_reset_is_an_edit_like_any_other(session: Session) -> None:
    session.reset(CANAL)
    assert session.state.work.done == ()
    move(session, CANAL, 40)
    session.reset(CANAL)
    assert not session.state.correction(CANAL).moves_point
    assert session.undo() == CANAL
    assert columns_of(session, CANAL) == [40]


def test_every_edit_is_saved_and_told(session: Session, saved: list[SessionState]) -> None:
    told: list[SessionState] = []
    session.changed.connect(told.append)
    move(session, CANAL, 40)
    session.undo()
    session.redo()
    assert [len(state.corrections.by_spot) for state in saved] == [1, 0, 1]
    assert told == saved
    assert session.saved_at == datetime(2026, 1, 2, 3, 3, tzinfo=UTC)


def test_every_command_is_one_step(session: Session, saved: list[SessionState]) -> None:
    move(session, CANAL, 40)
    session.mark_absent(OTHER)
    session.override(CANAL, Severity.SEVERE, "motion")
    session.shift_levels(1)
    session.swap_sides(confirmed=True)
    assert len(session.state.work.done) == len(saved) == 5
    assert session.state.finding(ONE_LOWER).severity is Severity.SEVERE
    assert [session.undo() for _ in range(5)] == [None, None, CANAL, OTHER, CANAL]
    assert session.state.corrections == Corrections()
    session.clear_override(CANAL)
    assert len(saved) == 10, "what changes nothing is no step"


def test_proposed_points_are_taken_over_in_one_step(
    session: Session, small_study: Study, saved: list[SessionState]
) -> None:
    points = side_points(small_study, Level.L4_L5, 12)
    session.propagate(points)
    assert len(session.state.work.done) == len(saved) == 1
    assert session.undo() == points[0].key
    assert session.state.corrections == Corrections()


def test_a_session_can_be_saved_once_more_without_a_command(
    session: Session, saved: list[SessionState]
) -> None:
    changes: list[SessionState] = []
    session.changed.connect(changes.append)
    session.save()
    assert (len(saved), changes, session.not_saved, session.is_at_risk) == (1, [], "", False)
    assert session.saved_at == datetime(2026, 1, 2, 3, 1, tzinfo=UTC)


def test_a_refused_command_changes_nothing(session: Session, saved: list[SessionState]) -> None:
    with pytest.raises(EditRefused, match="only after the reader confirmed it"):
        session.swap_sides(confirmed=False)
    assert saved == []
    assert session.saved_at is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError("No space left on device"),
            "Corrections are not saved: No space left on device. Free the disk, then edit again.",
        ),
        (SessionError("it is another's"), "Corrections are not saved: it is another's."),
    ],
)
def test_an_edit_that_cannot_be_saved_stands_and_says_so(
    small_study: Study, small_analysis: Analysis, error: Exception, said: str
) -> None:
    def refuse(_: SessionState) -> datetime:
        raise error

    session = Session(small_study, SessionState(small_study.study_uid, small_analysis), refuse)
    messages: list[str] = []
    session.save_failed.connect(messages.append)
    move(session, CANAL, 40)
    assert columns_of(session, CANAL) == [40]
    assert messages == [said]
    assert said == f"Corrections are not saved: {session.not_saved}"
    assert session.is_at_risk
