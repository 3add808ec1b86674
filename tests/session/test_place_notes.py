"""A point that a person put on the wrong side, or out of order, keeps its grade, and it is said."""

from __future__ import annotations

from dataclasses import replace

from napari_lumbar.domain.landmarks import LandmarkSource
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.session import SessionState, current_analysis
from napari_lumbar.session.commands import move, reset, swap_sides

RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
UPPER = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)


def put(state: SessionState, key: FindingKey, where: FindingKey) -> SessionState:
    """Put a point where another lies."""
    there = state.landmarks.points[where]
    return state.doing(move(state, replace(there, key=key, source=LandmarkSource.CORRECTED)))


def test_predictions_say_nothing(state: SessionState) -> None:
    assert state.notes == ()


def test_a_point_on_the_other_side_is_said_until_it_is_back(state: SessionState) -> None:
    across = put(state, RECESS, RECESS.opposite)
    (note,) = across.notes
    assert note.startswith("L4/L5 left subarticular stenosis lies ")
    assert note.endswith(" mm to the right of the canal, as put by hand.")
    assert note in current_analysis(across).warnings
    assert across.doing(reset(across, RECESS)).notes == ()


def test_the_side_is_the_one_that_bears_the_name_after_a_swap(state: SessionState) -> None:
    swapped = state.doing(swap_sides(state, confirmed=True))
    own = put(swapped, RECESS, RECESS)
    assert not any("as put by hand" in note for note in own.notes)
    across = put(swapped, RECESS, RECESS.opposite)
    assert any("mm to the right of the canal, as put by hand" in note for note in across.notes)


def test_a_canal_put_below_the_next_level_is_said(state: SessionState) -> None:
    below = put(state, UPPER, FindingKey(UPPER.condition, Level.L5_S1))
    assert any(
        note.startswith("L3/L4 spinal canal stenosis lies ") and note.endswith("as put by hand.")
        for note in below.notes
    )
