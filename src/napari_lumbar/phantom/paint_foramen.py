"""Neural foramina with their fat and root, and the facet joints behind them."""

from __future__ import annotations

import numpy as np

from ..domain.spine import Side
from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .paint_canal import SIGN
from .shape import FORAMEN_ABOVE_MM, FORAMEN_BEHIND_MM, FORAMEN_LATERAL_MM, LevelState, SpineShape
from .tissue import Tissue

#: Half height and half width of a healthy foramen, mm.
HALF_HEIGHT_MM = 10.5
HALF_WIDTH_MM = 5.8
#: A foramen's medial and lateral end, mm from the midline.
MEDIAL_MM = 11.6
LATERAL_MM = 25.0


def _foramen_voxels(grid: SpineGrid, shape: SpineShape, level: LevelState) -> Voxels:
    centre, wall = level.along_mm - FORAMEN_ABOVE_MM, shape.disc(level.level).half_depth_mm
    return grid.select((centre - 14, centre + 14), (wall - 8, wall + 16), (-42, 42))


def _radius(voxels: Voxels, shape: SpineShape, level: LevelState, opening: FloatMap) -> FloatMap:
    """1 on the border of a foramen opened to a fraction ``opening``; it closes towards its top."""
    size, wall = shape.size, shape.disc(level.level).half_depth_mm
    along = level.along_mm - (FORAMEN_ABOVE_MM - 1.0) * size - 3.5 * size * (1 - opening)
    behind = wall + FORAMEN_BEHIND_MM[level.level.rank] * size
    height = (voxels.along - along) / (HALF_HEIGHT_MM * size * opening)
    # A keyhole: narrower below.
    width = HALF_WIDTH_MM * size * opening * (1 - 0.25 * np.clip(height, 0, 1))
    return np.asarray(np.hypot(height, (voxels.behind - behind) / width), dtype=np.float32)


def paint_foraminal_fat(grid: SpineGrid, shape: SpineShape) -> None:
    """Fill all foramina with fat; bone is painted over their borders."""
    for level in shape.levels:
        voxels = _foramen_voxels(grid, shape, level)
        beside = np.abs(voxels.lateral)
        radius = _radius(voxels, shape, level, np.ones_like(voxels.along))
        inside = (radius < 1) & (beside > MEDIAL_MM * shape.size) & (beside < LATERAL_MM * shape.size)
        voxels.paint(inside, Tissue.FORAMINAL_FAT)


def paint_foramina(grid: SpineGrid, shape: SpineShape) -> None:
    """Narrow the foramina and lay the roots through them, after bone."""
    for level in shape.levels:
        voxels = _foramen_voxels(grid, shape, level)
        for side in Side:
            _narrow(voxels, shape, level, side)
            _paint_root(voxels, shape, level, side)


def _narrow(voxels: Voxels, shape: SpineShape, level: LevelState, side: Side) -> None:
    beside = voxels.lateral * SIGN[side] / shape.size
    wall = shape.disc(level.level).half_depth_mm
    # Funnels at both ends.
    window = np.clip((LATERAL_MM - beside) / 4, 0, 1) * np.clip((beside - MEDIAL_MM + 1) / 2.5, 0, 1)
    opening = 1 - (1 - level.foramen_opening[side]) * window
    radius = _radius(voxels, shape, level, np.asarray(opening, dtype=np.float32))
    # A narrowed foramen has lost the fat outside its healthy outline too.
    whole = _radius(voxels, shape, level, np.ones_like(voxels.along))
    outline = 1 + 0.8 * np.clip((0.8 - opening) / 0.15, 0, 1)
    fat = voxels.hold(Tissue.FORAMINAL_FAT, Tissue.EPIDURAL_FAT, Tissue.FAT)
    closed = fat & (radius > 1) & (whole < outline) & (beside > MEDIAL_MM - 0.1) & (beside < LATERAL_MM)
    in_front = voxels.behind < wall + FORAMEN_BEHIND_MM[level.level.rank] * shape.size
    voxels.paint(closed & in_front, Tissue.DISC_ANNULUS)
    voxels.paint(closed & ~in_front, Tissue.FACET)


def _paint_root(voxels: Voxels, shape: SpineShape, level: LevelState, side: Side) -> None:
    beside = voxels.lateral * SIGN[side] / shape.size
    rank, opening = level.level.rank, level.foramen_opening[side]
    outward = beside - FORAMEN_LATERAL_MM[rank]
    along = level.along_mm - (FORAMEN_ABOVE_MM + 2.5) * shape.size + 0.4 * outward
    behind = shape.disc(level.level).half_depth_mm + (FORAMEN_BEHIND_MM[rank] - 0.15 * outward) * shape.size
    flat = np.where(np.abs(outward) < 5, np.clip(opening * 1.6, 0.55, 1), 1.0)
    radius = np.hypot((voxels.along - along) / 3.1, (voxels.behind - behind) / (2.4 * flat)) / shape.size
    soft = ~voxels.hold(Tissue.VERTEBRA, Tissue.CORTEX, Tissue.CSF)
    voxels.paint((radius < 1) & (beside > 10) & soft, Tissue.NERVE_ROOT)


def paint_facets(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Facet joints at the discs; narrowing thickens them."""
    for level in shape.levels:
        wall, size = shape.disc(level.level).half_depth_mm, shape.size
        canal = shape.bodies[3 + level.level.rank].canal_half_width_mm
        reach = canal + 14
        voxels = grid.select(
            (level.along_mm - 12, level.along_mm + 9), (wall + 7, wall + 30), (-reach, reach)
        )
        for side in Side:
            thick = 1 + 0.03 * level.recess_fill_mm[side] + rng.uniform(-0.05, 0.1)
            across = voxels.lateral * SIGN[side] - canal - 5.5 * size
            behind = voxels.behind - wall - 18 * size
            radius = np.hypot(across / (8 * thick), behind / (7 * thick)) / size
            radius = radius + ((voxels.along - level.along_mm + 2) / (10 * size)) ** 6
            voxels.paint(radius < 1, Tissue.FACET)
            voxels.paint(radius < 0.62, Tissue.VERTEBRA)
            # The joint runs from the front of the inner side to the back of the outer one.
            slope = rng.uniform(0.45, 1.1)
            gap = np.abs(across - slope * behind + 0.04 * behind**2) / np.hypot(1, slope)
            voxels.paint((radius < 0.9) & (gap < 1.5), Tissue.FACET)
            voxels.paint((radius < 0.8) & (gap < rng.uniform(-0.2, 0.7)), Tissue.JOINT_FLUID)
