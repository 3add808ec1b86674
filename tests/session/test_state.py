"""What goes stale, what comes back, and what is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.domain.findings import Analysis, Certainty, Finding
from napari_lumbar.domain.landmarks import Dependence, LandmarkSource, dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import regrade
from napari_lumbar.session import RegradeRequest, SessionState, current_analysis, landmark_at

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT_SUBARTICULAR = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


def moved(state: SessionState, study: Study, key: FindingKey, columns: float = 12) -> SessionState:
    old = state.landmarks.points[key]
    row, column = old.pixel_rc
    place = (row, column + columns)
    return state.correcting(landmark_at(study.by_id(old.series_id), key, old.slice_index, place))


def answered(
    state: SessionState, study: Study, system: System
) -> tuple[RegradeRequest, dict[FindingKey, Finding]]:
    request = state.request()
    return request, dict(regrade(study, system, request.landmarks, request.keys))


@given(key=st.sampled_from(ALL_FINDINGS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_the_dependent_findings_go_stale(
    state: SessionState, small_study: Study, key: FindingKey
) -> None:
    assert state.stale == frozenset()
    assert moved(state, small_study, key).stale == dependent_findings(key)
    assert moved(state, small_study, key).resetting(key).stale == frozenset()


@given(key=st.sampled_from(ALL_FINDINGS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_one_pass_answers_a_level_the_whole_level_goes_stale(
    state: SessionState, small_study: Study, key: FindingKey
) -> None:
    by_level = replace(state, analysis=replace(state.analysis, dependence=Dependence.LEVEL))
    assert by_level.stale == frozenset()
    stale = moved(by_level, small_study, key).stale
    assert stale == {other for other in ALL_FINDINGS if other.level is key.level}


def test_a_correction_leaves_the_prediction_alone(state: SessionState, small_study: Study) -> None:
    after = moved(state, small_study, CANAL)
    assert after.landmarks.points[CANAL].source is LandmarkSource.CORRECTED
    assert after.analysis.landmarks.points[CANAL].source is LandmarkSource.PREDICTED
    assert state.corrections == {}


def test_regrading_makes_the_finding_current_and_keeps_the_old_grade(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    after = stale.accepting(*answered(stale, small_study, fake_system))
    assert after.stale == frozenset()
    assert after.predicted(CANAL).severity is Severity.NORMAL_MILD
    assert after.finding(CANAL).severity is Severity.SEVERE
    assert after.is_regraded(CANAL)
    assert all(after.finding(k) is state.finding(k) for k in ALL_FINDINGS if k != CANAL)


def test_a_late_answer_is_dropped_only_where_landmarks_moved_since(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, LEFT_SUBARTICULAR)
    request, findings = answered(stale, small_study, fake_system)
    meanwhile = moved(stale, small_study, CANAL)  # touches the canal, one of the three that were asked
    after = meanwhile.accepting(request, findings)
    assert after.stale == {CANAL}
    assert after.is_regraded(LEFT_SUBARTICULAR)


def test_going_back_to_the_prediction_needs_no_regrading(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    back = stale.accepting(*answered(stale, small_study, fake_system)).resetting(CANAL)
    assert back.stale == frozenset()
    assert back.finding(CANAL) is state.predicted(CANAL)


def test_export_holds_no_grade_older_than_its_landmark(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, LEFT_SUBARTICULAR)
    exported = current_analysis(stale)
    for key, finding in exported.findings.items():
        code = finding.not_gradable.code if finding.not_gradable else None
        assert code == ("stale" if key in dependent_findings(LEFT_SUBARTICULAR) else None)
    assert exported.landmarks.points[LEFT_SUBARTICULAR].source is LandmarkSource.CORRECTED
    regraded = current_analysis(stale.accepting(*answered(stale, small_study, fake_system)))
    assert regraded.findings[LEFT_SUBARTICULAR].severity is Severity.SEVERE
    assert len(regraded.graded) == len(ALL_FINDINGS)


def test_certainty_leaves_with_its_grade_and_never_with_a_stale_one(
    state: SessionState, small_study: Study
) -> None:
    certainty = Certainty((Severity.NORMAL_MILD, Severity.MODERATE), spread=0.25, strangeness=1.5)
    findings = {key: replace(f, certainty=certainty) for key, f in state.analysis.findings.items()}
    known = replace(state, analysis=replace(state.analysis, findings=findings))
    left = current_analysis(moved(known, small_study, CANAL)).findings
    assert left[CANAL].certainty == Certainty()
    assert {finding.certainty for key, finding in left.items() if key != CANAL} == {certainty}
