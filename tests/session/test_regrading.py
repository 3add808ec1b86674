"""A saved session, done again without a window, gives what the window gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from napari_lumbar.domain.errors import SessionError
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import ALL_FINDINGS
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import analyze
from napari_lumbar.session import SavedSession, SessionState, SessionStore, current_analysis, read_session
from napari_lumbar.session.commands import swap_sides
from napari_lumbar.session.regrading import answer, replay

from .conftest import ACTIONS, Act, Action


def saved(folder: Path, state: SessionState) -> SavedSession:
    store = SessionStore(folder)
    store.save(state)
    return read_session(
        store.path(state.study_uid, state.analysis.provenance.bundle_sha256, state.analysis.series)
    )


@given(actions=ACTIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_numbers_are_those_of_a_session_that_was_regraded_after_every_step(
    tmp_path: Path,
    small_study: Study,
    fake_system: System,
    small_analysis: Analysis,
    state: SessionState,
    act: Act,
    actions: list[Action],
) -> None:
    for action in actions:
        state = act(state, action)
        request = state.request()
        state = state.accepting(request, answer(small_study, fake_system, request))
    shown = current_analysis(state)
    fresh = analyze(small_study, fake_system)
    again = replay(small_study, fake_system, fresh, saved(tmp_path, state))
    assert again.landmarks == shown.landmarks
    assert again.warnings == shown.warnings
    for key in ALL_FINDINGS:
        one, other = again.findings[key], shown.findings[key]
        for part in ("probs", "override", "not_gradable", "source", "landmark"):
            assert getattr(one, part) == getattr(other, part)
    assert set(again.timings_s) == {*small_analysis.timings_s, "regrade"}


def test_series_are_used_as_they_were(
    tmp_path: Path, small_study: Study, fake_system: System, small_analysis: Analysis
) -> None:
    session = saved(tmp_path, SessionState(small_study.study_uid, small_analysis))
    other = small_study.assigning("t1", None)
    again = session.with_roles(other)
    assert again.first(SeriesRole.SAGITTAL_T1) is not None
    assert again.by_id("t1").role_reason == "as in the session file"
    assert again.by_id("t2") is small_study.by_id("t2")
    assert again.warnings == small_study.warnings


def test_a_series_the_session_does_not_know_is_left_out_aloud(
    tmp_path: Path, small_study: Study, small_analysis: Analysis
) -> None:
    session = saved(tmp_path, SessionState(small_study.study_uid, small_analysis))
    second = replace(small_study.by_id("t2"), series_id="t2b")
    again = session.with_roles(replace(small_study, series=(second, *small_study.series)))
    assert [series.series_id for series in again.series] == ["t1", "t2", "ax", "t2b"], "the preferred first"
    assert again.by_id("t2b").role is None
    said = "1 series has no role here, because the session does not know or use it."
    assert again.warnings == (*small_study.warnings, said)


def test_a_session_of_something_else_is_refused(
    tmp_path: Path, small_study: Study, fake_system: System, small_analysis: Analysis
) -> None:
    session = saved(tmp_path, SessionState(small_study.study_uid, small_analysis))
    with pytest.raises(SessionError, match="belongs to another study: choose the study it was saved for"):
        session.with_roles(replace(small_study, study_uid="1.2.840.2"))
    with pytest.raises(SessionError, match="used 1 series that this folder lacks; choose the whole study"):
        session.with_roles(replace(small_study, series=small_study.series[:2]))
    said = "predictions of the bundle cdcdcdcd, and the bundle in use is abababab: choose the bundle it was"
    with pytest.raises(SessionError, match=said):
        replay(small_study, fake_system, small_analysis, replace(session, bundle_sha256="cd" * 32))
    elsewhere = {level: (x, y, z + 30.0) for level, (x, y, z) in session.predicted_lps_mm.items()}
    said = (
        "had L1/L2 30 mm from where it is now: use the version that it was saved with, or correct these anew"
    )
    with pytest.raises(SessionError, match=said):
        replay(small_study, fake_system, small_analysis, replace(session, predicted_lps_mm=elsewhere))


def test_swapped_names_leave_every_place_its_grade(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    """Networks are asked by the side that a point lies on in the images."""
    asked = small_study, fake_system, (request := state.request(ALL_FINDINGS))
    before = state.accepting(request, answer(*asked))
    swapped = before.doing(swap_sides(before, confirmed=True))
    request = swapped.request()
    assert any(key.condition.side for key in request.keys)
    answers = answer(small_study, fake_system, request)
    after = swapped.accepting(request, answers)
    assert after.stale == frozenset()
    for key in ALL_FINDINGS:
        assert after.finding(key).probs == state.finding(key.opposite).probs
        assert after.finding(key).landmark == after.landmarks.get(key)
