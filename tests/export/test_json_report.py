"""The document a program reads."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from napari_lumbar import RESEARCH_USE_ONLY
from napari_lumbar.domain.findings import Analysis, PlaneAnswer, SeverityProbs
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.export.json_report import SCHEMA_VERSION, analysis_json


@pytest.fixture
def document(study: Study, analysis: Analysis) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(analysis_json(study, analysis))
    return loaded


def named(items: list[dict[str, Any]], condition: str, level: str) -> dict[str, Any]:
    (found,) = [i for i in items if (i["condition"], i["level"]) == (condition, level)]
    return found


def test_it_says_what_it_is_and_where_it_comes_from(document: dict[str, Any]) -> None:
    assert document["schema"] == {"name": "napari-lumbar analysis", "version": SCHEMA_VERSION}
    assert document["notice"] == RESEARCH_USE_ONLY
    assert document["study"] == {"study_id": "4003253", "study_uid": "1.9"}
    assert document["provenance"] == {
        "bundle": {"name": "tiny", "sha256": "ab" * 32},
        "device": "cpu",
        "device_steps": [],
        "versions": {"torch": "2.15"},
        "created_utc": "2026-01-02T03:04:05+00:00",
    }
    assert document["timings_s"] == {"locate": 1.5, "grade": 2.25}
    assert document["warnings"] == ["frames of reference differ"]


def test_it_names_who_read_it_only_if_somebody_did(
    study: Study, analysis: Analysis, document: dict[str, Any]
) -> None:
    assert document["reader"] is None
    assert json.loads(analysis_json(study, replace(analysis, reader="AB")))["reader"] == "AB"


def test_every_file_is_accounted_for(document: dict[str, Any]) -> None:
    files = document["files"]
    assert files["found"] == files["used"] + len(files["excluded"]) == 49
    assert files["excluded"][-1] == {
        "path": "<b>notes</b>.txt",
        "code": "not-dicom",
        "reason": "no DICOM preamble",
    }


def test_series_say_why_they_were_used(document: dict[str, Any]) -> None:
    assert document["series"][2] == {
        "series_id": "ax",
        "description": "",
        "role": "Axial T2",
        "reason": "looks like Axial T2",
        "n_slices": 6,
        "n_stacks": 1,
    }


def test_landmarks_are_there_or_missing_with_a_reason(document: dict[str, Any]) -> None:
    assert len(document["landmarks"]) == 24
    point = named(document["landmarks"], "Spinal Canal Stenosis", "L4/L5")
    assert point["source"] == "corrected"
    assert point["confidence"] is None
    assert (point["slice_index"], point["instance_number"], point["sop_instance_uid"]) == (2, 104, "1.2.2")
    assert point["pixel_rc"] == [22.0, 8.5]
    assert point["point_lps_mm"] == [8.0, 25.5, -44.0]
    assert document["missing_landmarks"] == [
        {
            "condition": "Left Subarticular Stenosis",
            "level": "L1/L2",
            "code": "not-covered",
            "reason": "no axial slice reaches it",
            "source": "predicted",
        }
    ]


def test_findings_are_graded_with_evidence_or_say_why_not(document: dict[str, Any]) -> None:
    assert len(document["findings"]) == 25
    graded = named(document["findings"], "Spinal Canal Stenosis", "L2/L3")
    assert graded["severity"] == "Moderate"
    assert graded["probs"] == {"normal_mild": 0.1, "moderate": 0.65, "severe": 0.25}
    assert graded["not_gradable"] is None
    (crop,) = graded["evidence"]
    assert (crop["role"], crop["series_id"], crop["instance_number"]) == ("Sagittal T2/STIR", "t2", 104)
    assert crop["weight"] == 0.75
    assert crop["box_rc"] == [7.0, 5.5, 13.0, 11.5]
    assert graded["by_plane"] == []
    refused = named(document["findings"], "Right Neural Foraminal Narrowing", "L5/S1")
    assert (refused["severity"], refused["probs"]) == (None, None)
    assert refused["not_gradable"]["code"] == "crop-outside"


def test_a_number_that_is_not_finite_is_refused(study: Study, analysis: Analysis) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        analysis_json(study, replace(analysis, timings_s={"grade": math.nan}))


def test_certainty_is_whole_or_null(study: Study, doubtful: Analysis) -> None:
    findings = json.loads(analysis_json(study, doubtful))["findings"]
    assert named(findings, "Spinal Canal Stenosis", "L2/L3")["certainty"] == {
        "prediction_set": ["Normal/Mild", "Moderate"],
        "spread": 0.3125,
        "strangeness": 0.5,
        "is_outside_training": False,
    }
    strange = named(findings, "Left Neural Foraminal Narrowing", "L3/L4")["certainty"]
    assert (strange["strangeness"], strange["is_outside_training"]) == (1.5, True)
    unknown = named(findings, "Spinal Canal Stenosis", "L1/L2")["certainty"]
    assert set(unknown.values()) == {None}


def test_what_each_plane_says_is_told_apart(study: Study, analysis: Analysis) -> None:
    key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L2_L3)
    said = (PlaneAnswer(SeriesRole.SAGITTAL_T2, SeverityProbs(0.25, 0.5, 0.25)),)
    findings = {**analysis.findings, key: replace(analysis.findings[key], by_plane=said)}
    document = json.loads(analysis_json(study, replace(analysis, findings=findings)))
    assert named(document["findings"], "Spinal Canal Stenosis", "L2/L3")["by_plane"] == [
        {"role": "Sagittal T2/STIR", "probs": {"normal_mild": 0.25, "moderate": 0.5, "severe": 0.25}}
    ]


def test_each_grade_says_whose_it_is(study: Study, overridden: Analysis) -> None:
    document = json.loads(analysis_json(study, overridden))
    by_hand = named(document["findings"], "Spinal Canal Stenosis", "L2/L3")
    assert (by_hand["severity"], by_hand["source"], by_hand["probs"]) == ("Severe", "overridden", None)
    assert by_hand["override"] == {
        "reason": "motion <artefact>",
        "instead_of": {"normal_mild": 0.1, "moderate": 0.65, "severe": 0.25},
    }
    first = named(document["findings"], "Right Neural Foraminal Narrowing", "L5/S1")
    assert (first["severity"], first["override"]) == ("Moderate", {"reason": "", "instead_of": None})
    absent = named(document["findings"], "Left Neural Foraminal Narrowing", "L3/L4")
    assert (absent["severity"], absent["source"]) == (None, "absent")
    predicted = named(document["findings"], "Spinal Canal Stenosis", "L1/L2")
    assert (predicted["source"], predicted["override"]) == ("predicted", None)


def test_each_missing_landmark_says_whose_doing_it_is(study: Study, overridden: Analysis) -> None:
    missing = json.loads(analysis_json(study, overridden))["missing_landmarks"]
    assert {(entry["code"], entry["source"]) for entry in missing} == {
        ("absent", "absent"),
        ("renamed", "corrected"),
    }
