"""The neural foramen: a keyhole of fat around the root, as large as it is measured.

Seen from the side, in the frame of the disc below it: ``forward`` is counted from the foramen's middle to the
back (mm), ``height`` upwards from the disc's mid-plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from ...domain.geometry import FloatArray
from .section import Floats, Mask

#: Height of the root where it is measured; half axes (depth, height) of the root.
ROOT_HEIGHT_MM: Final = 8.8
ROOT_HALF_MM: Final = (2.4, 3.1)
#: Half axes of the keyhole's head and of its slot, for an opening of 1.
_HEAD_MM: Final = (4.9, 6.3)
_SLOT_MM: Final = (3.2, 5.6)
_SLOT_BELOW_MM: Final = 7.6
#: Middle of a keyhole of opening 1, below the root.
_MIDDLE_BELOW_MM: Final = 3.4
_CELL_MM: Final = 0.1
_OPENINGS: Final = np.linspace(0.3, 1.5, 73)
#: Over this length to both sides of the measured plane the channel is equally narrow.
_PLATEAU_MM: Final = 4.5


@dataclass(frozen=True)
class Foramen:
    """One foramen.

    Parameters
    ----------
    lateral_mm
        Its middle, beside the midline.
    behind_mm
        Its middle behind the disc's posterior wall.
    opening
        Size of the keyhole; 1 holds about 130 mm2 of fat.
    """

    lateral_mm: float
    behind_mm: float
    opening: float

    @property
    def middle_mm(self) -> float:
        """Height of the opening's middle above the disc; the slot is the first to close."""
        return ROOT_HEIGHT_MM - _MIDDLE_BELOW_MM * min(self.opening, 1.0)


def keyhole(back: Floats, above_root: Floats, opening: Floats) -> Mask:
    """Whether points lie in the keyhole; ``back`` and ``above_root`` (mm) count from the root."""
    # The head loses less height than depth; the slot closes before the head does.
    tall = 0.25 + 0.75 * opening
    head = (back / (_HEAD_MM[0] * opening)) ** 2 + (above_root / (_HEAD_MM[1] * tall)) ** 2
    below = above_root + _SLOT_BELOW_MM * opening
    square = opening * opening
    slot = ((back + 0.4) / (_SLOT_MM[0] * square)) ** 2 + (below / (_SLOT_MM[1] * opening)) ** 2
    return np.asarray((head < 1) | (slot < 1), dtype=np.bool_)


def root(back: Floats, above_root: Floats) -> Mask:
    """Whether points lie in the root, were it not squeezed."""
    return np.asarray((back / ROOT_HALF_MM[0]) ** 2 + (above_root / ROOT_HALF_MM[1]) ** 2 < 1, dtype=np.bool_)


def opening_along(foramen: Foramen, beside: Floats) -> Floats:
    """The opening at distances from the midline (mm): narrow in the middle, wide at both mouths."""
    away = np.maximum(np.abs(beside - foramen.lateral_mm) - _PLATEAU_MM, 0)
    return np.asarray(np.minimum(foramen.opening + 0.09 * away, max(1.1, foramen.opening)), dtype=np.float32)


def fat_area_mm2(opening: float) -> float:
    """Fat around the root in the foramen's middle sagittal plane."""
    back, above = np.meshgrid(
        np.arange(-8, 8, _CELL_MM, dtype=np.float32), np.arange(-22, 10, _CELL_MM, dtype=np.float32)
    )
    inside = keyhole(back, above, np.asarray(opening, np.float32))
    return float(np.count_nonzero(inside & ~root(back, above)) * _CELL_MM**2)


@cache
def _areas_mm2() -> FloatArray:
    """Fat for each of the openings that are tried."""
    return np.array([fat_area_mm2(float(opening)) for opening in _OPENINGS])


def opening_of(area_mm2: float, narrowness: float) -> float:
    """The opening that leaves this much fat; without fat, a narrower place squeezes the root harder."""
    areas = _areas_mm2()
    first = int(np.searchsorted(areas, 0.5))
    opening = float(np.interp(area_mm2, areas[first:], _OPENINGS[first:]))
    return opening * (1 - 0.12 * float(np.clip(narrowness - 2, 0, 2)))
