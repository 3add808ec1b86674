"""Tables in RSNA's layout, small and right, to be made wrong by each test."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from napari_lumbar.domain.rsna import COORDINATE_COLUMNS, GRADE_COLUMNS, SERIES_COLUMNS, TRAIN_COLUMNS
from napari_lumbar.domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey, Side
from napari_lumbar.domain.study import OWN_ROLES

Row = dict[str, str]
SERIES = {group: str(10 + i) for i, group in enumerate(ConditionGroup)}


@dataclass
class Cohort:
    """Rows of the three tables; a test changes them and then writes them."""

    grades: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    series: list[Row] = field(default_factory=list)

    def add_study(self, study: str, severity: Callable[[FindingKey], str]) -> None:
        """A study with all its grades and points in their places."""
        self.grades.append({"study_id": study} | dict.fromkeys(GRADE_COLUMNS, ""))
        for key in ALL_FINDINGS:
            group, side = key.condition.group, key.condition.side
            self.grades[-1][key.column] = severity(key)
            self.points.append(
                {
                    "study_id": study,
                    "series_id": SERIES[group],
                    # Left foramina on the higher slices; all recesses of a level on one slice.
                    "instance_number": str({None: 8, Side.RIGHT: 4, Side.LEFT: 12}[side])
                    if group is not ConditionGroup.SUBARTICULAR
                    else str(5 + 6 * key.level.rank),
                    "condition": key.condition.value,
                    "level": key.level.value,
                    "x": str({None: 150.0, Side.RIGHT: 140.0, Side.LEFT: 160.0}[side]),
                    "y": str(100.0 + 40 * key.level.rank),
                }
            )
        for group, series in SERIES.items():
            role = OWN_ROLES[group].value
            self.series.append({"study_id": study, "series_id": series, "series_description": role})

    def point(self, key: FindingKey, study: str = "1") -> Row:
        """The row of one point."""
        wanted = study, key.condition.value, key.level.value
        return next(r for r in self.points if (r["study_id"], r["condition"], r["level"]) == wanted)

    def write(self, root: Path) -> Path:
        """Write the tables into ``root``."""
        for name, columns, rows in (
            ("train.csv", TRAIN_COLUMNS, self.grades),
            ("train_label_coordinates.csv", COORDINATE_COLUMNS, self.points),
            ("train_series_descriptions.csv", SERIES_COLUMNS, self.series),
        ):
            with (root / name).open("w", newline="") as stream:
                writer = csv.DictWriter(stream, columns)
                writer.writeheader()
                writer.writerows(rows)
        return root


@pytest.fixture
def empty_cohort() -> Cohort:
    """No study yet."""
    return Cohort()


@pytest.fixture
def cohort(empty_cohort: Cohort) -> Cohort:
    """One study, nowhere narrow."""
    empty_cohort.add_study("1", lambda key: "Normal/Mild")
    return empty_cohort
