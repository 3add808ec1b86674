"""Undo, redo, events and saving of a reading."""

from __future__ import annotations

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.session import Session, SessionState, landmark_at

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
OTHER = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L1_L2)


@pytest.fixture
def saved() -> list[SessionState]:
    return []


@pytest.fixture
def session(small_study: Study, small_analysis: Analysis, saved: list[SessionState]) -> Session:
    return Session(small_study, SessionState(small_study.study_uid, small_analysis), saved.append)


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
    assert session.history.done == ()
    move(session, CANAL, 40)
    session.reset(CANAL)
    assert CANAL not in session.state.corrections
    assert session.undo() == CANAL
    assert columns_of(session, CANAL) == [40]


def test_every_edit_is_saved_and_told(session: Session, saved: list[SessionState]) -> None:
    told: list[SessionState] = []
    session.changed.connect(told.append)
    move(session, CANAL, 40)
    session.undo()
    session.redo()
    assert [set(state.corrections) for state in saved] == [{CANAL}, set(), {CANAL}]
    assert told == saved


def test_an_edit_that_cannot_be_saved_stands_and_says_so(
    small_study: Study, small_analysis: Analysis
) -> None:
    def full(_: SessionState) -> None:
        raise OSError("No space left on device")

    session = Session(small_study, SessionState(small_study.study_uid, small_analysis), full)
    messages: list[str] = []
    session.save_failed.connect(messages.append)
    move(session, CANAL, 40)
    assert columns_of(session, CANAL) == [40]
    assert messages == ["Corrections are not saved: No space left on device. Free the disk, then edit again."]
