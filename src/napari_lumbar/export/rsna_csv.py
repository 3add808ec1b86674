"""RSNA 2024 tables: where each finding is, and how severe.

``landmarks.csv`` has the columns of RSNA's ``train_label_coordinates.csv`` (x is the column and y the row, in
pixels of the original image) and six of ours; ``submission.csv`` is RSNA's submission format.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ..domain.findings import Analysis
from ..domain.landmarks import Landmark
from ..domain.rsna import COORDINATE_COLUMNS, SUBMISSION_COLUMNS
from ..domain.spine import ALL_FINDINGS
from ..domain.study import Study

LANDMARK_COLUMNS = (*COORDINATE_COLUMNS, "lps_x", "lps_y", "lps_z", "source", "confidence", "numbering")

#: A spreadsheet runs a cell that begins with one of these as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def landmarks_csv(study: Study, analysis: Analysis) -> str:
    """Return one row per landmark; a missing landmark has no row (``analysis.json`` says why).

    Raises
    ------
    KeyError
        If a landmark lies on a series that the study does not have.
    """
    points = (analysis.landmarks.get(key) for key in ALL_FINDINGS)
    return _table(LANDMARK_COLUMNS, (_landmark_row(study, analysis, p) for p in points if p is not None))


def submission_csv(analysis: Analysis) -> str:
    """Return one row per finding that the networks graded.

    A finding that could not be graded has no row, never a default; nor has one that was graded by hand,
    because a person gives no probabilities (``analysis.json`` has both).
    """
    findings = (analysis.findings.get(key) for key in ALL_FINDINGS)
    rows = (
        [safe_cell(f"{analysis.study_id}_{f.key.column}"), *(f"{p:.6f}" for p in f.probs.as_tuple)]
        for f in findings
        if f is not None and f.probs is not None
    )
    return _table(SUBMISSION_COLUMNS, rows)


def safe_cell(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it and never runs it: an apostrophe before a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _landmark_row(study: Study, analysis: Analysis, landmark: Landmark) -> list[str]:
    image = study.by_id(landmark.series_id).slices[landmark.slice_index]
    row, column = landmark.pixel_rc
    return [
        safe_cell(analysis.study_id),
        safe_cell(landmark.series_id),
        str(image.instance_number),
        landmark.key.condition.value,
        landmark.key.level.value,
        *(f"{value:.4f}" for value in (column, row, *landmark.point_lps_mm)),
        landmark.source.value,
        "" if landmark.confidence is None else f"{landmark.confidence:.4f}",
        analysis.landmarks.numbering.short,
    ]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()
