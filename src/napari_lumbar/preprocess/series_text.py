"""What can be said of a series in words: RSNA's description, plane, angle and spacing.

The words are few and known beforehand (``WORDS``), because numbers are rounded: so any language model can be
given them, and a network never meets a word in use that training could not show it. The description is that
of RSNA's table, which is the series' role; what a scanner wrote into the header is free text that a network
trained on RSNA never saw.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..domain.study import MRSeries, SeriesRole

#: Direction across each role's slices in patient space, for the angle.
_NORMALS = {
    SeriesRole.SAGITTAL_T1: (1.0, 0.0, 0.0),
    SeriesRole.SAGITTAL_T2: (1.0, 0.0, 0.0),
    SeriesRole.AXIAL_T2: (0.0, 0.0, 1.0),
}
_SPACINGS_MM = tuple(f"{n / 10:.1f}" for n in range(2, 21))
_STEPS_MM = tuple(str(n) for n in range(11))
_ANGLES = tuple(str(n) for n in range(0, 91, 5))
#: Every word that a text may hold.
WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *("sagittal", "axial", "t1", "t2/stir", "t2"),
            *("plane", "angle", "degrees", "spacing", "slices", "mm"),
            *_ANGLES,
            *_SPACINGS_MM,
            *_STEPS_MM,
        ]
    )
)
#: Numbers of a text: longer ones are cut, shorter ones filled with zeros, which stand for nothing.
TEXT_LENGTH = 32
#: Numbers that hashed words may get, 1 .. HASHED - 1.
HASHED = 512


def series_text(series: MRSeries, slice_index: int) -> str:
    """A sentence about a series at one of its slices, of nothing but ``WORDS``.

    Raises
    ------
    ValueError
        If the series has no role.
    """
    if series.role is None:
        raise ValueError(f"series {series.series_id} has no role, so nothing can be said of it")
    geometry = series.slices[slice_index].geometry
    cosine = abs(float(np.dot(geometry.normal, _NORMALS[series.role])))
    angle = _nearest(float(np.degrees(np.arccos(min(1.0, cosine)))), _ANGLES)
    spacing = _nearest(float(geometry.column_spacing_mm), _SPACINGS_MM)
    step = _nearest(max(stack.step_mm for stack in series.stacks), _STEPS_MM)
    plane = series.role.value.split()[0]
    description = f"{series.role.value} plane {plane} angle {angle} degrees"
    return f"{description} spacing {spacing} mm slices {step} mm".lower()


def text_numbers(text: str, words: Mapping[str, Sequence[int]]) -> npt.NDArray[np.int64]:
    """Numbers of a text's words, shape (``TEXT_LENGTH``,).

    Parameters
    ----------
    words
        Numbers that stand for a word in a language model's vocabulary; words that are not in it get a hash.
    """
    numbers = [number for word in text.split() for number in words.get(word, (hashed(word),))]
    padded = np.zeros(TEXT_LENGTH, np.int64)
    padded[: len(numbers)] = numbers[:TEXT_LENGTH]
    return padded


def hashed(word: str) -> int:
    """A word's number, the same on every machine, never 0."""
    return 1 + zlib.crc32(word.encode()) % (HASHED - 1)


def _nearest(value: float, choices: Sequence[str]) -> str:
    return min(choices, key=lambda choice: abs(float(choice) - value))
