"""The look at training data: on a phantom written in RSNA's layout, and on RSNA's own tables."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_lumbar.phantom import PhantomConfig, write_cohort
from napari_lumbar.training.__main__ import app
from napari_lumbar.training.rsna.preflight import look_at

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=2.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_cohort(tmp_path, studies=1, seed=11, config=SMALL)
    return tmp_path


def change_point(root: Path, condition: str, level: str, **values: object) -> None:
    path = root / "train_label_coordinates.csv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if (row["condition"], row["level"]) == (condition, level):
            row.update({name: str(value) for name, value in values.items()})
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def point(root: Path, condition: str, level: str) -> dict[str, str]:
    with (root / "train_label_coordinates.csv").open(newline="") as stream:
        rows = csv.DictReader(stream)
        return next(r for r in rows if (r["condition"], r["level"]) == (condition, level))


def test_a_phantom_in_the_layout_has_no_problem(root: Path) -> None:
    found = look_at(root)
    assert (len(found.tables.studies), found.with_images, found.problems) == (1, 1, ())


def test_points_on_images_that_are_not_there_are_reported(root: Path) -> None:
    change_point(root, "Spinal Canal Stenosis", "L3/L4", instance_number=99)
    (problem,) = look_at(root).problems
    assert problem.code == "image_missing"
    assert problem.what.endswith("has no image 99")


def test_images_that_cannot_be_used_are_reported_with_the_reason(root: Path) -> None:
    marked = point(root, "Spinal Canal Stenosis", "L3/L4")
    folder = root / "train_images" / marked["study_id"] / marked["series_id"]
    (folder / f"{marked['instance_number']}.dcm").write_bytes(b"")
    problems = look_at(root).problems
    assert {problem.code for problem in problems} == {"image_unusable"}
    assert problems[0].what.endswith("cannot be used: the file is empty")


def test_points_outside_their_image_are_reported(root: Path) -> None:
    change_point(root, "Spinal Canal Stenosis", "L3/L4", x=128.5)
    (problem,) = look_at(root).problems
    assert problem.code == "point_outside_image"
    assert "lies outside an image of 128 x" in problem.what


def test_sides_are_held_against_the_patient_and_not_the_table(root: Path) -> None:
    """Both foramina of every level exchanged: the table alone looks consistent."""
    for level in ("L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"):
        left, right = (point(root, f"{side} Neural Foraminal Narrowing", level) for side in ("Left", "Right"))
        change_point(root, left["condition"], level, **{k: right[k] for k in ("instance_number", "x", "y")})
        change_point(root, right["condition"], level, **{k: left[k] for k in ("instance_number", "x", "y")})
    problems = look_at(root).problems
    assert {problem.code for problem in problems} == {"side_contradicted"}
    assert len(problems) == 10
    assert "mm to the patient's right of the canal" in "\n".join(p.what for p in problems)


def test_the_command_speaks_to_people_and_to_programs(root: Path) -> None:
    change_point(root, "Spinal Canal Stenosis", "L3/L4", instance_number=99)
    said = CliRunner().invoke(app, ["preflight", "--data", str(root)])
    assert said.exit_code == 0
    assert "1 studies, 1 of them with images; 25 grades, 25 points, 3 series" in said.output
    assert "image_missing: 1" in said.output
    program = CliRunner().invoke(app, ["preflight", "--data", str(root), "--json"])
    assert json.loads(program.output)["problems"][0]["code"] == "image_missing"


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["preflight", "--data", str(tmp_path)])
    assert said.exit_code == 1
    assert "error: train.csv is not in" in said.output


@pytest.mark.data
def test_rsna_own_tables_have_the_errors_that_are_known_of_them() -> None:
    default = Path(__file__).parents[3] / ".." / "shared" / "data"
    root = Path(os.environ.get("LUMBAR_DATA", default)) / "rsna"
    if not root.is_dir():
        pytest.skip("the development data are absent; LUMBAR_DATA names their folder")
    found = look_at(root)
    assert len(found.tables.studies) == 1974
    codes = [problem.code for problem in found.problems]
    assert codes.count("grade_without_point") == 146
    assert codes.count("point_without_grade") == 35
    assert codes.count("levels_out_of_order") == 12
    on_t1 = {p.study_id for p in found.problems if p.code == "marked_on_another_series"}
    assert on_t1 == {"3637444890"}
