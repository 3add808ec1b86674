"""A grade that was withheld does not come back by grading again what lies beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.doubts import Doubt, DoubtKind
from napari_lumbar.domain.landmarks import NotGradable
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.plausibility import withhold
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionState, current_analysis, landmark_at
from napari_lumbar.session.commands import move, override, shift_levels, swap_sides
from napari_lumbar.session.regrading import answer

FORAMEN = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)
RIGHT_FORAMEN = FindingKey(Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)
RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
LOWER = FindingKey(FORAMEN.condition, Level.L5_S1)


def doubted(state: SessionState, kind: DoubtKind) -> SessionState:
    return state_with(state, Doubt(kind, "The left foramen lies on the right", frozenset({FORAMEN})))


def state_with(state: SessionState, *doubts: Doubt) -> SessionState:
    """The state as an analysis with these doubts leaves it."""
    warnings = tuple(doubt.text for doubt in doubts)
    findings = withhold(state.analysis.findings, doubts)
    known = replace(state.analysis, doubts=doubts, findings=findings, warnings=warnings)
    return replace(state, analysis=known)


def moved(state: SessionState, study: Study, key: FindingKey, series_id: str | None = None) -> SessionState:
    old = state.landmarks.points[key]
    series = study.by_id(series_id or old.series_id)
    place = (old.pixel_rc[0] + 1, old.pixel_rc[1])
    return state.doing(move(state, landmark_at(series, key, old.slice_index, place)))


def regraded(state: SessionState, study: Study, system: System) -> SessionState:
    request = state.request()
    return state.accepting(request, answer(study, system, request))


@pytest.mark.parametrize("kind", [DoubtKind.SIDE_CONTRADICTED, DoubtKind.POOR_IMAGES, DoubtKind.NOT_LUMBAR])
def test_it_stays_withheld_when_a_point_beside_it_moves(
    state: SessionState, small_study: Study, fake_system: System, kind: DoubtKind
) -> None:
    after = moved(doubted(state, kind), small_study, RECESS)
    assert FORAMEN in after.stale
    after = regraded(after, small_study, fake_system)
    finding = after.finding(FORAMEN)
    assert after.stale == frozenset()
    assert finding.severity is None
    assert finding.not_gradable is not None
    assert finding.not_gradable.code == kind.code
    assert after.finding(RECESS).severity is not None


def test_it_stays_withheld_under_another_levels_name(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    before = doubted(state, DoubtKind.SIGNAL_VOID)
    after = regraded(before.doing(shift_levels(before, 1)), small_study, fake_system)
    assert after.finding(LOWER).not_gradable is not None
    assert after.finding(FORAMEN).severity is not None, "it is the place that was called L3/L4"


def test_words_about_predicted_names_say_so_once_names_moved(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    before = state_with(state, Doubt(DoubtKind.SIGNAL_VOID, "A hole at L4/L5", frozenset({FORAMEN})))
    assert current_analysis(before).doubts == before.analysis.doubts
    after = regraded(before.doing(shift_levels(before, 1)), small_study, fake_system)
    shown = current_analysis(after)
    why = after.finding(LOWER).not_gradable
    assert why is not None
    assert why.reason.startswith("By the predicted names: A hole at L4/L5. To do: ")
    assert why.reason in shown.warnings
    (doubt,) = shown.doubts
    assert doubt.sentence == "By the predicted names: A hole at L4/L5"
    assert doubt.withheld == frozenset({LOWER})
    undone = regraded(after.doing(shift_levels(after, -1)), small_study, fake_system)
    assert current_analysis(undone).doubts == before.analysis.doubts


def test_words_about_sides_say_so_once_sides_are_swapped(state: SessionState) -> None:
    doubts = [
        Doubt(DoubtKind.SIGNAL_VOID, "A hole beside the left foramen", frozenset({FORAMEN})),
        Doubt(DoubtKind.POOR_IMAGES, "Noise", frozenset({FORAMEN})),
    ]
    before = state_with(state, *doubts)
    shown = current_analysis(before.doing(swap_sides(before, confirmed=True))).doubts
    assert [doubt.sentence for doubt in shown] == [
        "By the predicted names: A hole beside the left foramen",
        "Noise",
    ]
    assert all(doubt.withheld == {RIGHT_FORAMEN} for doubt in shown)


def test_a_doubt_withholds_nothing_once_the_point_lies_elsewhere(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    before = doubted(state, DoubtKind.SIGNAL_VOID)
    after = regraded(moved(before, small_study, FORAMEN), small_study, fake_system)
    assert [doubt.withheld for doubt in current_analysis(after).doubts] == [frozenset()]
    by_hand = before.doing(override(before, FORAMEN, Severity.SEVERE))
    assert [doubt.withheld for doubt in current_analysis(by_hand).doubts] == [frozenset()]


@pytest.mark.parametrize("kind", [DoubtKind.SIDE_CONTRADICTED, DoubtKind.SIGNAL_VOID, DoubtKind.NOT_LUMBAR])
def test_a_person_who_puts_the_point_elsewhere_gets_its_grade(
    state: SessionState, small_study: Study, fake_system: System, kind: DoubtKind
) -> None:
    after = regraded(moved(doubted(state, kind), small_study, FORAMEN), small_study, fake_system)
    assert after.finding(FORAMEN).severity is not None


def test_another_place_on_the_same_poor_images_has_no_grade_either(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    poor = doubted(state, DoubtKind.POOR_IMAGES)
    assert regraded(moved(poor, small_study, FORAMEN), small_study, fake_system).finding(FORAMEN).not_gradable


def test_a_point_on_a_series_of_another_kind_gets_no_grade(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    """Networks that learnt from T1 answer on T2, too, and surely."""
    on_t2 = regraded(moved(state, small_study, FORAMEN, "t2"), small_study, fake_system)
    finding = on_t2.finding(FORAMEN)
    assert on_t2.stale == frozenset()
    assert finding.severity is None
    assert finding.landmark == on_t2.landmarks.points[FORAMEN]
    assert finding.not_gradable == NotGradable(
        "other_series",
        "its point lies on Sagittal T2/STIR, and it is graded on Sagittal T1: put the point there",
    )
    assert on_t2.finding(RIGHT_FORAMEN).severity is not None
    back = regraded(on_t2.undoing(), small_study, fake_system)
    assert back.finding(FORAMEN).severity is not None


def test_swapping_the_sides_settles_a_side_that_was_contradicted(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    def swapped(kind: DoubtKind) -> SessionState:
        before = doubted(state, kind)
        return regraded(before.doing(swap_sides(before, confirmed=True)), small_study, fake_system)

    assert swapped(DoubtKind.SIDE_CONTRADICTED).finding(RIGHT_FORAMEN).severity is not None
    assert swapped(DoubtKind.SIGNAL_VOID).finding(RIGHT_FORAMEN).severity is None
    assert swapped(DoubtKind.SIGNAL_VOID).finding(FORAMEN).severity is not None
