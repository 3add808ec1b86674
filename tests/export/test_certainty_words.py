"""Doubt is said in the same words everywhere, and only where the weights know something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.findings import Analysis, Certainty, Finding, SeverityProbs
from napari_lumbar.domain.spine import ALL_FINDINGS, Severity
from napari_lumbar.export.certainty_words import certainty_lines, doubt_mark, is_unsure, not_ruled_out

NORMAL, MODERATE, SEVERE = Severity


def moderate(certainty: Certainty) -> Finding:
    return Finding(ALL_FINDINGS[0], SeverityProbs(0.3, 0.6, 0.1), None, certainty=certainty)


@pytest.mark.parametrize(
    ("left", "mark", "words"),
    [
        (None, "", ""),
        ((MODERATE,), "", "not ruled out: moderate only"),
        ((NORMAL, MODERATE), "?", "not ruled out: normal/mild, moderate"),
        ((NORMAL, MODERATE, SEVERE), "?", "not ruled out: normal/mild, moderate, severe"),
        ((SEVERE,), "?", "not ruled out: severe"),
    ],
)
def test_a_grade_is_doubted_unless_all_others_are_ruled_out(
    left: tuple[Severity, ...] | None, mark: str, words: str
) -> None:
    finding = moderate(Certainty(prediction_set=left))
    assert (doubt_mark(finding), not_ruled_out(finding)) == (mark, words)


@pytest.mark.parametrize(
    ("certainty", "lines"),
    [
        (Certainty(), ()),
        (Certainty(spread=0.256), ("spread ±0.26 grades",)),
        (Certainty(spread=0.0, strangeness=1.0), ("spread ±0.00 grades", "like the training images")),
        (Certainty(strangeness=1.01), ("unlike the training images: treat with caution",)),
    ],
)
def test_only_what_is_known_is_said(certainty: Certainty, lines: tuple[str, ...]) -> None:
    assert certainty_lines(moderate(certainty)) == lines


def test_without_a_grade_there_is_no_certainty(analysis: Analysis) -> None:
    (refused, _) = (f for f in analysis.findings.values() if f.not_gradable)
    assert certainty_lines(replace(refused, certainty=Certainty((MODERATE,), 0.1, 2.0))) == ()


def test_half_sure_is_the_border_of_unsure(analysis: Analysis) -> None:
    landmark = next(iter(analysis.landmarks))
    said = [is_unsure(replace(landmark, confidence=c)) for c in (0.0, 0.49, 0.5, 1.0, None)]
    assert said == [True, True, False, False, False]
