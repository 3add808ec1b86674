"""What a cell says: grade, certainty, old and new, stale, corrected."""

from __future__ import annotations

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import regrade
from napari_lumbar.session import SessionState, landmark_at
from napari_lumbar.widgets.cells import CellState, change_text, describe

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def stale(state: SessionState, small_study: Study) -> SessionState:
    return state.correcting(landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 50)))


def test_a_prediction_says_grade_and_certainty(state: SessionState) -> None:
    cell = describe(state, LEFT, regrading=False)
    assert (cell.state, cell.severity) == (CellState.CURRENT, Severity.NORMAL_MILD)
    assert (cell.title, cell.note, cell.corrected) == ("● Normal/Mild", "0.85", False)
    for words in (
        "L4/L5 left subarticular stenosis",
        "Moderate: 0.100",
        "predicted, confidence 0.90",
        "current",
    ):
        assert words in cell.tooltip


def test_stale_findings_show_no_grade_as_theirs(stale: SessionState) -> None:
    cell = describe(stale, CANAL, regrading=False)
    assert (cell.state, cell.severity, cell.corrected) == (CellState.STALE, None, False)
    assert (cell.title, cell.note) == ("Stale", "was Normal")
    assert describe(stale, LEFT, regrading=True).title == "Regrading…"
    assert describe(stale, LEFT, regrading=True).corrected


def test_after_regrading_old_and_new_stand_together(
    stale: SessionState, small_study: Study, fake_system: System
) -> None:
    request = stale.request()
    after = stale.accepting(request, regrade(small_study, fake_system, request.landmarks, request.keys))
    cell = describe(after, LEFT, regrading=False)
    assert (cell.title, cell.note) == ("◆ Severe", "0.77 was Normal")
    assert change_text(after, LEFT) == "Normal/Mild 0.85 → Severe 0.77"
    assert "Landmark: corrected" in cell.tooltip


def test_a_finding_without_grade_says_why(
    state: SessionState, small_study: Study, fake_system: System
) -> None:
    from dataclasses import replace

    from napari_lumbar.domain.findings import Finding
    from napari_lumbar.domain.landmarks import NotGradable

    ungraded = Finding(LEFT, None, None, not_gradable=NotGradable("no-axial", "no axial slice near the disc"))
    findings = {**state.analysis.findings, LEFT: ungraded}
    bare = replace(state, analysis=replace(state.analysis, findings=findings))
    cell = describe(bare, LEFT, regrading=False)
    assert (cell.state, cell.title, cell.note) == (CellState.NOT_GRADED, "Not graded", "")
    assert "Why: no axial slice near the disc" in cell.tooltip
