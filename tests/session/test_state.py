"""What goes stale, what comes back, and what is dropped."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.domain.findings import Certainty, Finding, GradeSource
from napari_lumbar.domain.landmarks import Dependence, LandmarkSource, dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import Corrections, RegradeRequest, SessionState, current_analysis, landmark_at
from napari_lumbar.session.commands import mark_absent, move, reset
from napari_lumbar.session.regrading import answer

from .conftest import ACTIONS, Act, Action

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT_SUBARTICULAR = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


def moved(state: SessionState, study: Study, key: FindingKey, columns: float = 12) -> SessionState:
    old = state.landmarks.points[key]
    row, column = old.pixel_rc
    place = (row, column + columns)
    return state.doing(move(state, landmark_at(study.by_id(old.series_id), key, old.slice_index, place)))


def answered(
    state: SessionState, study: Study, system: System
) -> tuple[RegradeRequest, dict[FindingKey, Finding]]:
    request = state.request()
    return request, dict(answer(study, system, request))


@given(key=st.sampled_from(ALL_FINDINGS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_the_dependent_findings_go_stale(
    state: SessionState, small_study: Study, key: FindingKey
) -> None:
    assert state.stale == frozenset()
    assert moved(state, small_study, key).stale == dependent_findings(key)
    after = moved(state, small_study, key)
    assert after.doing(reset(after, key)).stale == frozenset()


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
    assert state.corrections == Corrections()


def test_regrading_makes_the_finding_current_and_keeps_the_old_grade(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    after = stale.accepting(*answered(stale, small_study, fake_system))
    assert after.stale == frozenset()
    assert after.predicted(CANAL).severity is Severity.NORMAL_MILD
    assert after.finding(CANAL).severity is Severity.SEVERE
    assert after.is_changed(CANAL)
    assert after.finding(CANAL).source is GradeSource.CORRECTED
    assert all(after.finding(k) is state.finding(k) for k in ALL_FINDINGS if k != CANAL)


def test_a_late_answer_is_dropped_only_where_landmarks_moved_since(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, LEFT_SUBARTICULAR)
    request, findings = answered(stale, small_study, fake_system)
    meanwhile = moved(stale, small_study, CANAL)  # touches the canal, one of the three that were asked
    after = meanwhile.accepting(request, findings)
    assert after.stale == {CANAL}
    assert after.is_changed(LEFT_SUBARTICULAR)


def test_going_back_to_the_prediction_needs_no_regrading(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    after = stale.accepting(*answered(stale, small_study, fake_system))
    back = after.doing(reset(after, CANAL))
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


def test_an_answer_for_another_study_or_bundle_is_dropped(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    request, findings = answered(stale, small_study, fake_system)
    for other in (replace(request, study_uid="1.2.840.2"), replace(request, bundle_sha256="cd" * 32)):
        assert stale.accepting(other, findings) is stale


def test_an_answer_that_comes_after_the_point_was_marked_absent_grades_nothing(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    stale = moved(state, small_study, CANAL)
    request, findings = answered(stale, small_study, fake_system)
    absent = stale.doing(mark_absent(stale, CANAL)).accepting(request, findings)
    assert absent.finding(CANAL).severity is None
    assert current_analysis(absent).findings[CANAL].source is GradeSource.ABSENT


@given(actions=ACTIONS, answer_after=st.integers(0, 12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_whatever_is_done_no_grade_in_the_result_is_older_than_its_landmarks(
    state: SessionState,
    small_study: Study,
    fake_system: System,
    act: Act,
    actions: list[Action],
    answer_after: int,
) -> None:
    late = answered(state, small_study, fake_system)
    for number, action in enumerate(actions):
        state = act(state, action)
        if number == answer_after:
            late = answered(state, small_study, fake_system)
    for now in (state.accepting(*late), state.accepting(*answered(state, small_study, fake_system))):
        result = current_analysis(now)
        truth = answer(small_study, fake_system, replace(now.request(), keys=frozenset(ALL_FINDINGS)))
        for key, finding in result.findings.items():
            assert finding.landmark == now.landmarks.get(key)
            if finding.probs is not None:
                assert finding.probs == truth[key].probs
            if finding.override is not None and finding.override.instead_of is not None:
                assert finding.override.instead_of == truth[key].probs
    assert now.outdated == frozenset()
