"""A change of names is told before it is made, in the words that are true after it."""

from __future__ import annotations

import pytest

from napari_lumbar.domain.errors import EditRefused
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.session import SessionState, commands
from napari_lumbar.session.forecast import shift_words, swap_words

RIGHT = FindingKey(Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, Level.L5_S1)


def test_moving_names_down_says_what_falls_off(state: SessionState) -> None:
    graded = state.doing(commands.override(state, RIGHT, Severity.SEVERE))
    assert shift_words(graded, 1) == (
        "the disc called L4/L5 becomes L5/S1, every other disc likewise; "
        "the disc called L5/S1 loses its name (5 points, 1 grades by hand kept, not shown); "
        "no disc is called L1/L2 then"
    )


def test_moving_names_back_up_says_nothing_of_what_is_not_lost(state: SessionState) -> None:
    down = state.doing(commands.shift_levels(state, 1))
    assert shift_words(down, -1) == "the disc called L2/L3 becomes L1/L2, every other disc likewise"


def test_names_that_cannot_move_say_why(state: SessionState) -> None:
    for _ in range(4):
        state = state.doing(commands.shift_levels(state, -1))
    with pytest.raises(EditRefused, match="cannot move further up"):
        shift_words(state, -1)


def test_swapping_counts_what_changes_its_name(state: SessionState) -> None:
    graded = state.doing(commands.override(state, RIGHT, Severity.SEVERE))
    assert swap_words(graded).startswith(
        "Left and right change places for every finding: 20 points and 1 grades by hand will bear"
    )
