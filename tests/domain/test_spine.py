from __future__ import annotations

import pytest

from napari_lumbar.domain.spine import (
    ALL_FINDINGS,
    Condition,
    ConditionGroup,
    FindingKey,
    Level,
    Severity,
    Side,
)


def test_there_are_25_findings_with_columns_of_their_own() -> None:
    assert len(ALL_FINDINGS) == len({key.column for key in ALL_FINDINGS}) == 25


def test_names_are_those_of_the_rsna_files() -> None:
    key = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L5_S1)
    assert key.column == "left_neural_foraminal_narrowing_l5_s1"
    assert key.text == "L5/S1 left neural foraminal narrowing"


def test_levels_count_from_head_to_feet() -> None:
    assert [level.rank for level in Level] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("condition", list(Condition))
def test_a_condition_is_its_group_and_its_side(condition: Condition) -> None:
    assert Condition.of(condition.group, condition.side) is condition
    assert (condition.side is None) == (condition.group is ConditionGroup.CANAL)


@pytest.mark.parametrize("condition", list(Condition))
def test_the_opposite_is_the_same_on_the_other_side(condition: Condition) -> None:
    assert condition.opposite.group is condition.group
    assert condition.opposite.opposite is condition
    assert (condition.opposite is condition) == (condition.side is None)


def test_sides_are_opposite() -> None:
    assert Side.LEFT.opposite is Side.RIGHT
    assert Side.RIGHT.opposite is Side.LEFT


@pytest.mark.parametrize("severity", list(Severity))
def test_severities_are_ordered_and_named(severity: Severity) -> None:
    assert Severity.from_label(severity.label) is severity
    assert Severity.NORMAL_MILD < Severity.MODERATE < Severity.SEVERE


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'Mild' is none of \['Normal/Mild', 'Moderate', 'Severe'\]"):
        Severity.from_label("Mild")
