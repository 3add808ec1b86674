"""What is wrong with tables of training data, seen in the tables alone.

The errors are those that teams of the challenge met and published: levels one off, points on the other side,
canals marked on T1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...domain.spine import Condition, ConditionGroup, Level, Side
from ...domain.study import OWN_ROLES
from .tables import RsnaTables

_FINDING = ["study_id", "condition", "level"]
_RANKS = {level.value: level.rank for level in Level}


@dataclass(frozen=True)
class Problem:
    """Something wrong with one study.

    Parameters
    ----------
    code
        Stable name of the kind of problem.
    study_id
        The study.
    what
        A sentence with the values.
    """

    code: str
    study_id: str
    what: str


def table_problems(tables: RsnaTables) -> list[Problem]:
    """Everything that is wrong, sorted by study and code."""
    found = [problem for check in _CHECKS for problem in check(tables)]
    return sorted(found, key=lambda problem: (problem.study_id, problem.code, problem.what))


def _repeated(tables: RsnaTables) -> Iterator[Problem]:
    columns = {
        "grade": (tables.grades, _FINDING),
        "point": (tables.points, _FINDING),
        "series": (tables.series, ["study_id", "series_id"]),
    }
    for name, (table, keys) in columns.items():
        for row in table[table.duplicated(keys)][keys].itertuples(index=False):
            yield Problem(f"repeated_{name}", row[0], f"more than one {name} for {', '.join(row[1:])}")


def _unknown_series(tables: RsnaTables) -> Iterator[Problem]:
    known = set(zip(tables.series["study_id"], tables.series["series_id"], strict=True))
    named = zip(tables.points["study_id"], tables.points["series_id"], strict=True)
    for study, series in sorted(set(named) - known):
        yield Problem("point_without_series", study, f"points on series {series}, which has no description")


def _other_plane(tables: RsnaTables) -> Iterator[Problem]:
    joined = tables.points.merge(tables.series, on=["study_id", "series_id"])
    wanted = joined["condition"].map({c.value: OWN_ROLES[c.group].value for c in Condition})
    for row in joined[joined["series_description"] != wanted].itertuples():
        what = (
            f"{row.condition} at {row.level} is marked on {row.series_description} (series {row.series_id})"
        )
        yield Problem("marked_on_another_series", row.study_id, what)


def _unpaired(tables: RsnaTables) -> Iterator[Problem]:
    grades, points = (
        set(table[_FINDING].itertuples(index=False, name=None)) for table in (tables.grades, tables.points)
    )
    for study, condition, level in sorted(grades - points):
        yield Problem("grade_without_point", study, f"{condition} at {level} is graded but not marked")
    for study, condition, level in sorted(points - grades):
        yield Problem("point_without_grade", study, f"{condition} at {level} is marked but not graded")


def _out_of_order(tables: RsnaTables) -> Iterator[Problem]:
    """On a sagittal image each level lies below the one before it."""
    sagittal = {c.value for c in Condition if c.group is not ConditionGroup.SUBARTICULAR}
    points = tables.points[tables.points["condition"].isin(sagittal)]
    points = points.assign(rank=points["level"].map(_RANKS)).sort_values("rank")
    points = points.drop_duplicates([*_FINDING, "series_id"])
    for (study, series, condition), rows in points.groupby(["study_id", "series_id", "condition"]):
        falls = np.flatnonzero(np.diff(rows["y"]) <= 0)
        for place in falls:
            upper, lower = rows["level"].iloc[place], rows["level"].iloc[place + 1]
            what = f"{condition}: {lower} does not lie below {upper} on series {series}"
            yield Problem("levels_out_of_order", study, what)


def _sides_of_recesses(tables: RsnaTables) -> Iterator[Problem]:
    """On an axial image the patient's left lies at the right."""
    for row in _both_sides(tables.points, ConditionGroup.SUBARTICULAR).itertuples():
        if row.series_id_left == row.series_id_right and row.x_left <= row.x_right:
            what = f"the left recess at {row.level} lies left of the right one on series {row.series_id_left}"
            yield Problem("recesses_swapped", row.study_id, what)


def _sides_of_foramina(tables: RsnaTables) -> Iterator[Problem]:
    """Left foramina lie on the same side of the right ones at every level of a series."""
    both = _both_sides(tables.points, ConditionGroup.FORAMINAL)
    both = both[both["series_id_left"] == both["series_id_right"]]
    both = both.assign(step=np.sign(both["instance_number_left"] - both["instance_number_right"]))
    for (study, series), rows in both.groupby(["study_id", "series_id_left"]):
        usual = np.sign(rows["step"].sum())
        for level in rows["level"][(rows["step"] != usual) | (usual == 0)]:
            what = f"the foramina at {level} do not lie as those of most levels do on series {series}"
            yield Problem("foramina_on_odd_sides", study, what)


def _both_sides(points: pd.DataFrame, group: ConditionGroup) -> pd.DataFrame:
    left, right = (
        points[points["condition"] == Condition.of(group, side).value] for side in (Side.LEFT, Side.RIGHT)
    )
    return left.merge(right, on=["study_id", "level"], suffixes=("_left", "_right"))


_CHECKS: tuple[Callable[[RsnaTables], Iterator[Problem]], ...] = (
    _repeated,
    _unknown_series,
    _other_plane,
    _unpaired,
    _out_of_order,
    _sides_of_recesses,
    _sides_of_foramina,
)
