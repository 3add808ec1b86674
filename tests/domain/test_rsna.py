"""The tables begin as RSNA's own files do."""

from __future__ import annotations

from napari_lumbar.domain.rsna import COORDINATE_COLUMNS, SERIES_COLUMNS, SUBMISSION_COLUMNS, TRAIN_COLUMNS
from napari_lumbar.domain.spine import ALL_FINDINGS


def test_headers_are_those_of_the_files_rsna_gave_out() -> None:
    assert ",".join(COORDINATE_COLUMNS) == "study_id,series_id,instance_number,condition,level,x,y"
    assert ",".join(SERIES_COLUMNS) == "study_id,series_id,series_description"
    assert ",".join(SUBMISSION_COLUMNS) == "row_id,normal_mild,moderate,severe"


def test_grades_go_canal_foramina_recesses_left_first() -> None:
    assert TRAIN_COLUMNS[::5] == (
        "study_id",
        "spinal_canal_stenosis_l5_s1",
        "left_neural_foraminal_narrowing_l5_s1",
        "right_neural_foraminal_narrowing_l5_s1",
        "left_subarticular_stenosis_l5_s1",
        "right_subarticular_stenosis_l5_s1",
    )
    assert set(TRAIN_COLUMNS[1:]) == {key.column for key in ALL_FINDINGS}
