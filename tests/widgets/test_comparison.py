"""Two bundles side by side: what differs, by how much, and never with a stale grade."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.findings import Analysis, Certainty, Finding, SeverityProbs
from napari_lumbar.domain.landmarks import Dependence, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.session import SessionState, landmark_at
from napari_lumbar.session.commands import move
from napari_lumbar.widgets.cells import CellState
from napari_lumbar.widgets.comparison import Comparison, describe_all, legend, summary

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
FORAMEN = FindingKey(Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, Level.L1_L2)


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def comparison(state: SessionState) -> Comparison:
    """As the first, but one finding a grade worse, one two grades, one not graded."""
    findings = dict(state.analysis.findings)
    findings[LEFT] = replace(findings[LEFT], probs=SeverityProbs(0.2, 0.6, 0.2))
    findings[CANAL] = replace(findings[CANAL], probs=SeverityProbs(0.1, 0.2, 0.7))
    why = NotGradable("no-crop", "outside <the> image")
    findings[FORAMEN] = Finding(FORAMEN, None, findings[FORAMEN].landmark, not_gradable=why)
    return Comparison("one", "two", state.landmarks, findings, Dependence.CROPS)


def test_each_cell_holds_both_and_says_whether_they_differ(
    state: SessionState, comparison: Comparison
) -> None:
    cells = describe_all(state, comparison, False)
    assert {key for key, cell in cells.items() if cell.differs} == {LEFT, CANAL, FORAMEN}
    cell = cells[CANAL]
    assert cell.other is not None
    assert (cell.severity, cell.other.severity) == (Severity.NORMAL_MILD, Severity.SEVERE)
    assert (cell.other.title, cell.other.note) == ("◆ Severe", "0.70")
    for words in ("Above, one:", "Below, two:", "Normal/Mild: 0.850", "Severe: 0.700"):
        assert words in cell.tooltip
    assert "Why: outside <the> image" in cells[FORAMEN].tooltip
    assert describe_all(state, None, False)[CANAL].other is None
    assert describe_all(None, comparison, False) == {}


def test_there_is_room_for_how_probable_and_no_more(state: SessionState, comparison: Comparison) -> None:
    strange = replace(state.analysis.findings[CANAL], certainty=Certainty(strangeness=1e9))
    analysis = replace(state.analysis, findings={**state.analysis.findings, CANAL: strange})
    state = replace(state, analysis=analysis)
    assert describe_all(state, None, False)[CANAL].note == "0.85 ⚠ caution"
    assert describe_all(state, comparison, False)[CANAL].note == "0.85"


def test_a_sentence_sums_up_and_says_which_points_were_used(
    state: SessionState, comparison: Comparison
) -> None:
    cells = describe_all(state, comparison, False)
    assert summary(cells) == "3 of 25 findings differ; 1 by two grades; 1 graded by only one."
    assert legend(comparison, cells).endswith(
        "Above: one; below: two; both graded from the points on the screen."
    )
    same = replace(comparison, findings=state.analysis.findings)
    assert summary(describe_all(state, same, False)) == "0 of 25 findings differ."


def test_a_moved_point_makes_what_was_graded_from_it_stale_in_both(
    state: SessionState, comparison: Comparison, small_study: Study
) -> None:
    moved = state.doing(move(state, landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 50))))
    cells = describe_all(moved, comparison, False)
    stale = {key for key, cell in cells.items() if cell.other and cell.other.state is CellState.STALE}
    assert len(stale) == 3
    assert {LEFT, CANAL} < stale
    other = cells[CANAL].other
    assert other is not None
    assert (other.severity, other.title, other.note) == (None, "Stale", "was Severe")
    assert not cells[CANAL].differs
    assert summary(cells) == "1 of 22 findings differ; 1 graded by only one; 3 not compared: a point moved."
    # a bundle that looks at the whole study has to see all of it again
    whole = replace(comparison, dependence=Dependence.STUDY)
    assert all(
        cell.other is not None and cell.other.state is CellState.STALE
        for cell in describe_all(moved, whole, False).values()
    )
    # taken back, the answers stand again
    assert summary(describe_all(moved.undoing(), comparison, False)).startswith("3 of 25 findings differ")
    assert set(cells) == set(ALL_FINDINGS)
