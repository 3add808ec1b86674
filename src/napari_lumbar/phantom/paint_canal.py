"""The canal's contents: fat, ligamenta flava, dural sac, cord, roots, and the lateral recesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..domain.spine import Side
from .canal import Canal, near
from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .levels import SIGN, LevelState
from .roots import Strand, draw_strands, strand_distance, strand_radius
from .section import RECESS_FLAT_MM, HalfSection
from .shape import SpineShape
from .tissue import Tissue

#: Thickness and half length of a ligamentum flavum, mm.
FLAVUM_MM = 4.0
FLAVUM_REACH_MM = 12.5
#: Farther from the midline than anything in the canal, mm.
FAR_MM = np.float32(99)
FREE = (Tissue.EPIDURAL_FAT, Tissue.FAT, Tissue.FORAMINAL_FAT)


@dataclass(frozen=True, eq=False)
class HalfCanal:
    """One side of the canal: its voxels, sections at them, and their places in these sections."""

    side: Side
    voxels: Voxels
    section: HalfSection
    beside: FloatMap
    deep: FloatMap

    def holding(self, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], canal: Canal) -> HalfCanal:
        """The voxels of ``mask`` only."""
        return _half_of(self.voxels.holding(mask), canal, self.side)


def _half_of(voxels: Voxels, canal: Canal, side: Side) -> HalfCanal:
    section = canal.half(side, voxels.along)
    beside = voxels.lateral * SIGN[side]
    # A box follows the midline in columns, so it holds some voxels of the other side.
    beside = np.where(beside < 0, FAR_MM, beside)
    return HalfCanal(side, voxels, section, beside, voxels.behind - section.wall)


def canal_halves(grid: SpineGrid, shape: SpineShape, canal: Canal) -> list[HalfCanal]:
    """The voxels of both sides of the canal."""
    along, behind = (-500, shape.bodies[-1].bottom_mm), (6, 48)
    ranges = {Side.LEFT: (0.0, 16.0), Side.RIGHT: (-16.0, 0.0)}
    return [_half_of(grid.select(along, behind, ranges[side]), canal, side) for side in Side]


def paint_canal_fat(halves: list[HalfCanal]) -> None:
    """Fill the whole canal with fat; bone is painted over its borders."""
    for half in halves:
        roof = half.section.back_at(half.beside) + _flavum_depth(half.section)
        inside = (half.deep > -3) & (half.deep < roof) & (half.beside < half.section.edge)
        half.voxels.paint(inside, Tissue.EPIDURAL_FAT)


def paint_canal(
    grid: SpineGrid, shape: SpineShape, canal: Canal, halves: list[HalfCanal], rng: np.random.Generator
) -> None:
    """Paint what lies in the canal, after bone."""
    strands = draw_strands(shape, canal, rng)
    radius = strand_radius(strands, canal)
    conus = shape.body("L1").middle_mm + shape.variants.conus_mm
    for half in halves:
        _paint_bounds(half, shape)
        _paint_bulges(half, shape)
        sac = half.holding(half.section.is_sac(half.beside, half.deep), canal)
        sac.voxels.paint(np.ones(sac.deep.shape, np.bool_), Tissue.CSF)
        _paint_roots(sac, strands, np.interp(sac.voxels.along, canal.knots_mm, radius), conus)
        _paint_cord(sac, conus, shape.size)
    for level in shape.levels:
        for side in Side:
            _paint_passing_root(grid, canal, level, side)


def _paint_bounds(half: HalfCanal, shape: SpineShape) -> None:
    """Free space at the levels, whatever bone reached into it, and the ligamenta flava behind it."""
    voxels, section = half.voxels, half.section
    at_level = section.near > 0.3
    voxels.paint(section.is_open(half.beside, half.deep) & at_level, Tissue.EPIDURAL_FAT)
    beside = sum(near(voxels.along, level.along_mm, FLAVUM_REACH_MM) for level in shape.levels) > 0.4
    flank = half.beside < section.recess + RECESS_FLAT_MM + 2
    back = section.back_at(half.beside)
    behind = (half.deep >= back) & (half.deep < back + _flavum_depth(section)) & (half.deep > 0)
    voxels.paint(behind & beside & flank & voxels.hold(*FREE, Tissue.MUSCLE), Tissue.LIGAMENTUM_FLAVUM)


def _flavum_depth(section: HalfSection) -> FloatMap:
    """Thickness of the oblique ligamentum flavum from front to back, mm."""
    slope = (section.back - section.back_side) / np.maximum(section.recess - RECESS_FLAT_MM, 1)
    return np.asarray(FLAVUM_MM * np.sqrt(1 + slope * slope))


def _paint_bulges(half: HalfCanal, shape: SpineShape) -> None:
    """Disc behind the posterior wall."""
    voxels = half.voxels
    inside = (half.deep <= half.section.front_at(half.beside)) & (half.deep > -3)
    inside &= half.beside < half.section.edge + 1
    behind = voxels.holding(inside & voxels.hold(*FREE))
    for level in shape.levels:
        tall = shape.disc(level.level).height_mm / 2 + 2.0
        behind.paint(np.abs(behind.along - level.along_mm) < tall, Tissue.DISC_ANNULUS)


def _paint_roots(sac: HalfCanal, strands: tuple[Strand, ...], radius_mm: FloatMap, conus_mm: float) -> None:
    place = sac.voxels.along, sac.beside, sac.deep
    distance = strand_distance(strands, sac.section, sac.side, place)
    sac.voxels.paint((distance < radius_mm) & (sac.voxels.along > conus_mm - 25), Tissue.ROOTS)


def _paint_cord(sac: HalfCanal, conus_mm: float, size: float) -> None:
    """The cord, thickest above its conus."""
    above = conus_mm - sac.voxels.along
    taper = np.sqrt(np.clip(above / 25, 0, 1)) * (1 - 0.12 * np.clip((above - 45) / 40, 0, 1)) * size**0.5
    half_width = np.minimum(4.4 * taper, 0.8 * sac.section.radius * sac.section.aspect)
    half_depth = np.minimum(3.5 * taper, 0.75 * sac.section.radius)
    across = (sac.beside - sac.section.shift) / np.maximum(half_width, 0.1)
    up = (sac.deep - sac.section.middle - 0.4) / np.maximum(half_depth, 0.1)
    sac.voxels.paint((np.hypot(across, up) < 1) & (above > 0), Tissue.CORD)


def _paint_passing_root(grid: SpineGrid, canal: Canal, level: LevelState, side: Side) -> None:
    """The root on its way through the lateral recess, flattened where that is shallow."""
    recess = level.recesses[side]
    along = (level.along_mm - 9, level.along_mm + 16)
    ends = (2.0, 15.0) if side is Side.LEFT else (-15.0, -2.0)
    half = _half_of(grid.select(along, (6, 34), ends), canal, side)
    down = half.voxels.along - level.along_mm
    across = half.beside - (recess.lateral_mm - 0.4 + 0.12 * np.clip(down, -12, 16))
    room = half.section.back_side - half.section.front_side
    up = half.deep - half.section.front_side - np.minimum(0.45 * room, 3.6)
    flat = np.clip(0.42 * room, 0.4, 1.7)
    radius = np.hypot(across / 1.7, up / flat)
    fat = half.voxels.hold(Tissue.EPIDURAL_FAT)
    inside = (radius < 1) & fat & (down > -9) & (down < 15)
    half.voxels.paint(inside, Tissue.NERVE_ROOT)
