"""Each command: what it changes, what it leaves, how it is undone, and when it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.domain.errors import EditRefused
from napari_lumbar.domain.findings import GradeSource, Override
from napari_lumbar.domain.landmarks import (
    ABSENT,
    RENAMED,
    Dependence,
    Landmarks,
    LandmarkSource,
    NotGradable,
    dependent_findings,
)
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionState, commands, landmark_at, landmark_on_slice, steps
from napari_lumbar.session.regrading import answer

from .conftest import ACTIONS, Act, Action, side_points

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
RIGHT = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)
LEVELS = tuple(Level)

fixture_is_constant = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)


def at_level(key: FindingKey, level: Level) -> FindingKey:
    return FindingKey(key.condition, level)


def moved(state: SessionState, study: Study, key: FindingKey, column: float = 12) -> SessionState:
    series = study.by_id("ax" if key in (LEFT, RIGHT) else "t2")
    return state.doing(commands.move(state, landmark_at(series, key, 3, (20, column))))


def regraded(state: SessionState, study: Study, system: System) -> SessionState:
    request = state.request()
    return state.accepting(request, answer(study, system, request))


def test_a_point_moves_in_its_plane_and_to_another_slice(state: SessionState, small_study: Study) -> None:
    first = moved(state, small_study, CANAL)
    assert first.landmarks.points[CANAL].pixel_rc == (20, 12)
    series = small_study.by_id("t2")
    second = first.doing(commands.move(first, landmark_on_slice(series, first.landmarks.points[CANAL], 4)))
    assert (second.landmarks.points[CANAL].slice_index, second.landmarks.points[CANAL].pixel_rc) == (
        4,
        (20, 12),
    )
    assert [step.text for step in second.work.done] == ["Moved: L4/L5 spinal canal stenosis"] * 2
    assert second.undoing().landmarks == first.landmarks
    same = second.doing(commands.move(second, second.landmarks.points[CANAL]))
    assert same is second


def test_proposed_side_points_are_one_step_and_say_that_they_were_propagated(
    state: SessionState, small_study: Study
) -> None:
    points = side_points(small_study, Level.L4_L5, 12)
    after = state.doing(commands.propagate(state, points))
    assert [after.landmarks.points[key] for key in (LEFT, RIGHT)] == list(points)
    assert {point.source for point in points} == {LandmarkSource.PROPAGATED}
    assert after.stale == dependent_findings(LEFT) | dependent_findings(RIGHT)
    (step,) = after.work.done
    assert step.key == LEFT
    assert step.text == (
        "Proposed again: L4/L5 left subarticular stenosis, L4/L5 right subarticular stenosis"
    )
    assert after.doing(commands.propagate(after, points)) is after, "the same points again are no step"
    assert after.undoing().landmarks == state.landmarks
    assert after.undoing().redoing().work == after.work
    # a person's hand on a propagated point makes it a corrected one
    dragged = landmark_on_slice(small_study.by_id("ax"), after.landmarks.points[LEFT], 2)
    moved_on = after.doing(commands.move(after, dragged))
    assert moved_on.landmarks.points[LEFT].source is LandmarkSource.CORRECTED
    assert moved_on.landmarks.points[LEFT].confidence is None


def test_proposed_points_follow_swapped_names(state: SessionState, small_study: Study) -> None:
    left, right = side_points(small_study, Level.L4_L5, 12)
    swapped = state.doing(commands.swap_sides(state, confirmed=True))
    after = swapped.doing(commands.propagate(swapped, (left, right)))
    assert after.landmarks.points[RIGHT].point_lps_mm == left.point_lps_mm
    assert after.landmarks.points[LEFT].point_lps_mm == right.point_lps_mm


def test_a_compound_step_needs_a_step() -> None:
    with pytest.raises(ValueError, match="a compound step needs at least one step"):
        steps.CompoundStep(())


def test_reset_brings_the_prediction_back_and_keeps_a_grade_by_hand(
    state: SessionState, small_study: Study
) -> None:
    graded = state.doing(commands.override(state, CANAL, Severity.SEVERE))
    back = moved(graded, small_study, CANAL)
    back = back.doing(commands.reset(back, CANAL))
    assert back.landmarks.points[CANAL] == state.landmarks.points[CANAL]
    assert back.finding(CANAL).severity is Severity.SEVERE
    assert back.work.done[-1].text == "Reset: L4/L5 spinal canal stenosis"
    assert state.doing(commands.reset(state, CANAL)) is state


@fixture_is_constant
@given(key=st.sampled_from(ALL_FINDINGS))
def test_an_absent_finding_has_no_grade_and_says_why_at_once(state: SessionState, key: FindingKey) -> None:
    after = state.doing(commands.mark_absent(state, key))
    finding = after.finding(key)
    assert (finding.severity, finding.probs, finding.source) == (None, None, GradeSource.ABSENT)
    assert finding.not_gradable == NotGradable(ABSENT, "marked absent by the reader")
    assert after.landmarks.missing[key].code == ABSENT
    assert after.stale == dependent_findings(key) - {key}
    assert after.undoing().findings == state.findings


def test_marking_absent_takes_place_and_grade_and_undo_gives_both_back(
    state: SessionState, small_study: Study
) -> None:
    before = moved(state, small_study, CANAL)
    before = before.doing(commands.override(before, CANAL, Severity.SEVERE, "seen"))
    absent = before.doing(commands.mark_absent(before, CANAL))
    assert absent.finding(CANAL).override is None
    assert absent.undoing().corrections == before.corrections
    with pytest.raises(
        EditRefused, match="is marked absent and cannot be graded Severe: reset its point first"
    ):
        commands.override(absent, CANAL, Severity.SEVERE)
    again = moved(absent, small_study, CANAL, 15)
    assert again.landmarks.points[CANAL].pixel_rc == (20, 15)


def test_a_grade_by_hand_stands_through_moves_and_regrading_until_it_is_taken_back(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    by_hand = state.doing(commands.override(state, CANAL, Severity.MODERATE, " artefact "))
    finding = by_hand.finding(CANAL)
    assert (finding.severity, finding.source) == (Severity.MODERATE, GradeSource.OVERRIDDEN)
    assert finding.override == Override(Severity.MODERATE, "artefact", state.predicted(CANAL).probs)
    assert by_hand.predicted(CANAL).severity is Severity.NORMAL_MILD

    outdated = moved(by_hand, small_study, CANAL)
    assert outdated.outdated == {CANAL}
    assert not outdated.stale
    assert outdated.finding(CANAL).override == Override(Severity.MODERATE, "artefact", None)
    assert outdated.finding(CANAL).evidence == ()
    current = regraded(outdated, small_study, fake_system)
    assert current.finding(CANAL).severity is Severity.MODERATE
    assert current.finding(CANAL).override == Override(
        Severity.MODERATE, "artefact", current.answer(CANAL).probs
    )
    taken_back = current.doing(commands.clear_override(current, CANAL))
    assert taken_back.finding(CANAL).source is GradeSource.CORRECTED
    assert taken_back.finding(CANAL).severity is Severity.SEVERE
    assert [step.text.split(":")[0] for step in taken_back.work.done] == [
        "Graded by hand",
        "Moved",
        "Took the grade by hand back",
    ]


@pytest.mark.parametrize("by", [-1, 1])
def test_level_names_move_and_the_points_stay(state: SessionState, by: commands.LevelStep) -> None:
    after = state.doing(commands.shift_levels(state, by))
    for key, point in after.landmarks.points.items():
        old = state.landmarks.points[at_level(key, LEVELS[key.level.rank - by])]
        assert point == replace(old, key=key, confidence=None, source=LandmarkSource.CORRECTED)
        assert after.predicted_place(key) is old
    empty, fallen = (Level.L1_L2, Level.L5_S1) if by == 1 else (Level.L5_S1, Level.L1_L2)
    way = "down" if by == 1 else "up"
    for condition in Condition:
        finding = after.finding(FindingKey(condition, empty))
        assert finding.not_gradable == NotGradable(
            RENAMED,
            f"the reader moved the level names {way}, and no point was predicted for the disc now called "
            f"{empty.value}",
        )
        assert (finding.severity, finding.source) == (None, GradeSource.CORRECTED)
    assert after.notes == (
        f"The reader moved the level names {way} by 1; the points stayed where they are.",
        f"The disc predicted as {fallen.value} has no name after the level names moved; "
        "kept but not shown: 5 points.",
    )
    assert after.stale == {key for key in ALL_FINDINGS if key.level is not empty}
    assert after.undoing().landmarks is not after.landmarks
    assert after.undoing().landmarks == state.landmarks
    assert after.undoing().findings == state.findings


def test_what_a_person_said_moves_with_the_names_and_comes_back(
    state: SessionState, small_study: Study
) -> None:
    key = at_level(CANAL, Level.L5_S1)
    before = moved(state, small_study, key)
    before = before.doing(commands.override(before, key, Severity.SEVERE))
    down = before.doing(commands.shift_levels(before, 1))
    assert down.finding(key).override is None
    assert "5 points, 1 grades by hand" in down.notes[-1]
    up = down.doing(commands.shift_levels(down, -1))
    assert up.corrections == before.corrections
    assert up.landmarks == before.landmarks
    upper = up.doing(commands.shift_levels(up, -1))
    assert upper.finding(CANAL).severity is Severity.SEVERE
    assert upper.landmarks.points[CANAL].pixel_rc == (20, 12)


def test_a_reason_keeps_the_name_it_was_given_under(state: SessionState) -> None:
    predicted = state.analysis.landmarks
    points = {key: point for key, point in predicted.points.items() if key != CANAL}
    missing = Landmarks(points, {CANAL: NotGradable("level_not_found", "disc L4/L5 was not found")})
    bare = replace(state, analysis=replace(state.analysis, landmarks=missing))
    after = bare.doing(commands.shift_levels(bare, 1))
    assert after.landmarks.missing[at_level(CANAL, Level.L5_S1)] == NotGradable(
        RENAMED, "called L4/L5 by the prediction: disc L4/L5 was not found"
    )
    assert CANAL in after.landmarks.points


@pytest.mark.parametrize("by", [-1, 1])
def test_names_cannot_leave_the_spine(state: SessionState, by: commands.LevelStep) -> None:
    for _ in range(4):
        state = state.doing(commands.shift_levels(state, by))
    assert len(state.landmarks.points) == 5
    way = "down" if by == 1 else "up"
    with pytest.raises(EditRefused, match=f"cannot move further {way}: no point would have a name"):
        commands.shift_levels(state, by)


def test_left_and_right_change_places_only_when_confirmed(state: SessionState) -> None:
    with pytest.raises(
        EditRefused, match="only after the reader confirmed it: ask, then pass confirmed=True"
    ):
        commands.swap_sides(state, confirmed=False)
    after = state.doing(commands.swap_sides(state, confirmed=True))
    assert after.landmarks.points[LEFT].point_lps_mm == state.landmarks.points[RIGHT].point_lps_mm
    assert after.landmarks.points[LEFT].source is LandmarkSource.CORRECTED
    assert after.landmarks.points[CANAL] == state.landmarks.points[CANAL]
    assert after.notes == (
        "The reader swapped left and right: each point and grade bears the other side's name.",
    )
    assert after.work.done[-1].text == "Swapped left and right"
    twice = after.doing(commands.swap_sides(after, confirmed=True))
    assert twice.landmarks == state.landmarks
    assert twice.stale == frozenset()


def test_the_oldest_steps_are_forgotten_but_not_their_effect(
    state: SessionState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MAX_STEPS", 3)
    for key in ALL_FINDINGS[:5]:
        state = state.doing(commands.mark_absent(state, key))
    assert [step.key for step in state.work.done] == list(ALL_FINDINGS[2:5])
    assert len(state.corrections.by_spot) == 5
    assert state.work.is_consistent


@fixture_is_constant
@given(actions=ACTIONS)
def test_undo_restores_exactly_redo_too_and_predictions_never_change(
    state: SessionState, act: Act, actions: list[Action]
) -> None:
    end = state
    for action in actions:
        end = act(end, action)
    assert end.analysis is state.analysis
    assert end.work.is_consistent
    back = end
    for _ in end.work.done:
        back = back.undoing()
    assert back.corrections == state.corrections
    assert back.landmarks == state.landmarks
    assert back.findings == state.findings
    for _ in end.work.done:
        back = back.redoing()
    assert back.work == end.work


@fixture_is_constant
@given(actions=ACTIONS, dependence=st.sampled_from(Dependence))
def test_exactly_what_depends_on_a_changed_landmark_is_outdated(
    state: SessionState, act: Act, actions: list[Action], dependence: Dependence
) -> None:
    state = replace(state, analysis=replace(state.analysis, dependence=dependence))
    predicted = state.landmarks
    for action in actions:
        state = act(state, action)
    changed = {key for key in ALL_FINDINGS if state.landmarks.get(key) != predicted.get(key)}
    dependent = frozenset().union(*(dependent_findings(key, dependence) for key in changed))
    assert state.outdated == dependent & set(state.landmarks.points)
    by_hand = {key for key in ALL_FINDINGS if state.correction(key).override}
    assert state.stale == state.outdated - by_hand
