"""All materials of one slice."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..tissue import LabelArray
from .bone import paint_arch, paint_column, posterior_wall
from .cells import Cells, wedge_of
from .plane import Slab
from .section import Floats
from .soft import Half, paint_canal, paint_facets, paint_fat, paint_foramina
from .spine import Spine
from .trunk import Trunk, trunk_materials

#: Part of a wedge that belongs to its upper disc; the lower disc's foramina reach higher.
UPPER_SHARE: Final = 0.42


def paint_slab(slab: Slab, spine: Spine, trunk: Trunk, fine: Floats) -> LabelArray:
    """Materials at every point, shape (samples, rows, columns); ``fine`` is the field of ``trunk.fine``."""
    background = trunk_materials(slab, trunk, fine)
    materials = np.repeat(background[None], len(slab.shifts_mm), axis=0)
    paint_spine(slab, spine, materials)
    return materials


def paint_spine(slab: Slab, spine: Spine, materials: LabelArray) -> None:
    """Paint the vertebrae and what they hold over the trunk, in place."""
    for index, vertebra in enumerate(spine.vertebrae):
        wedge = wedge_of(slab, spine, index, vertebra.wing_mm + 1, materials)
        if wedge is not None:
            _paint_wedge(wedge.cells, spine, index)
            wedge.write(materials)


def _paint_wedge(cells: Cells, spine: Spine, index: int) -> None:
    vertebra, discs = spine.vertebrae[index], (spine.discs[index], spine.discs[index + 1])
    height = float(np.linalg.norm(discs[1].frame.origin_mm - discs[0].frame.origin_mm))
    behind = cells.y - posterior_wall(cells, discs)
    paint_fat(cells, behind, vertebra)
    paint_arch(cells, vertebra, behind, height)
    paint_column(cells, spine, index)
    for k, disc in enumerate(discs):
        part, origin = cells.part((cells.share < UPPER_SHARE) == (k == 0))
        own_y = part.y + part.turn * (np.float32(k) - part.share)
        own_behind = own_y - np.float32(disc.half_depth_mm)
        height_mm = part.above if k else -part.below
        _paint_half(Half(part, disc, height_mm, behind[origin], own_behind, index + part.share), spine, index)
        cells.materials[origin] = part.materials


def _paint_half(half: Half, spine: Spine, index: int) -> None:
    """Paint what belongs to one disc."""
    vertebra = spine.vertebrae[index]
    if not vertebra.is_sacral or half.disc is spine.discs[spine.last]:
        paint_facets(half)
        paint_foramina(half, vertebra)
    paint_canal(half, vertebra, spine)
