"""Half cross-sections of the spinal canal.

``beside`` is the distance from the midline to either side, ``deep`` the distance behind the posterior wall,
both in mm.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray
from .curve import FloatMap
from .grid import Mask

#: Half width of the stretch beside a recess' middle over which its depth is constant, mm.
RECESS_FLAT_MM: Final = 1.3
#: Free space that the sac keeps from bone and disc, mm.
MARGIN_MM: Final = 0.4
#: No sac reaches farther from the midline and from the posterior wall, mm.
WIDEST_MM: Final = 15.0
DEEPEST_MM: Final = 34.0


@dataclass(frozen=True, eq=False)
class HalfSection:
    """Half cross-sections; the fields (mm where not a shape, see ``CanalState``) broadcast.

    Parameters
    ----------
    back_side, front_side, recess
        Flavum and disc at the lateral recess, and its distance from the midline.
    edge
        Beyond this distance from the midline the canal ends.
    shift
        Of the sac towards this side.
    sac_mm2, roots_mm2
        Areas of the whole sac and of the roots in it.
    radius
        The sac's half depth where nothing limits it.
    near
        1 at a level, 0 away from all.
    """

    wall: FloatMap
    front: FloatMap
    front_side: FloatMap
    back: FloatMap
    back_side: FloatMap
    recess: FloatMap
    edge: FloatMap
    bend: FloatMap
    middle: FloatMap
    shift: FloatMap
    aspect: FloatMap
    power: FloatMap
    taper: FloatMap
    sac_mm2: FloatMap
    roots_mm2: FloatMap
    near: FloatMap
    radius: FloatMap

    def front_at(self, beside_mm: FloatMap) -> FloatMap:
        """Where the free space begins behind the posterior wall: round from the midline to the recess."""
        way = np.clip((beside_mm - 1.5) / np.maximum(self.recess - RECESS_FLAT_MM - 1.5, 0.5), 0, 1)
        return self.front + (self.front_side - self.front) * way * way * (3 - 2 * way)

    def back_at(self, beside_mm: FloatMap) -> FloatMap:
        """Where the free space ends."""
        flat = self.recess - RECESS_FLAT_MM
        way = np.clip(beside_mm / flat, 0, 1) ** self.bend
        beyond = np.clip(beside_mm - self.recess - RECESS_FLAT_MM, 0, None)
        return self.back + (self.back_side - self.back) * way - 0.9 * beyond

    def is_open(self, beside_mm: FloatMap, deep_mm: FloatMap, margin_mm: float = 0.0) -> Mask:
        """Between disc and flavum."""
        front, back = self.front_at(beside_mm), self.back_at(beside_mm)
        return (
            (deep_mm > front + margin_mm) & (deep_mm < back - margin_mm) & (beside_mm < self.edge - margin_mm)
        )

    def sac_radius(self, beside_mm: FloatMap, deep_mm: FloatMap) -> FloatMap:
        """Distance from the sac's middle in its own shape: its half depth on its border."""
        up = deep_mm - self.middle
        half = np.sqrt(np.maximum(self.sac_mm2, 1) / (3.3 * self.aspect))
        narrow = 1 - self.taper * np.clip(up / half, -1, 1)
        across = np.abs(beside_mm - self.shift) / (self.aspect * narrow)
        return np.asarray((across**self.power + np.abs(up) ** self.power) ** (1 / self.power))

    def is_sac(self, beside_mm: FloatMap, deep_mm: FloatMap) -> Mask:
        """Within the sac."""
        inside = self.sac_radius(beside_mm, deep_mm) < self.radius
        return inside & self.is_open(beside_mm, deep_mm, MARGIN_MM)

    def at(self, places: npt.NDArray[np.intp]) -> HalfSection:
        """The sections of some places; fields have their shape."""
        return HalfSection(*(getattr(self, f.name)[places] for f in fields(self)))


def raster(step_mm: float) -> tuple[FloatMap, FloatMap]:
    """``beside`` and ``deep`` of cells that cover any half section; they broadcast to (ny, nx)."""
    beside = np.arange(step_mm / 2, WIDEST_MM, step_mm, dtype=np.float32)
    return beside, np.arange(-1, DEEPEST_MM, step_mm, dtype=np.float32)[:, None]


def smallest(values: list[FloatMap], cells: FloatMap) -> FloatArray:
    """How high a threshold lets that many cells pass.

    Parameters
    ----------
    values
        Of the cells in both halves of each section, each of shape (k, ny, nx); infinite where none may pass.
    cells
        How many, shape (k,); fewer where there are not so many.
    """
    ordered = np.sort(np.concatenate(values, axis=1).reshape(len(cells), -1), axis=1)
    usable = np.isfinite(ordered).sum(axis=1)
    rank = np.clip(np.rint(cells), 0, np.maximum(usable - 1, 0)).astype(int)
    found = ordered[np.arange(len(cells)), rank]
    return np.where((cells < 1) | (usable < 1), 0.0, found)
