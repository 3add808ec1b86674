from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.training.rsna import read_tables

if TYPE_CHECKING:
    from tests.training.rsna.conftest import Cohort


def test_a_blank_grade_is_no_grade_and_never_normal(cohort: Cohort, tmp_path: Path) -> None:
    cohort.grades[0]["spinal_canal_stenosis_l4_l5"] = ""
    cohort.grades[0]["left_subarticular_stenosis_l4_l5"] = "Severe"
    grades = read_tables(cohort.write(tmp_path)).grades
    at_l4_l5 = grades[grades["level"] == "L4/L5"].set_index("condition")["severity"]
    assert "Spinal Canal Stenosis" not in at_l4_l5
    assert at_l4_l5["Left Subarticular Stenosis"] == 2
    assert len(grades) == 24


def test_identifiers_stay_text(cohort: Cohort, tmp_path: Path) -> None:
    for table in (cohort.grades, cohort.points, cohort.series):
        for row in table:
            row["study_id"] = "007"
    assert read_tables(cohort.write(tmp_path)).studies == ("007",)


def test_a_missing_table_is_named(cohort: Cohort, tmp_path: Path) -> None:
    (cohort.write(tmp_path) / "train_series_descriptions.csv").unlink()
    with pytest.raises(LumbarError, match=r"train_series_descriptions.csv is not in .* need train.csv"):
        read_tables(tmp_path)


def test_a_missing_column_is_named(cohort: Cohort, tmp_path: Path) -> None:
    path = cohort.write(tmp_path) / "train_label_coordinates.csv"
    path.write_text(path.read_text().replace("instance_number", "instance"))
    with pytest.raises(LumbarError, match="has no column 'instance_number'; RSNA's file has"):
        read_tables(tmp_path)


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("grades", "spinal_canal_stenosis_l1_l2", "Mild", r"train.csv row 2, .*: 'Mild' is none of \['Mod"),
        ("points", "level", "L6/S1", r"coordinates.csv row 2, column level: 'L6/S1' is none of"),
        ("points", "condition", "Stenosis", r"row 2, column condition: 'Stenosis' is none of"),
        ("points", "x", "", r"row 2, column x: '' is not a number"),
        ("series", "series_description", "Coronal T2", r"descriptions.csv row 2, .*'Coronal T2' is none of"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    cohort: Cohort, tmp_path: Path, table: str, column: str, value: str, message: str
) -> None:
    getattr(cohort, table)[0][column] = value
    with pytest.raises(LumbarError, match=message):
        read_tables(cohort.write(tmp_path))
