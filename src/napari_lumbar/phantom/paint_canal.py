"""The canal's contents: fat, ligamenta flava, thecal sac, cord, roots, and the lateral recesses."""

from __future__ import annotations

import numpy as np

from ..domain.spine import Side
from .canal import FLAVUM_MM, Canal, near
from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .shape import CANAL_DEPTH_MM, RECESS_BEHIND_MM, RECESS_LATERAL_MM, LevelState, SpineShape
from .tissue import Tissue

#: The patient's left is +x in DICOM LPS.
SIGN = {Side.LEFT: np.float32(1), Side.RIGHT: np.float32(-1)}
RECESS_RADIUS_MM = 3.4
#: Fills of a recess grow from here, mm lateral; beyond it the foramen begins.
RECESS_EDGE_MM = 12.0


def _canal_voxels(grid: SpineGrid, shape: SpineShape) -> Voxels:
    return grid.select((-200, shape.bodies[-1].bottom_mm), (6, 42), (-16, 16))


def _roof(voxels: Voxels, wall: FloatMap, size: float) -> FloatMap:
    return np.asarray(wall + CANAL_DEPTH_MM * size - 0.45 * np.abs(voxels.lateral), dtype=np.float32)


def paint_canal_fat(grid: SpineGrid, shape: SpineShape) -> None:
    """Fill the whole canal with fat; bone is painted over its borders."""
    voxels = _canal_voxels(grid, shape)
    wall = Canal(shape).wall(voxels.along)
    inside = (voxels.behind > wall - 3) & (voxels.behind < _roof(voxels, wall, shape.size) + 1)
    half_width = np.interp(
        voxels.along,
        [(b.top_mm + b.bottom_mm) / 2 for b in shape.bodies],
        [b.canal_half_width_mm for b in shape.bodies],
    )
    voxels.paint(inside & (np.abs(voxels.lateral) < half_width), Tissue.EPIDURAL_FAT)


