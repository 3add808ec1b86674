"""Points of one vertebra's wedge, in coordinates that pass smoothly from disc to disc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..tissue import LabelArray
from .plane import Box, Slab
from .section import Floats, Mask
from .spine import Disc, Spine

#: How far a wedge reaches to the front of the discs' centres, and to the back.
FRONT_MM = 27.0
BACK_MM = 58.0


@dataclass(frozen=True, eq=False)
class Cells:
    """Points between the mid-planes of two discs; all arrays have shape (n,).

    Parameters
    ----------
    x, y
        To the patient's left and to the back of the disc centres, mm, blended from the two discs' frames.
    turn
        How much more ``y`` is in the lower disc's frame than in the upper one's.
    below, above
        Distance below the upper disc's mid-plane and above the lower one's, mm.
    share
        0 at the upper mid-plane, 1 at the lower one.
    materials
        What they are made of; the only thing that painting changes.
    """

    x: Floats
    y: Floats
    turn: Floats
    below: Floats
    above: Floats
    share: Floats
    materials: LabelArray

    def part(self, mask: Mask) -> tuple[Cells, npt.NDArray[np.intp]]:
        """The points of a mask as cells of their own, and where they came from."""
        index = np.flatnonzero(mask)
        x, y, turn, below = (values[index] for values in (self.x, self.y, self.turn, self.below))
        return Cells(x, y, turn, below, self.above[index], self.share[index], self.materials[index]), index


@dataclass(frozen=True, eq=False)
class Wedge:
    """Where the cells of one vertebra lie in a slab."""

    cells: Cells
    box: Box
    inside: Mask

    def write(self, materials: LabelArray) -> None:
        """Put the painted materials into the slab's image, shape (samples, rows, columns)."""
        materials[:, self.box[0], self.box[1]][self.inside] = self.cells.materials


def wedge_of(slab: Slab, spine: Spine, index: int, reach_mm: float, materials: LabelArray) -> Wedge | None:
    """The points of a slab around the vertebra below disc ``index``; None where the slab misses it."""
    upper, lower = spine.discs[index], spine.discs[index + 1]
    box = slab.box_of(np.concatenate([_corners(upper, reach_mm), _corners(lower, reach_mm)]))
    if box is None:
        return None
    below = -slab.along(upper.frame.axes[:, 2], upper.frame.origin_mm, box)
    above = slab.along(lower.frame.axes[:, 2], lower.frame.origin_mm, box)
    share = below / np.maximum(below + above, np.float32(1e-3))
    (x, _), (y, turn) = (_blended(slab, (upper, lower), axis, share, box) for axis in (0, 1))
    inside = (below >= 0) & (above > 0) & (np.abs(x) < reach_mm) & (y > -FRONT_MM) & (y < BACK_MM)
    if not inside.any():
        return None
    now = materials[:, box[0], box[1]]
    x, y, turn, below, above, share = (values[inside] for values in (x, y, turn, below, above, share))
    cells = Cells(x, y, turn, below, above, share, now[inside])
    return Wedge(cells, box, inside)


def _corners(disc: Disc, reach_mm: float) -> npt.NDArray[np.float64]:
    places = [(x, y, z) for x in (-reach_mm, reach_mm) for y in (-FRONT_MM, BACK_MM) for z in (-2, 2)]
    return disc.frame.outer(places)


def _blended(
    slab: Slab, discs: tuple[Disc, Disc], axis: int, share: Floats, box: Box
) -> tuple[Floats, Floats]:
    upper, lower = (slab.along(d.frame.axes[:, axis], d.frame.origin_mm, box) for d in discs)
    turn = lower - upper
    return upper + turn * share, turn
