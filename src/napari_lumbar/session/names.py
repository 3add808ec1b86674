"""What a place is called: the prediction's names, moved along the spine or swapped between the sides by hand.

A place keeps its identity (``Spot``) whatever it is called, so that a change of names is two numbers and
loses nothing: what has no name for a while is still there when the names come back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..domain.spine import Condition, FindingKey, Level

#: Names can move so far; further, and no predicted disc would have one.
MAX_SHIFT = 4

_LEVELS = tuple(Level)
_SIDE_WORDS = re.compile(r"\b(left|right)\b", re.IGNORECASE)


class Spot(NamedTuple):
    """A place by the name that the prediction had for it.

    ``rank`` is 0 for L1/L2 to 4 for L5/S1; others are discs beyond those, which the prediction did not name.
    """

    condition: Condition
    rank: int

    @property
    def predicted_key(self) -> FindingKey | None:
        """What the prediction called it, or None where it had no name for the disc."""
        level = _level(self.rank)
        return FindingKey(self.condition, level) if level else None


@dataclass(frozen=True)
class Naming:
    """How a person's names differ from the prediction's.

    Parameters
    ----------
    level_shift
        How many levels further down every disc is named: 1 calls L5/S1 what was predicted as L4/L5.
    sides_swapped
        Whether left is called right.
    """

    level_shift: int = 0
    sides_swapped: bool = False

    @property
    def is_predicted(self) -> bool:
        """Whether everything is called as it was predicted."""
        return self == Naming()

    def key(self, spot: Spot) -> FindingKey | None:
        """What ``spot`` is called, or None where its disc has no name."""
        level = _level(spot.rank + self.level_shift)
        return FindingKey(self._sided(spot.condition), level) if level else None

    def spot(self, key: FindingKey) -> Spot:
        """The place that is called ``key``."""
        return Spot(self._sided(key.condition), key.level.rank - self.level_shift)

    def marked(self, sentence: str) -> str:
        """A sentence of the prediction, which says so where places are called otherwise now."""
        moved = self.level_shift and any(level.value in sentence for level in Level)
        swapped = self.sides_swapped and _SIDE_WORDS.search(sentence)
        return f"By the predicted names: {sentence}" if moved or swapped else sentence

    def _sided(self, condition: Condition) -> Condition:
        return condition.opposite if self.sides_swapped else condition


def _level(rank: int) -> Level | None:
    return _LEVELS[rank] if 0 <= rank < len(_LEVELS) else None