def paint_canal(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Paint what lies in the canal, after bone."""
    voxels, canal = _canal_voxels(grid, shape), Canal(shape)
    _paint_flava(voxels, canal)
    _paint_bulges(voxels, canal)
    for level in shape.levels:
        _paint_recess_fat(grid, canal, level)
    sac = _paint_sac(voxels, canal)
    _paint_nerves(sac, canal, rng)
    for level in shape.levels:
        for side in Side:
            _fill_recess(grid, canal, level, side)


def _paint_flava(voxels: Voxels, canal: Canal) -> None:
    shape, wall = canal.shape, canal.wall(voxels.along)
    roof = _roof(voxels, wall, shape.size)
    back = canal.sac_front(voxels.along) + canal.sac_ap(voxels.along) + 0.4
    healthy = roof - FLAVUM_MM * shape.size
    inner = healthy + (np.minimum(back, healthy) - healthy) * canal.flavum_excess(voxels.along)
    beside = sum(near(voxels.along, level.along_mm, 12.5) for level in shape.levels) > 0.4
    band = (voxels.behind > inner) & (voxels.behind < roof + 0.6) & beside
    within = (np.abs(voxels.lateral) < 14) & voxels.hold(Tissue.EPIDURAL_FAT)
    voxels.paint(band & within, Tissue.LIGAMENTUM_FLAVUM)


def _paint_bulges(voxels: Voxels, canal: Canal) -> None:
    front, wall = canal.sac_front(voxels.along), canal.wall(voxels.along)
    pushed = front - wall - 1.0
    # A bulge is round: it recedes towards the recesses, which keep their fat.
    bulge = wall + pushed * np.clip(1 - (np.abs(voxels.lateral) / 8.5) ** 4, 0, 1)
    for level in canal.shape.levels:
        disc = canal.shape.disc(level.level)
        tall = np.abs(voxels.along - level.along_mm) < disc.height_mm / 2 + 2.5
        narrowed = level.sac_ap_mm < 11.0 * canal.shape.size
        inside = tall & (voxels.behind < bulge) & (voxels.behind > wall - 2)
        if narrowed:
            voxels.paint(inside, Tissue.DISC_ANNULUS)


def _level_voxels(grid: SpineGrid, canal: Canal, level: LevelState) -> tuple[Voxels, float]:
    wall = canal.shape.disc(level.level).half_depth_mm
    along = (level.along_mm - 12, level.along_mm + 12)
    return grid.select(along, (wall - 2, wall + 14), (-14, 14)), wall


def _paint_recess_fat(grid: SpineGrid, canal: Canal, level: LevelState) -> None:
    voxels, wall = _level_voxels(grid, canal, level)
    size = canal.shape.size
    lateral = RECESS_LATERAL_MM[level.level.rank] * size
    radius = np.hypot(np.abs(voxels.lateral) - lateral, voxels.behind - wall - RECESS_BEHIND_MM * size)
    voxels.paint((radius < RECESS_RADIUS_MM * size), Tissue.EPIDURAL_FAT)
    root = np.hypot(np.abs(voxels.lateral) - lateral, voxels.behind - wall - (RECESS_BEHIND_MM - 0.6) * size)
    voxels.paint((root < 1.5), Tissue.NERVE_ROOT)


def _fill_recess(grid: SpineGrid, canal: Canal, level: LevelState, side: Side) -> None:
    voxels, wall = _level_voxels(grid, canal, level)
    size = canal.shape.size
    beside = voxels.lateral * SIGN[side]
    behind = voxels.behind - wall - RECESS_BEHIND_MM * size
    radius = np.hypot(beside - RECESS_EDGE_MM * size, behind)
    fill = level.recess_fill_mm[side] * near(voxels.along, level.along_mm)
    soft = voxels.hold(
        Tissue.EPIDURAL_FAT, Tissue.CSF, Tissue.ROOTS, Tissue.NERVE_ROOT, Tissue.LIGAMENTUM_FLAVUM
    )
    filled = (radius < fill) & (beside < (RECESS_EDGE_MM + 1) * size) & soft
    from_disc = behind < 0
    voxels.paint(filled & from_disc, Tissue.DISC_ANNULUS)
    voxels.paint(filled & ~from_disc, Tissue.LIGAMENTUM_FLAVUM)


def _paint_sac(voxels: Voxels, canal: Canal) -> Voxels:
    half_ap = np.maximum(canal.sac_ap(voxels.along) / 2, 1e-3)
    half_width = np.maximum(canal.sac_half_width(voxels.along), 1e-3)
    middle = canal.sac_front(voxels.along) + half_ap
    radius = (voxels.lateral / half_width) ** 2 + ((voxels.behind - middle) / half_ap) ** 2
    inside = (radius < 1) & (half_ap > 0.5)
    voxels.paint(inside, Tissue.CSF)
    return voxels.holding(inside)


def _paint_nerves(sac: Voxels, canal: Canal, rng: np.random.Generator) -> None:
    size = canal.shape.size
    half_ap, half_width = canal.sac_ap(sac.along) / 2, canal.sac_half_width(sac.along)
    u = sac.lateral / half_width
    v = (sac.behind - canal.sac_front(sac.along) - half_ap) / half_ap
    body = canal.shape.bodies[2]
    conus = (body.top_mm + body.bottom_mm) / 2 + rng.normal(0, 10)
    _paint_roots(sac, canal, (u * half_width, v * half_ap), rng)
    # Crowded roots leave hardly any fluid.
    within = 0.75 + 0.35 * np.clip((3.4 * size - half_ap) / (0.8 * size), 0, 1)
    crowded = (half_ap < 3.4 * size) & (u**2 + v**2 < within) & (sac.along > conus)
    sac.paint(crowded, Tissue.ROOTS)
    taper = np.sqrt(np.clip((conus - sac.along) / 25, 0, 1))
    cord = np.hypot(u * half_width / 4.3, (v * half_ap - 0.6) / 3.5)
    sac.paint(cord < taper, Tissue.CORD)


def _paint_roots(
    sac: Voxels, canal: Canal, place_mm: tuple[FloatMap, FloatMap], rng: np.random.Generator
) -> None:
    """Strands of the cauda equina, settled dorsally; each leaves the sac at its level."""
    half_ap, half_width = canal.sac_ap(sac.along) / 2, canal.sac_half_width(sac.along)
    exits = [*(level.along_mm + 12 for level in canal.shape.levels), canal.sac_end(), canal.sac_end()]
    for exit_mm in exits:
        for sign in (-1, 1):
            u, v = sign * rng.uniform(0.12, 0.62), rng.uniform(-0.2, 0.68)
            # A root drifts sideways and forward to its exit.
            drift = np.clip(1 - (exit_mm - sac.along) / 45, 0, 1)
            across = (u + (0.8 * sign - u) * drift) * half_width
            behind = (v + (-0.1 - v) * drift) * half_ap
            radius = np.hypot(place_mm[0] - across, place_mm[1] - behind)
            sac.paint((radius < 0.95) & (sac.along < exit_mm), Tissue.ROOTS)
