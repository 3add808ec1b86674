"""The table on a terminal and in a log says which grades are in doubt, and why."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from napari_lumbar.cli.table import certainty_lines, plain_lines, print_grades
from napari_lumbar.domain.findings import Analysis, Certainty, GradeSource, Override
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity

CANAL, STRANGE = (
    FindingKey(condition, Level.L4_L5)
    for condition in (Condition.SPINAL_CANAL_STENOSIS, Condition.LEFT_SUBARTICULAR_STENOSIS)
)


@pytest.fixture
def doubtful(small_analysis: Analysis) -> Analysis:
    certainties = {
        CANAL: Certainty(prediction_set=(Severity.NORMAL_MILD, Severity.MODERATE)),
        STRANGE: Certainty(prediction_set=tuple(Severity), strangeness=2.0),
    }
    findings = {
        key: replace(finding, certainty=certainties.get(key, Certainty()))
        for key, finding in small_analysis.findings.items()
    }
    return replace(small_analysis, findings=findings)


def test_doubt_stands_in_the_cell_and_is_explained_below(doubtful: Analysis) -> None:
    heading, *rows = plain_lines(doubtful)
    starts = [heading.index(word) for word in ("Right foramen", "Canal", "Left subarticular")]
    cells = [row[start:].split("  ")[0] for row in rows[2:4] for start in starts]
    assert cells == [
        *["Normal/Mild 85%"] * 3,
        *["Normal/Mild 85%", "Normal/Mild? 85%", "Normal/Mild? 85% caution"],
    ]
    assert certainty_lines(doubtful) == [
        "?, not ruled out (90 % set): normal/mild, moderate: L4/L5 spinal canal stenosis",
        "?, not ruled out (90 % set): normal/mild, moderate, severe: L4/L5 left subarticular stenosis",
        "caution, unlike the training images: L4/L5 left subarticular stenosis",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_both_tables_are_followed_by_the_explanation(doubtful: Analysis, terminal: bool) -> None:
    stream = io.StringIO()
    print_grades(Console(width=170, force_terminal=terminal, color_system=None, file=stream), doubtful)
    text = stream.getvalue()
    assert text.count("Normal/Mild?") == 2
    assert text.index("85% caution") < text.index("caution, unlike the training images: L4/L5 left")


def test_nothing_is_said_where_nothing_is_known(small_analysis: Analysis) -> None:
    assert certainty_lines(small_analysis) == []
    assert not any("?" in line for line in plain_lines(small_analysis))


def test_a_grade_by_hand_has_no_percentage(small_analysis: Analysis) -> None:
    finding = replace(
        small_analysis.findings[CANAL],
        probs=None,
        override=Override(Severity.SEVERE),
        source=GradeSource.OVERRIDDEN,
    )
    analysis = replace(small_analysis, findings={**small_analysis.findings, CANAL: finding})
    assert "Severe by hand" in plain_lines(analysis)[1 + CANAL.level.rank]
    stream = io.StringIO()
    print_grades(Console(width=170, force_terminal=True, color_system=None, file=stream), analysis)
    assert "Severe  by hand" in stream.getvalue()
