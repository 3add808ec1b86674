"""Every result says what the names of its levels rest on, and what is doubted of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from napari_lumbar.cli.table import print_grades
from napari_lumbar.domain.doubts import Doubt, DoubtKind
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.landmarks import Numbering
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.export.html_report import report_html
from napari_lumbar.export.json_report import analysis_json
from napari_lumbar.export.rsna_csv import landmarks_csv

KEY = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
DOUBT = Doubt(DoubtKind.NUMBERING_UNCERTAIN, "The numbering is unsure: a <test>", frozenset({KEY}))


@pytest.fixture
def numbered(analysis: Analysis) -> Analysis:
    landmarks = replace(analysis.landmarks, numbering=Numbering(True, 0.93))
    return replace(analysis, landmarks=landmarks, doubts=(DOUBT,), warnings=(DOUBT.text,))


@pytest.mark.parametrize(
    ("numbering", "sentence", "short"),
    [
        (
            Numbering(True, 0.93),
            "Levels were numbered upwards from the sacrum (seen); numbering confidence 0.93. "
            "A transitional vertebra shifts every name.",
            "from sacrum (seen), confidence 0.93",
        ),
        (
            Numbering(False, 0.5, moved_by_hand=-1),
            "Levels were numbered upwards from the sacrum (not seen); numbering confidence 0.50. A reader "
            "then moved the names by -1. A transitional vertebra shifts every name.",
            "from sacrum (not seen), confidence 0.50, moved by hand -1",
        ),
        (
            Numbering(True, 0.9, contrasts_differ_by=-2, moved_by_hand=1),
            "Levels were numbered upwards from the sacrum (seen); numbering confidence 0.90; sagittal T1 and "
            "T2 name the same discs 2 levels apart. A reader then moved the names by +1. A transitional "
            "vertebra shifts every name.",
            "from sacrum (seen), confidence 0.90, sagittal T1 and T2 name the same discs 2 levels apart, "
            "moved by hand +1",
        ),
        (
            Numbering(),
            "Levels carry the names that the networks learnt; the sacrum was not looked for; numbering "
            "confidence not estimated. A transitional vertebra shifts every name.",
            "names learnt",
        ),
    ],
)
def test_the_assumption_in_words(numbering: Numbering, sentence: str, short: str) -> None:
    assert (numbering.sentence, numbering.short) == (sentence, short)


def test_the_document_has_both(study: Study, numbered: Analysis) -> None:
    document = json.loads(analysis_json(study, numbered))
    assert document["numbering"] == {
        "sentence": numbered.landmarks.numbering.sentence,
        "sacrum_seen": True,
        "confidence": 0.93,
        "contrasts_differ_by": 0,
        "moved_by_hand": 0,
    }
    assert document["doubts"] == [
        {
            "code": "numbering_uncertain",
            "sentence": DOUBT.sentence,
            "remedy": DOUBT.kind.remedy,
            "withheld": [{"condition": "Spinal Canal Stenosis", "level": "L3/L4"}],
        }
    ]


def test_every_landmark_row_has_it(study: Study, numbered: Analysis) -> None:
    rows = list(csv.DictReader(landmarks_csv(study, numbered).splitlines()))
    assert {row["numbering"] for row in rows} == {"from sacrum (seen), confidence 0.93"}


def test_the_report_and_the_printed_table_say_it(study: Study, numbered: Analysis) -> None:
    page = report_html(study, numbered)
    assert numbered.landmarks.numbering.sentence in page
    assert "The numbering is unsure: a &lt;test&gt;. To do: compare with images that show the sacrum" in page
    stream = io.StringIO()
    print_grades(Console(file=stream, width=200), numbered)
    lines = stream.getvalue().splitlines()
    assert numbered.landmarks.numbering.sentence in lines
    assert f"numbering_uncertain: {DOUBT.text}" in lines


@pytest.mark.parametrize("kind", list(DoubtKind), ids=lambda kind: kind.code)
def test_every_kind_of_doubt_is_stable_and_says_what_to_do(kind: DoubtKind) -> None:
    assert kind.code == kind.name.lower()
    assert len(kind.remedy) > 20
    assert not kind.remedy.endswith(".")
