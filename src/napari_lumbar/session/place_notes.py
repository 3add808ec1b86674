"""What speaks against places that a person chose: they keep their grades, and it is said."""

from __future__ import annotations

from collections.abc import Iterator

from ..domain.landmarks import Landmarks
from ..domain.spine import Condition, FindingKey
from ..pipeline.mirrored import are_sides_mirrored
from ..pipeline.plausibility import beyond_middle_mm, level_middles, order_doubts, wrong_side_words
from .corrections import Corrections

_BY_HAND = "as put by hand"


def place_notes(landmarks: Landmarks, corrections: Corrections) -> Iterator[str]:
    """Sentences about points in force that lie on the other side, or below a lower level's, by a person.

    Where names are swapped, the side is the one that bears the name now.
    """
    by_hand = {key for key in landmarks.points if corrections.of(key).place is not None}
    if not by_hand:
        return
    sign = -1 if are_sides_mirrored(landmarks) else 1
    for key, beyond_mm in beyond_middle_mm(landmarks, level_middles(landmarks)).items():
        canal = FindingKey(Condition.SPINAL_CANAL_STENOSIS, key.level)
        if sign * beyond_mm > 0 and by_hand & {key, canal}:
            yield f"{wrong_side_words(key, sign * beyond_mm)}, {_BY_HAND}."
    for doubt in order_doubts(landmarks, {}):
        if by_hand & doubt.withheld:
            yield f"{doubt.sentence}, {_BY_HAND}."
