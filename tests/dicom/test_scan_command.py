"""``napari-lumbar scan``, and the series that a person names for ``analyze``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_lumbar.cli import app
from napari_lumbar.cli.series_choice import parsed_choices, with_chosen
from napari_lumbar.dicom import read_study
from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.pseudonym import pseudonym
from napari_lumbar.domain.study import SeriesRole


@pytest.fixture
def folder(tmp_path: Path, block: Callable[..., list[SliceGeometry]], write: Callable[..., Path]) -> Path:
    """Two sagittal T2 series, an axial one, and a file that is no image, under a patient's name."""
    for uid, plane, text in (("1.1", "sagittal", "t2"), ("1.2", "sagittal", "t2"), ("1.3", "axial", "t2")):
        for i, geometry in enumerate(block(plane, 10 + (uid == "1.1"))):
            path = tmp_path / "Secret^Person" / f"{uid}_{i}"
            write(path, geometry, SeriesInstanceUID=uid, SeriesDescription=f"{text} Secret")
    (tmp_path / "letter to Secret Person.txt").write_text("x")
    return tmp_path


def test_scan_prints_the_accounting_and_the_roles(folder: Path) -> None:
    result = CliRunner().invoke(app, ["scan", str(folder)])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "found 32 = used 31 + excluded 1"
    assert lines[1].split()[:2] == ["1", "not_dicom"]
    (used,) = [line for line in lines if "sagittal_t2" in line]
    assert used.split()[1:4] == [pseudonym("1.1"), "sagittal_t2", "0.80"]
    assert "another series was preferred: 11 slices" in result.stdout


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_scan_shows_nothing_of_the_patient_unless_asked(folder: Path, form: list[str]) -> None:
    plain = CliRunner().invoke(app, ["scan", str(folder), *form]).stdout
    for secret in ("Secret", "Person", "ID-4711", "1.2.3", str(folder)):
        assert secret not in plain
    assert (
        "letter to Secret Person.txt"
        in CliRunner().invoke(app, ["scan", str(folder), *form, "--identified"]).stdout
    )


def test_scan_speaks_json(folder: Path) -> None:
    document = json.loads(CliRunner().invoke(app, ["scan", str(folder), "--json"]).stdout)
    assert (document["found"], document["used"], document["excluded"]) == (32, 31, 1)
    assert document["reasons"][0]["code"] == "not_dicom"
    (study,) = document["studies"]
    assert [s["role"] for s in study["series"]] == ["sagittal_t2", None, "axial_t2"]
    assert study["series"][1]["candidate_role"] == "sagittal_t2"


def test_a_folder_without_a_usable_image_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    result = CliRunner().invoke(app, ["scan", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.startswith("found 1 = used 0 + excluded 1")


def test_a_person_chooses_series_by_uid_or_pseudonym(folder: Path) -> None:
    study = read_study(folder)
    assert [s.series_id for s in study.alternatives(SeriesRole.SAGITTAL_T2)] == ["1.2"]
    for name in ("1.2", pseudonym("1.2")):
        chosen = with_chosen(study, parsed_choices([f"sagittal_t2={name}"])).first(SeriesRole.SAGITTAL_T2)
        assert chosen is not None
        assert (chosen.series_id, chosen.role_reason) == ("1.2", "chosen by a person")
    with pytest.raises(LumbarError, match=r"no series 7\.7\. Its series, as scan names them: [0-9a-f]{8},"):
        with_chosen(study, parsed_choices(["sagittal_t2=7.7"]))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["coronal=1"], "must be ROLE=UID, where ROLE is one of sagittal_t1, sagittal_t2, axial_t2"),
        (["sagittal_t1"], "must be ROLE=UID"),
        (["sagittal_t1=1", "sagittal_t1=2"], "2 series for sagittal_t1; it takes one"),
    ],
)
def test_a_choice_that_makes_no_sense_says_what_would(values: list[str], words: str) -> None:
    with pytest.raises(LumbarError, match=words):
        parsed_choices(values)
    assert parsed_choices(["axial_t2=1", "AXIAL_T2=2"]) == {SeriesRole.AXIAL_T2: ["1", "2"]}
