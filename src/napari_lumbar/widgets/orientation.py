"""Which way the patient lies in a picture, from the geometry of the slice that is shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry

#: A second letter is added where an edge leans this much (about 20 degrees) towards another direction.
_LEAN = 0.35
#: Negative and positive end of each LPS axis.
AXIS_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))


class EdgeLetters(NamedTuple):
    """The patient direction that each edge of a picture looks to."""

    top: str
    bottom: str
    left: str
    right: str


def edge_letters(geometry: SliceGeometry) -> EdgeLetters:
    """Letters for a picture drawn with rows downwards and columns to the right."""
    down, right = np.array(geometry.along_column), np.array(geometry.along_row)
    return EdgeLetters(_letters(-down), _letters(down), _letters(-right), _letters(right))


def _letters(direction_lps: FloatArray) -> str:
    strongest_first = np.argsort(-np.abs(direction_lps), kind="stable")
    named = [axis for axis in strongest_first if abs(direction_lps[axis]) >= _LEAN]
    return "".join(AXIS_LETTERS[axis][int(direction_lps[axis] > 0)] for axis in named[:2])
