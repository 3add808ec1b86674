"""What a person can do to findings and their landmarks, each as a step that can be undone.

A command that changes nothing gives a step that changes nothing; ``SessionState.doing`` leaves that out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from ..domain.errors import EditRefused
from ..domain.findings import Override
from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey, Severity
from .corrections import Correction, Place
from .landmarks import landmarks_in_force
from .names import MAX_SHIFT, Naming
from .state import SessionState
from .steps import CompoundStep, NamingStep, PointStep

#: 1: every disc gets the name of the next level down; -1: of the next level up.
LevelStep = Literal[-1, 1]


def move(state: SessionState, landmark: Landmark) -> PointStep:
    """Put ``landmark`` in place of the one there is, or of an absence."""
    before = state.correction(landmark.key)
    if state.landmarks.get(landmark.key) == landmark:
        return PointStep(landmark.key, before, before)
    return PointStep(landmark.key, before, replace(before, place=Place.of(landmark), absent=False))


def propagate(state: SessionState, proposed: Iterable[Landmark]) -> CompoundStep:
    """Put points that the networks proposed from a corrected one in place of those there are, all at once.

    Parameters
    ----------
    proposed
        At least one, with the side that their place in patient space has. Where a person swapped the
        sides, each goes to the finding that is called by the other.
    """
    return CompoundStep(tuple(move(state, under_name_in_force(state, landmark)) for landmark in proposed))


def under_name_in_force(state: SessionState, proposed: Landmark) -> Landmark:
    """A point with the side that its place has, under the name that it goes by in the session."""
    if not state.corrections.naming.sides_swapped:
        return proposed
    return replace(proposed, key=FindingKey(proposed.key.condition.opposite, proposed.key.level))


def reset(state: SessionState, key: FindingKey) -> PointStep:
    """Bring the predicted landmark of ``key`` back; its name and a grade by hand stay."""
    before = state.correction(key)
    return PointStep(key, before, replace(before, place=None, absent=False))


def mark_absent(state: SessionState, key: FindingKey) -> PointStep:
    """Say that ``key`` is not there to be graded; a place and a grade that a person gave it go."""
    return PointStep(key, state.correction(key), Correction(absent=True))


def override(state: SessionState, key: FindingKey, severity: Severity, reason: str = "") -> PointStep:
    """Grade ``key`` by hand.

    Raises
    ------
    EditRefused
        If it is marked absent: what is not there has no grade.
    """
    before = state.correction(key)
    if before.absent:
        raise EditRefused(
            f"{key.text} is marked absent and cannot be graded {severity.label}: reset its point first"
        )
    return PointStep(key, before, replace(before, override=Override(severity, reason.strip())))


def clear_override(state: SessionState, key: FindingKey) -> PointStep:
    """Let the networks' grade of ``key`` stand again."""
    before = state.correction(key)
    return PointStep(key, before, replace(before, override=None))


def shift_levels(state: SessionState, by: LevelStep) -> NamingStep:
    """Move all level names by one; points, absences and grades by hand keep their place and move with them.

    Raises
    ------
    EditRefused
        If no point would have a name any more.
    """
    before = state.corrections.naming
    after = replace(before, level_shift=before.level_shift + by)
    renamed = replace(state.corrections, naming=after)
    named = landmarks_in_force(state.analysis.landmarks, renamed).points
    if abs(after.level_shift) > MAX_SHIFT or not named:
        way = "down" if by > 0 else "up"
        raise EditRefused(
            f"the level names cannot move further {way}: no point would have a name; move them back, or undo"
        )
    return NamingStep(before, after)


def swap_sides(state: SessionState, confirmed: bool) -> NamingStep:
    """Call left what is called right, and the other way round, for every point and grade.

    Patient space says which side is left, so this is for images whose orientation is wrong.

    Raises
    ------
    EditRefused
        If the person was not asked, or said no.
    """
    if not confirmed:
        raise EditRefused(
            "left and right change places for every finding only after the reader confirmed it: "
            "ask, then pass confirmed=True"
        )
    before = state.corrections.naming
    return NamingStep(before, Naming(before.level_shift, not before.sides_swapped))
