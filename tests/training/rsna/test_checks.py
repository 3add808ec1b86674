"""Each thing that can be wrong with training data, made wrong alone, is reported alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.training.rsna import read_tables, table_problems

if TYPE_CHECKING:
    from tests.training.rsna.conftest import Cohort

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


def of(group: ConditionGroup, side: Side, level: Level = Level.L4_L5) -> FindingKey:
    return FindingKey(Condition.of(group, side), level)


def swap(cohort: Cohort, group: ConditionGroup, column: str) -> None:
    left, right = (cohort.point(of(group, side)) for side in (Side.LEFT, Side.RIGHT))
    left[column], right[column] = right[column], left[column]


def repeat_point(cohort: Cohort) -> None:
    cohort.points.append(dict(cohort.point(CANAL)))


def repeat_series(cohort: Cohort) -> None:
    cohort.series.append(dict(cohort.series[0]))


def lose_series(cohort: Cohort) -> None:
    del cohort.series[0]


def mark_on_t1(cohort: Cohort) -> None:
    cohort.point(CANAL)["series_id"] = cohort.point(of(ConditionGroup.FORAMINAL, Side.LEFT))["series_id"]


def forget_point(cohort: Cohort) -> None:
    cohort.points.remove(cohort.point(CANAL))


def forget_grade(cohort: Cohort) -> None:
    cohort.grades[0][CANAL.column] = ""


def lift_level(cohort: Cohort) -> None:
    cohort.point(CANAL)["y"] = "170"  # above L3/L4, which lies at 180


def swap_recesses(cohort: Cohort) -> None:
    swap(cohort, ConditionGroup.SUBARTICULAR, "x")


def swap_foramina(cohort: Cohort) -> None:
    swap(cohort, ConditionGroup.FORAMINAL, "instance_number")


def join_foramina(cohort: Cohort) -> None:
    cohort.point(of(ConditionGroup.FORAMINAL, Side.LEFT))["instance_number"] = "4"


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (repeat_point, "repeated_point", "more than one point for Spinal Canal Stenosis, L4/L5"),
        (repeat_series, "repeated_series", "more than one series for 10"),
        (lose_series, "point_without_series", "points on series 10, which has no description"),
        (mark_on_t1, "marked_on_another_series", "at L4/L5 is marked on Sagittal T1 (series 11)"),
        (forget_point, "grade_without_point", "at L4/L5 is graded but not marked"),
        (forget_grade, "point_without_grade", "at L4/L5 is marked but not graded"),
        (lift_level, "levels_out_of_order", "L4/L5 does not lie below L3/L4 on series 10"),
        (swap_recesses, "recesses_swapped", "the left recess at L4/L5 lies left of the right one"),
        (swap_foramina, "foramina_on_odd_sides", "the foramina at L4/L5 do not lie as those of most levels"),
        (join_foramina, "foramina_on_odd_sides", "the foramina at L4/L5 do not lie as those of most levels"),
    ],
)
def test_what_is_wrong_is_reported(
    cohort: Cohort, tmp_path: Path, spoil: Callable[[Cohort], None], code: str, words: str
) -> None:
    spoil(cohort)
    (problem,) = table_problems(read_tables(cohort.write(tmp_path)))
    assert (problem.code, problem.study_id) == (code, "1")
    assert words in problem.what


def test_nothing_is_wrong_with_right_tables(cohort: Cohort, tmp_path: Path) -> None:
    assert table_problems(read_tables(cohort.write(tmp_path))) == []


def test_series_numbered_from_the_left_are_right_too(cohort: Cohort, tmp_path: Path) -> None:
    for level in Level:
        left, right = (
            cohort.point(of(ConditionGroup.FORAMINAL, side, level)) for side in (Side.LEFT, Side.RIGHT)
        )
        left["instance_number"], right["instance_number"] = "3", "11"
    assert table_problems(read_tables(cohort.write(tmp_path))) == []
