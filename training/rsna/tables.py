"""The three tables of RSNA's training data, read whole and refused where a value makes no sense."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...domain.errors import LumbarError
from ...domain.rsna import COORDINATE_COLUMNS, GRADE_COLUMNS, SERIES_COLUMNS, TRAIN_COLUMNS
from ...domain.spine import ALL_FINDINGS, Condition, Level, Severity
from ...domain.study import SeriesRole

GRADES_FILE, POINTS_FILE, SERIES_FILE = (
    "train.csv",
    "train_label_coordinates.csv",
    "train_series_descriptions.csv",
)
#: What RSNA writes where there is no grade: nothing.
_BLANK = ""


@dataclass(frozen=True, eq=False)
class RsnaTables:
    """What is known of the studies; identifiers are text, a grade that is not there has no row.

    Parameters
    ----------
    grades
        Columns study_id, condition, level, severity (0..2).
    points
        Columns study_id, series_id, instance_number, condition, level, x, y; x is the column and y the row in
        pixels of the image with this InstanceNumber.
    series
        Columns study_id, series_id, series_description.
    """

    grades: pd.DataFrame
    points: pd.DataFrame
    series: pd.DataFrame

    @property
    def studies(self) -> tuple[str, ...]:
        """Studies that any table names, sorted."""
        names = (table["study_id"] for table in (self.grades, self.points, self.series))
        return tuple(sorted(set().union(*names)))


def read_tables(root: Path) -> RsnaTables:
    """Read the tables in ``root``.

    Raises
    ------
    LumbarError
        If a table is missing, lacks columns, or holds a value that RSNA's tables cannot hold; the message
        names the file, the row as a spreadsheet counts it, the column and the value.
    """
    grades = _read(root / GRADES_FILE, TRAIN_COLUMNS)
    points = _read(root / POINTS_FILE, COORDINATE_COLUMNS)
    series = _read(root / SERIES_FILE, SERIES_COLUMNS)
    severities = {severity.label for severity in Severity} | {_BLANK}
    for column in GRADE_COLUMNS:
        _refuse_others(grades, column, severities, GRADES_FILE)
    _refuse_others(points, "condition", {condition.value for condition in Condition}, POINTS_FILE)
    _refuse_others(points, "level", {level.value for level in Level}, POINTS_FILE)
    _refuse_others(series, "series_description", {role.value for role in SeriesRole}, SERIES_FILE)
    return RsnaTables(_long(grades), _with_numbers(points), series)


def tables_sha256(root: Path) -> str:
    """One hash of the three tables in ``root``, so that a run never goes on with other labels.

    Raises
    ------
    LumbarError
        If a table is missing.
    """
    digest = hashlib.sha256()
    for name in (GRADES_FILE, POINTS_FILE, SERIES_FILE):
        digest.update(hashlib.sha256(_there(root / name).read_bytes()).digest())
    return digest.hexdigest()


def _there(path: Path) -> Path:
    if not path.is_file():
        raise LumbarError(
            f"{path.name} is not in {path.parent}: training data in RSNA's layout need {GRADES_FILE}, "
            f"{POINTS_FILE} and {SERIES_FILE} beside the folder train_images"
        )
    return path


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(_there(path), dtype=str, keep_default_na=False)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise LumbarError(f"{path.name} has no column {missing[0]!r}; RSNA's file has {list(columns)}")
    return table[list(columns)]


def _refuse_others(table: pd.DataFrame, column: str, allowed: Iterable[str], file: str) -> None:
    wrong = ~table[column].isin(list(allowed))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        known = sorted(value for value in allowed if value)
        raise LumbarError(
            f"{file} row {row + 2}, column {column}: {table[column].iloc[row]!r} is none of {known}"
        )


def _with_numbers(points: pd.DataFrame) -> pd.DataFrame:
    numbers = {}
    for column in ("instance_number", "x", "y"):
        numbers[column] = pd.to_numeric(points[column], errors="coerce")
        wrong = ~np.isfinite(numbers[column])
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            value = points[column].iloc[row]
            raise LumbarError(f"{POINTS_FILE} row {row + 2}, column {column}: {value!r} is not a number")
    return points.assign(**numbers).astype({"instance_number": "int64"})


def _long(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per grade instead of a column per finding."""
    keys = {key.column: key for key in ALL_FINDINGS}
    long = grades.melt("study_id", var_name="column", value_name="label")
    long = long[long["label"] != _BLANK]
    return pd.DataFrame(
        {
            "study_id": long["study_id"],
            "condition": [keys[column].condition.value for column in long["column"]],
            "level": [keys[column].level.value for column in long["column"]],
            "severity": [int(Severity.from_label(label)) for label in long["label"]],
        }
    ).reset_index(drop=True)
