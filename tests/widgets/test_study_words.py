"""The words of the study browser: complete, plain, and without UIDs or names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.dicom import StudyListing
from napari_lumbar.dicom.stacks import Plane
from napari_lumbar.domain.doubts import Doubt, DoubtKind
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.pseudonym import pseudonym
from napari_lumbar.domain.study import FileAccounting, FileOutcome, FileRecord, SeriesRole, Study
from napari_lumbar.session import SessionState
from napari_lumbar.widgets.study_words import (
    accounting_sentence,
    graded_sentence,
    listing_cells,
    opened_sentence,
    series_name,
    series_rows,
    study_name,
    warning_lines,
    warnings_text,
)

UID = "1.2.840.113619.2.1"


def test_names_hold_no_uid(small_study: Study) -> None:
    assert study_name(small_study) == "Study small"
    assert study_name(replace(small_study, study_id="4003253", study_uid="4003253")) == "Study 4003253"
    plain = replace(small_study, study_id=UID, study_uid=UID)
    assert study_name(plain) == f"Study {pseudonym(UID)}"
    bare = replace(small_study.series[0], description="")
    series = replace(bare, series_id=UID, series_uid=UID)
    part = replace(series, series_id=f"{UID}-part2")
    assert [series_name(s) for s in (series, part, bare)] == [
        f"Series {pseudonym(UID)}",
        f"Series {pseudonym(f'{UID}-part2')}",
        "Series t1",
    ]
    assert series_name(replace(bare, description="t2_tse_sag")) == "t2_tse_sag"
    warned = replace(
        plain,
        series=(series, part),
        warnings=(f"series {UID}: uneven", f"series {UID}-part2: odd", "2 files"),
    )
    lines = warning_lines(warned, None)
    assert len(lines) == 3
    assert not any(UID in line for line in lines)
    assert lines[2] == "2 files"


def test_what_speaks_against_an_analysis_is_listed_once(small_study: Study, small_analysis: Analysis) -> None:
    doubt = Doubt(DoubtKind.NUMBERING_UNCERTAIN, "The numbering of the levels is unsure: no sacrum")
    study = replace(small_study, warnings=("2 files",))
    timed = replace(small_analysis, timings_s={"total": 12.3}, doubts=(), warnings=("2 files",))
    plain = SessionState(study.study_uid, timed)
    doubted = SessionState(
        study.study_uid, replace(timed, doubts=(doubt,), warnings=("2 files", "a note", doubt.text))
    )
    assert warning_lines(study, plain) == ("2 files",)
    assert warning_lines(study, doubted) == ("2 files", "a note", doubt.text)
    assert [warnings_text(1, None), warnings_text(1, plain)] == ["⚠ 1", "⚠ 1"]
    assert warnings_text(3, doubted) == "⚠ 3 levels?"
    assert graded_sentence(replace(timed, warnings=())) == "25 of 25 findings graded in 12 s."
    assert graded_sentence(doubted.analysis) == (
        "25 of 25 findings graded in 12 s. The numbering of the levels is unsure. 3 warnings: see ⚠."
    )


def test_a_row_says_what_where_and_why(small_study: Study) -> None:
    study = replace(
        small_study,
        series=(
            replace(small_study.series[0], weighting="T1", description="t1 sag"),
            replace(
                small_study.series[1],
                role=None,
                role_reason="sagittal, STIR by its name, but another series is T2 and was preferred",
                candidate_role=SeriesRole.SAGITTAL_T2,
                role_score=0.54,
                weighting="STIR",
            ),
            small_study.series[2],
        ),
    )
    first, second, third = series_rows(study, study)
    assert (first.name, first.extent, first.weighting) == ("t1 sag", "sagittal · 7 slices", "T1")
    assert first.why == "Automatic: Sagittal T1 (made for this role)."
    assert second.role is None
    assert second.why.startswith("Automatic: Not used (sagittal, STIR by its name, but another series")
    assert second.alternative == "Could also be Sagittal T2/STIR with a score of 0.54."
    assert (third.extent, third.weighting) == ("axial · 15 slices in 5 stacks", "weighting not stated")
    assert "score of 0.54" in second.details


def test_rows_keep_their_order_and_the_automatic_reason(small_study: Study) -> None:
    changed = small_study.assigning("t1", SeriesRole.SAGITTAL_T2)
    rows = series_rows(changed, small_study)
    assert [row.series_id for row in rows] == ["t1", "t2", "ax"]
    assert [row.role for row in rows] == [SeriesRole.SAGITTAL_T2, None, SeriesRole.AXIAL_T2]
    assert [row.is_by_hand for row in rows] == [True, True, False]
    assert rows[0].why == "By hand. Automatic: Sagittal T1 (made for this role)."


def test_a_localiser_is_told_by_its_planes(small_study: Study) -> None:
    t1, _, axial = small_study.series
    mixed = replace(t1, stacks=(*t1.stacks, *axial.stacks[:1]), role=None, role_reason="a localiser")
    study = replace(small_study, series=(mixed,))
    (row,) = series_rows(study, study)
    assert row.extent == "several planes · 10 slices in 2 stacks"


def test_the_accounting_closes_in_words() -> None:
    records = [
        FileRecord("a", FileOutcome.USED, "used", ""),
        FileRecord("b", FileOutcome.EXCLUDED, "empty", "the file is empty"),
        FileRecord("c", FileOutcome.EXCLUDED, "empty", "the file is empty"),
    ]
    assert accounting_sentence(FileAccounting(tuple(records))) == "3 files found = 1 used + 2 excluded"
    assert accounting_sentence(FileAccounting(tuple(records[:1]))) == "1 file found = 1 used + 0 excluded"


@pytest.mark.parametrize(
    ("unused", "warnings", "recalled", "words"),
    [
        ((), (), False, "3 series read, 3 used. Check the roles, then analyse."),
        ((), ("odd",), False, "3 series read, 3 used. 1 warning: see ⚠. Check the roles, then analyse."),
        (("t1",), (), True, "3 series read, 2 used. Roles are as you left them; check them, then analyse."),
        (("t1", "t2", "ax"), (), False, "No series looks like one that is graded: give the right ones"),
    ],
)
def test_what_is_said_of_a_study_on_the_screen(
    small_study: Study, unused: tuple[str, ...], warnings: tuple[str, ...], recalled: bool, words: str
) -> None:
    study = replace(small_study, warnings=warnings)
    for series_id in unused:
        study = study.assigning(series_id, None)
    assert words in opened_sentence(study, recalled)


def test_a_study_to_choose_is_listed_under_a_pseudonym() -> None:
    planes = (Plane.SAGITTAL, Plane.SAGITTAL, None, Plane.AXIAL)
    listing = StudyListing(UID, 4, 70, 68, planes, "20240131")
    assert listing_cells(listing) == (
        f"Study {pseudonym(UID)}",
        "4",
        "68",
        "2 sagittal, 1 several planes, 1 axial",
        "2024-01-31",
    )
    assert listing_cells(replace(listing, date=""))[-1] == "not stated"
