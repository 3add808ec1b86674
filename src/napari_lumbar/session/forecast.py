"""What a change of names means for a person, in words: before it is made and after."""

from __future__ import annotations

from ..domain.spine import ALL_FINDINGS, Level
from . import commands
from .commands import LevelStep
from .state import SessionState

_LEVELS = tuple(Level)


def shift_words(state: SessionState, by: LevelStep) -> str:
    """Say what every disc of ``state`` is called after the level names moved by one.

    Raises
    ------
    EditRefused
        If they cannot move.
    """
    after = state.doing(commands.shift_levels(state, by))
    example, falling = (_LEVELS[-2], _LEVELS[-1]) if by > 0 else (_LEVELS[1], _LEVELS[0])
    becomes = _LEVELS[example.rank + by]
    parts = [f"the disc called {example.value} becomes {becomes.value}, every other disc likewise"]
    if kept := _kept(state, falling):
        parts.append(f"the disc called {falling.value} loses its name ({kept} kept, not shown)")
    if empty := [level.value for level in Level if not _n_points(after, level)]:
        parts.append(f"no disc is called {' or '.join(empty)} then")
    return "; ".join(parts)


def swap_words(state: SessionState) -> str:
    """Say what is swapped with left and right."""
    sided = [key for key in ALL_FINDINGS if key.condition.side is not None]
    points = sum(key in state.landmarks.points for key in sided)
    graded = sum(state.correction(key).override is not None for key in sided)
    return (
        f"Left and right change places for every finding: {points} points and {graded} grades by hand will "
        "bear the other side's name, and all of them are graded again. The images stay as they are."
    )


def _kept(state: SessionState, level: Level) -> str:
    """What a level has that would not be shown."""
    graded = sum(state.correction(k).override is not None for k in ALL_FINDINGS if k.level is level)
    counts = ((_n_points(state, level), "points"), (graded, "grades by hand"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def _n_points(state: SessionState, level: Level) -> int:
    return sum(key.level is level for key in state.landmarks.points)
