"""What a cell says: grade, certainty, old and new, stale, corrected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.findings import Analysis, Certainty, Finding, GradeSource, SeverityProbs
from napari_lumbar.domain.landmarks import LandmarkSource, NotGradable
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import regrade
from napari_lumbar.session import SessionState, landmark_at
from napari_lumbar.session.commands import mark_absent, move, override, propagate, shift_levels, swap_sides
from napari_lumbar.widgets.cells import CellState, certainty_text, change_text, describe, headline

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def stale(state: SessionState, small_study: Study) -> SessionState:
    return state.doing(move(state, landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 50))))


def test_a_prediction_says_grade_and_certainty(state: SessionState) -> None:
    cell = describe(state, LEFT, regrading=False)
    assert (cell.state, cell.severity) == (CellState.CURRENT, Severity.NORMAL_MILD)
    assert (cell.title, cell.note, cell.mark) == ("● Normal/Mild", "0.85", "")
    for words in (
        "L4/L5 left subarticular stenosis",
        "Moderate: 0.100",
        "predicted, confidence 0.90",
        "current",
    ):
        assert words in cell.tooltip


def test_stale_findings_show_no_grade_as_theirs(stale: SessionState) -> None:
    cell = describe(stale, CANAL, regrading=False)
    assert (cell.state, cell.severity, cell.mark) == (CellState.STALE, None, "")
    assert (cell.title, cell.note) == ("Stale", "was Normal")
    assert describe(stale, LEFT, regrading=True).title == "Regrading…"
    assert describe(stale, LEFT, regrading=True).mark == "✎"
    assert headline(stale, CANAL, CellState.STALE) == "stale, was Normal/Mild 0.85"
    assert headline(stale, LEFT, CellState.REGRADING) == "regrading, was Normal/Mild 0.85"
    assert "regrading, was Normal/Mild 0.85" in describe(stale, LEFT, regrading=True).tooltip


@pytest.mark.parametrize("is_swapped", [False, True])
def test_after_renaming_it_is_the_place_that_was_graded_so_before(
    state: SessionState, is_swapped: bool
) -> None:
    """One place is severe and stays so, whatever it is called."""
    severe = replace(state.predicted(LEFT), probs=SeverityProbs(0.05, 0.05, 0.9))
    known = replace(state.analysis, findings={**state.analysis.findings, LEFT: severe})
    before = replace(state, analysis=known)
    lower = FindingKey(LEFT.condition, Level.L5_S1)
    right = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)
    step, its_name = (
        (swap_sides(before, confirmed=True), right) if is_swapped else (shift_levels(before, 1), lower)
    )
    renamed = before.doing(step)
    assert describe(renamed, its_name, regrading=True).note == "was Severe"
    assert describe(renamed, LEFT, regrading=True).note == "was Normal"
    assert renamed.answer(its_name).evidence == severe.evidence
    request = renamed.request()
    same = {key: replace(renamed.answer(key), source=GradeSource.PREDICTED) for key in request.keys}
    after = renamed.accepting(request, same)
    assert after.stale == frozenset()
    assert [describe(after, key, regrading=False).note for key in (its_name, LEFT)] == ["0.90", "0.85"]
    assert change_text(after, its_name) == "Severe 0.90"
    other = {**same, its_name: replace(same[its_name], probs=SeverityProbs(0.1, 0.8, 0.1))}
    assert describe(renamed.accepting(request, other), its_name, regrading=False).note == "0.80 was Severe"


def test_a_disc_that_had_no_name_before_was_nothing(state: SessionState) -> None:
    upper = FindingKey(CANAL.condition, Level.L1_L2)
    renamed = state.doing(shift_levels(state, 1))
    put = replace(state.landmarks.points[upper], key=upper)
    placed = renamed.doing(move(renamed, put))
    assert describe(placed, upper, regrading=True).note == "was not graded"
    assert placed.answer(upper).not_gradable == NotGradable(
        "not_graded_yet", "the prediction had no name for this disc"
    )
    request = placed.request([upper])
    graded = replace(state.predicted(upper), landmark=put)
    after = placed.accepting(request, {upper: graded})
    assert describe(after, upper, regrading=False).note == "0.85"


def test_after_regrading_old_and_new_stand_together(
    stale: SessionState, small_study: Study, fake_system: System
) -> None:
    request = stale.request()
    after = stale.accepting(request, regrade(small_study, fake_system, request.landmarks, request.keys))
    cell = describe(after, LEFT, regrading=False)
    assert (cell.title, cell.note) == ("◆ Severe", "0.77 was Normal")
    assert change_text(after, LEFT) == "Normal/Mild 0.85 → Severe 0.77"
    assert "Landmark: corrected ✎" in cell.tooltip


def test_a_finding_without_grade_says_why(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    ungraded = Finding(LEFT, None, None, not_gradable=NotGradable("no-axial", "no axial slice near the disc"))
    findings = {**state.analysis.findings, LEFT: ungraded}
    bare = replace(state, analysis=replace(state.analysis, findings=findings))
    cell = describe(bare, LEFT, regrading=False)
    assert (cell.state, cell.title, cell.note) == (CellState.NOT_GRADED, "Not graded", "")
    assert "Why: no axial slice near the disc" in cell.tooltip


def certain(state: SessionState, certainty: Certainty) -> SessionState:
    """The state as if the weights had said this of ``LEFT``."""
    finding = replace(state.predicted(LEFT), certainty=certainty)
    findings = {**state.analysis.findings, LEFT: finding}
    return replace(state, analysis=replace(state.analysis, findings=findings))


def test_an_open_grade_wears_a_question_mark_and_names_what_is_open(state: SessionState) -> None:
    left = (Severity.NORMAL_MILD, Severity.MODERATE)
    doubtful = certain(state, Certainty(left, spread=0.25, strangeness=0.5))
    cell = describe(doubtful, LEFT, regrading=False)
    assert (cell.title, cell.note, cell.severity) == ("● Normal/Mild?", "0.85", Severity.NORMAL_MILD)
    assert change_text(doubtful, LEFT) == "Normal/Mild? 0.85"
    words = ["Not ruled out: normal/mild, moderate", "Spread ±0.25 grades", "Like the training images"]
    assert [line for line in cell.tooltip.splitlines() if line in words] == words
    assert certainty_text(doubtful.finding(LEFT)) == ". ".join(words) + "."


def test_a_grade_outside_training_calls_for_caution(
    state: SessionState, stale: SessionState, small_study: Study, fake_system: System
) -> None:
    strange = Certainty((Severity.NORMAL_MILD,), strangeness=1.5)
    cell = describe(certain(state, strange), LEFT, regrading=False)
    assert (cell.title, cell.note) == ("● Normal/Mild", "0.85 ⚠ caution")
    assert "Unlike the training images: treat with caution" in cell.tooltip
    # after a regrading the caution has the place of the old grade, which the details still give
    request = stale.request()
    answer = dict(regrade(small_study, fake_system, request.landmarks, request.keys))
    answer[LEFT] = replace(answer[LEFT], certainty=strange)
    after = stale.accepting(request, answer)
    cell = describe(after, LEFT, regrading=False)
    assert (cell.title, cell.note) == ("◆ Severe?", "0.77 ⚠ caution")
    assert "Normal/Mild 0.85 → Severe? 0.77" in cell.tooltip


def test_weights_without_certainty_say_so_in_the_details_only(state: SessionState) -> None:
    assert "not say how far this grade can be trusted" in certainty_text(state.finding(LEFT))
    cell = describe(state, LEFT, regrading=False)
    assert not any(word in cell.title + cell.tooltip for word in ("?", "trusted", "ruled out"))


@pytest.mark.parametrize(("confidence", "unsure"), [(0.31, True), (0.5, False)])
def test_a_landmark_that_is_hardly_seen_is_called_unsure(
    state: SessionState, confidence: float, unsure: bool
) -> None:
    landmarks = state.analysis.landmarks
    doubted = replace(landmarks.points[LEFT], confidence=confidence)
    analysis = replace(state.analysis, landmarks=landmarks.replacing(doubted))
    cell = describe(replace(state, analysis=analysis), LEFT, regrading=False)
    said = "predicted, unsure, confidence" if unsure else "predicted, confidence"
    assert f"Landmark: {said} {confidence:.2f}" in cell.tooltip


def test_a_corrected_cell_leaves_room_for_its_pencil(
    stale: SessionState, small_study: Study, fake_system: System
) -> None:
    back = stale.doing(move(stale, landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 33))))
    request = back.request()
    after = back.accepting(request, regrade(small_study, fake_system, request.landmarks, request.keys))
    cell = describe(after, LEFT, regrading=False)
    assert (cell.title, cell.mark) == ("● Normal", "✎")
    assert change_text(after, LEFT).endswith("Normal/Mild 0.81")


def test_a_point_that_followed_another_is_not_marked_as_a_persons(
    state: SessionState, small_study: Study
) -> None:
    point = landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 40))
    followed = state.doing(propagate(state, [replace(point, source=LandmarkSource.PROPAGATED)]))
    cell = describe(followed, LEFT, regrading=False)
    assert (cell.state, cell.mark) == (CellState.STALE, "↳")
    assert cell.tooltip.endswith("Landmark: propagated ↳")
    by_hand = followed.doing(move(followed, landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 50))))
    assert describe(by_hand, LEFT, regrading=False).mark == "✎"


def test_a_grade_by_hand_is_current_and_says_so(stale: SessionState) -> None:
    state = stale.doing(override(stale, LEFT, Severity.SEVERE, "seen on T1"))
    cell = describe(state, LEFT, regrading=True)
    assert (cell.state, cell.severity) == (CellState.CURRENT, Severity.SEVERE)
    assert (cell.title, cell.note) == ("◆ Severe", "by hand was Normal")
    assert change_text(state, LEFT) == "Normal/Mild 0.85 → Severe by hand"
    assert "Graded by hand: seen on T1" in cell.tooltip.splitlines()
    assert certainty_text(state.finding(LEFT)) == "Graded by hand: seen on T1."
    assert describe(state, CANAL, regrading=False).title == "Stale"


def test_what_is_marked_absent_says_so(state: SessionState) -> None:
    cell = describe(state.doing(mark_absent(state, LEFT)), LEFT, regrading=False)
    assert (cell.state, cell.severity, cell.title) == (CellState.NOT_GRADED, None, "Not graded")
    assert "Why: marked absent by the reader" in cell.tooltip
    assert cell.mark == "✎"
