"""The two tables as RSNA's own readers would take them."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.rsna import SUBMISSION_COLUMNS
from napari_lumbar.domain.study import Study
from napari_lumbar.export.rsna_csv import (
    FORMULA_STARTS,
    LANDMARK_COLUMNS,
    landmarks_csv,
    safe_cell,
    submission_csv,
)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_landmarks_have_rsna_columns_and_x_is_the_column(study: Study, analysis: Analysis) -> None:
    rows = rows_of(landmarks_csv(study, analysis))
    assert tuple(rows[0]) == LANDMARK_COLUMNS
    assert LANDMARK_COLUMNS[:7] == (
        "study_id",
        "series_id",
        "instance_number",
        "condition",
        "level",
        "x",
        "y",
    )
    row = next(r for r in rows if (r["condition"], r["level"]) == ("Spinal Canal Stenosis", "L3/L4"))
    assert (row["study_id"], row["series_id"]) == ("4003253", "t2")
    assert (float(row["x"]), float(row["y"])) == (8.5, 16.0)
    # Slice 1 of a sagittal series 4 mm apart, 3 mm columns towards posterior, 2 mm rows downwards.
    assert [float(row[f"lps_{axis}"]) for axis in "xyz"] == [4.0, 25.5, -32.0]


def test_a_landmark_names_its_slice_by_the_number_in_the_file(study: Study, analysis: Analysis) -> None:
    rows = rows_of(landmarks_csv(study, analysis))
    assert {r["level"]: r["instance_number"] for r in rows if r["series_id"] == "ax"} == {
        "L1/L2": "105",
        "L2/L3": "104",
        "L3/L4": "105",
        "L4/L5": "104",
        "L5/S1": "105",
    }


def test_missing_landmarks_have_no_row_and_corrected_ones_say_so(study: Study, analysis: Analysis) -> None:
    rows = rows_of(landmarks_csv(study, analysis))
    assert len(rows) == 24
    assert ("Left Subarticular Stenosis", "L1/L2") not in {(r["condition"], r["level"]) for r in rows}
    (corrected,) = [r for r in rows if r["source"] == "corrected"]
    assert (corrected["condition"], corrected["level"], corrected["confidence"]) == (
        "Spinal Canal Stenosis",
        "L4/L5",
        "",
    )
    assert {r["confidence"] for r in rows if r["source"] == "predicted"} == {"0.8750"}


def test_submission_holds_only_what_was_graded(analysis: Analysis) -> None:
    rows = rows_of(submission_csv(analysis))
    assert tuple(rows[0]) == SUBMISSION_COLUMNS
    by_id = {row["row_id"]: row for row in rows}
    assert len(by_id) == len(rows) == 23
    assert "4003253_right_neural_foraminal_narrowing_l5_s1" not in by_id
    row = by_id["4003253_spinal_canal_stenosis_l2_l3"]
    assert [float(row[c]) for c in SUBMISSION_COLUMNS[1:]] == [0.1, 0.65, 0.25]


def test_a_grade_by_hand_has_no_probabilities_to_submit(overridden: Analysis) -> None:
    by_id = {row["row_id"] for row in rows_of(submission_csv(overridden))}
    assert "4003253_spinal_canal_stenosis_l2_l3" not in by_id
    assert len(by_id) == 21


def test_a_landmark_on_an_unknown_series_is_an_error(study: Study, analysis: Analysis) -> None:
    with pytest.raises(KeyError, match=r"series 'ax' is none of \['t2', 't1'\]"):
        landmarks_csv(replace(study, series=study.series[:2]), analysis)


def test_ids_that_look_like_formulas_are_disarmed(study: Study, analysis: Analysis) -> None:
    evil = replace(analysis, study_id='=HYPERLINK("http://x","y"),1\n2')
    assert {r["row_id"][:2] for r in csv.DictReader(submission_csv(evil).splitlines(True))} == {"'="}
    rows = list(csv.DictReader(landmarks_csv(study, evil).splitlines(True)))
    assert {r["study_id"] for r in rows} == {"'" + evil.study_id}
    assert {r["series_id"] for r in rows} == {"t1", "t2", "ax"}


@given(st.text())
def test_no_safe_cell_starts_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert cell.removeprefix("'") == text.removeprefix("'")
