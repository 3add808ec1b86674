"""The lines about the finding that is chosen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from napari_lumbar.domain.findings import Analysis, Certainty
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.session import Session, SessionState
from napari_lumbar.widgets.finding_panel import FindingPanel
from napari_lumbar.widgets.plain_text import plain_tooltip

pytestmark = pytest.mark.gui

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)

SAVED = datetime(2026, 1, 1, tzinfo=UTC)


def session_with(study: Study, analysis: Analysis, certainty: Certainty, confidence: float) -> Session:
    finding = replace(analysis.findings[CANAL], certainty=certainty)
    landmark = replace(analysis.landmarks.points[CANAL], confidence=confidence)
    given = replace(
        analysis,
        findings={**analysis.findings, CANAL: finding},
        landmarks=analysis.landmarks.replacing(landmark),
    )
    return Session(study, SessionState(study.study_uid, given), lambda _: SAVED)


def test_doubt_is_told_in_full_and_can_be_read_where_it_is_cut_off(
    small_study: Study, small_analysis: Analysis, qtbot: Any
) -> None:
    panel = FindingPanel()
    qtbot.addWidget(panel)
    certainty = Certainty((Severity.NORMAL_MILD, Severity.MODERATE), 0.25, 1.5)
    panel.draw(session_with(small_study, small_analysis, certainty, 0.25), CANAL, False)
    assert panel.title.text() == "L4/L5 spinal canal stenosis: Normal/Mild? 0.85"
    assert panel.certainty.toolTip() == plain_tooltip(panel.certainty.text())
    assert panel.certainty.text() == (
        "Unlike the training images: treat with caution. "
        "Not ruled out: normal/mild, moderate. Spread ±0.25 grades."
    )
    assert panel.detail.text().startswith("Point: predicted, unsure, confidence 0.25.")
    panel.draw(None, None, False)
    assert (panel.certainty.text(), panel.certainty.toolTip()) == ("", "")
