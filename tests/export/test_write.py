"""Four files, whole or not at all."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from napari_lumbar.domain.errors import ExportError
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.study import FileAccounting, FileOutcome, FileRecord, Study
from napari_lumbar.export import prepare_folder, write_results

NAMES = ["landmarks.csv", "submission.csv", "analysis.json", "report.html"]


def test_it_makes_the_folder_and_the_four_files(study: Study, analysis: Analysis, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    written = write_results(study, analysis, out)
    assert [path.name for path in written] == NAMES
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)
    assert json.loads((out / "analysis.json").read_text("utf-8"))["study"]["study_id"] == "4003253"


def test_it_replaces_an_older_result(study: Study, analysis: Analysis, tmp_path: Path) -> None:
    write_results(study, replace(analysis, study_id="older"), tmp_path)
    write_results(study, analysis, tmp_path)
    assert (tmp_path / "submission.csv").read_text().splitlines()[1].startswith("4003253_")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_result_that_cannot_be_made_leaves_the_older_one(
    study: Study, analysis: Analysis, tmp_path: Path
) -> None:
    write_results(study, analysis, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = replace(analysis, study_id="newer", timings_s={"grade": math.inf})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_results(study, broken, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_name_that_is_not_text_is_no_obstacle(
    study: Study, analysis: Analysis, tmp_path: Path
) -> None:
    record = FileRecord("bad\udcff.dcm", FileOutcome.EXCLUDED, "not-dicom", "no DICOM preamble")
    write_results(study, replace(analysis, accounting=FileAccounting((record,))), tmp_path, identified=True)
    assert "bad\\udcff.dcm" in (tmp_path / "report.html").read_text("utf-8")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "results"
    in_the_way.write_text("mine")
    with pytest.raises(ExportError, match=r"cannot write into .*results: .*; choose another folder"):
        prepare_folder(in_the_way)
    assert in_the_way.read_text() == "mine"


def test_a_folder_named_like_a_result_is_named_and_no_rest_stays(
    study: Study, analysis: Analysis, tmp_path: Path
) -> None:
    (tmp_path / "landmarks.csv").mkdir()
    with pytest.raises(ExportError, match=r"cannot write .*landmarks\.csv: Is a directory"):
        write_results(study, analysis, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["landmarks.csv"]
