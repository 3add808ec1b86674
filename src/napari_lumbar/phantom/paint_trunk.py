"""Everything around the spine: skin, fat, muscles, bowel, great vessels."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import ndimage

from ..domain.geometry import FloatArray
from .curve import FloatMap
from .grid import Mask, SpineGrid
from .shape import CANAL_DEPTH_MM, SpineShape
from .tissue import BOWEL_MATERIAL, N_BOWEL_KINDS, LabelArray, Tissue

#: Coordinates of a grid along z, y, x, in mm.
Axes: TypeAlias = tuple[FloatArray, FloatArray, FloatArray]

SKIN_MM = 2.2
N_LOOPS = 48
#: Half width of the fat between the back's muscles.
MIDLINE_FAT_MM = 3.5
N_STREAK_GROUPS = 45


def paint_trunk(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Paint the trunk, before the spine: what is large at half resolution."""
    coarse = grid.coarse()
    _paint_background(coarse, shape, rng)
    _paint_retroperitoneum(coarse, shape, rng)
    _paint_psoas(coarse, shape, rng)
    grid.materials[:] = coarse.materials.repeat(2, axis=2).repeat(2, axis=1).repeat(2, axis=0)
    _paint_midline_fat(grid, shape)
    _paint_streaks(grid, shape, rng)
    _paint_vessels(grid, shape, rng)


def _paint_background(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Skin, subcutaneous fat, trunk muscle, abdomen and bowel."""
    labels = grid.materials
    z, y, x = (
        grid.origin_lps_mm[2 - axis] + grid.voxel_mm * np.arange(labels.shape[axis]) for axis in range(3)
    )
    spine_y, fat_mm = _spine_y(shape, z), rng.uniform(8, 30)
    depth_mm = _depth(shape, (z, y, x), spine_y, fat_mm, rng)
    layers = np.array([Tissue.AIR, Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE], np.uint8)
    rank = (depth_mm > 0).view(np.uint8) + (depth_mm > SKIN_MM).view(np.uint8) + (depth_mm > fat_mm)
    labels[:] = layers[rank]
    cavity = (depth_mm > fat_mm + 9) & (y < spine_y[:, None] - 12)[:, :, None]
    labels[cavity] = Tissue.ABDOMEN
    _paint_bowel(labels, cavity, (z, y - spine_y.mean(), x), rng)


def _spine_y(shape: SpineShape, z_mm: FloatArray) -> FloatArray:
    """Patient y of the spine's curve at heights, smoothed, same shape."""
    points = shape.curve.points_yz_mm[::-1]
    smooth = ndimage.gaussian_filter1d(points[:, 0], 50, mode="nearest")
    return np.interp(z_mm, points[:, 1], smooth)


def _depth(
    shape: SpineShape, axes: Axes, spine_y: FloatArray, fat_mm: float, rng: np.random.Generator
) -> FloatMap:
    """Millimetres below the skin, roughly, shape (nz, ny, nx)."""
    z, y, x = axes
    sacrum = shape.curve.point_lps_mm(shape.body("S1").top_mm)[2]
    # Behind the sacrum there is little but fat; above it, spinous processes and muscle.
    back = spine_y + fat_mm + np.interp(z, [sacrum - 45, sacrum + 15], [34, 66]) * shape.size
    half_depth = rng.uniform(100, 135) * (1 + 0.04 * np.sin((z + rng.uniform(-90, 90)) / 60))
    half_width = rng.uniform(150, 195) * (1 + 0.05 * np.cos((z + rng.uniform(-60, 60)) / 60))
    across = np.abs(x / half_width[:, None]).astype(np.float32) ** 2.5
    deep = np.abs((y - back[:, None] + half_depth[:, None]) / half_depth[:, None]).astype(np.float32) ** 2.5
    radius = (across[:, None, :] + deep[:, :, None]) ** np.float32(0.4)
    return np.asarray((1 - radius) * np.float32(half_depth.mean()), dtype=np.float32)


def _paint_bowel(
    labels: LabelArray,
    cavity: Mask,
    axes: Axes,
    rng: np.random.Generator,
) -> None:
    """Ellipsoid loops and organs in front of the spine, some with gas."""
    z, y, x = axes
    for index in range(N_LOOPS):
        centre = rng.uniform((z.min(), -150, x.min()), (z.max(), -48, x.max()))
        radii = rng.uniform(10, 26, 3)
        bounds = [
            np.searchsorted(axis, (c - r, c + r)) for axis, c, r in zip((z, y, x), centre, radii, strict=True)
        ]
        (z0, z1), (y0, y1), (x0, x1) = bounds
        dz, dy, dx = (
            ((axis[lo:hi] - c) / r).astype(np.float32) ** 2
            for axis, (lo, hi), c, r in zip((z, y, x), bounds, centre, radii, strict=True)
        )
        inside = dz[:, None, None] + dy[:, None] + dx < 1
        material = Tissue.BOWEL_GAS if index % 6 == 0 else BOWEL_MATERIAL + index % N_BOWEL_KINDS
        view = labels[z0:z1, y0:y1, x0:x1]
        view[inside & cavity[z0:z1, y0:y1, x0:x1]] = material


def _ellipse(
    lateral: FloatMap,
    behind: FloatMap,
    centre: tuple[FloatMap | float, FloatMap | float],
    radii: tuple[FloatMap | float, FloatMap | float],
) -> FloatMap:
    """Below 1 within an ellipse on both sides; ``centre`` and ``radii`` are (lateral, behind) in mm."""
    across = (np.abs(lateral) - _single(centre[0])) / _single(radii[0])
    deep = (behind - _single(centre[1])) / _single(radii[1])
    return across * across + deep * deep


def _single(value: FloatMap | float) -> FloatMap:
    return np.asarray(value, dtype=np.float32)


def _paint_retroperitoneum(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Fat around the vertebral bodies, and quadratus lumborum."""
    width, depth = rng.uniform(48, 66), rng.uniform(32, 42)
    behind = shape.body("L3").half_depth_mm + 9 * shape.size
    voxels = grid.select((-500, 300), (2 - depth, behind + 12), (-width, width))
    fat = _ellipse(voxels.lateral, voxels.behind, (0.0, 2.0), (width, depth)) < 1
    # The transverse processes, behind which muscle begins, point backwards. How far the fat reaches back
    # beside the foramina is the patient's build, whatever is in the foramina.
    fat &= voxels.behind < behind + 0.2 * np.abs(voxels.lateral) - rng.uniform(2, 16)
    bowel = (BOWEL_MATERIAL + kind for kind in range(N_BOWEL_KINDS))
    voxels.paint(fat & voxels.hold(Tissue.MUSCLE, Tissue.ABDOMEN, Tissue.BOWEL_GAS, *bowel), Tissue.FAT)
    size = shape.size
    for ends in ((-80 * size, -36 * size), (36 * size, 80 * size)):
        voxels = grid.select((-500, shape.body("L5").bottom_mm), (20 - 9 * size, 20 + 9 * size), ends)
        quadratus = _ellipse(voxels.lateral, voxels.behind, (58 * size, 20.0), (20 * size, 9 * size))
        voxels.paint(quadratus < 1, Tissue.MUSCLE)


def _paint_psoas(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """The muscles beside the bodies, larger further down."""
    low, high = shape.body("T12").top_mm, shape.bodies[-1].bottom_mm
    bulk = rng.uniform(0.85, 1.15) * shape.size
    # Some lie close to the bodies and cover the way out of the foramina, others leave fat between.
    near, back = rng.uniform(0, 8), rng.uniform(0, 7)
    for side in ((-75, -12), (12, 75)):
        voxels = grid.select((low - 10, high + 60), (-45, 35), side)
        down = np.clip((voxels.along - low) / (high - low), 0, 1)
        grow = bulk * (8 + 14 * down)
        psoas = _ellipse(
            voxels.lateral,
            voxels.behind,
            (24 - near + grow * 0.95, 6 + back - 16 * down**2),
            (grow, grow * 1.25),
        )
        voxels.paint(psoas < 1, Tissue.MUSCLE)


def _paint_midline_fat(grid: SpineGrid, shape: SpineShape) -> None:
    """Fat between the spinous processes."""
    low, high = shape.bodies[0].top_mm, shape.bodies[-1].bottom_mm
    wall = shape.body("L3").half_depth_mm + CANAL_DEPTH_MM * shape.size
    middle = grid.select((low - 60, high), (wall, wall + 27 * shape.size), (-MIDLINE_FAT_MM, MIDLINE_FAT_MM))
    between = np.abs(middle.lateral) < MIDLINE_FAT_MM
    middle.paint(between & middle.hold(Tissue.MUSCLE), Tissue.FAT)


def _paint_streaks(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Fat between the muscle bundles; more of it in some patients and further down."""
    low, high = shape.body("T12").top_mm, shape.bodies[-1].bottom_mm
    for _ in range(int(rng.uniform(0.1, 1) * N_STREAK_GROUPS)):
        centre = low + (high - low) * np.sqrt(rng.uniform(0, 1))
        length = rng.uniform(8, 28)
        behind, lateral = rng.uniform(32, 60), rng.choice([-1, 1]) * rng.uniform(6, 55)
        voxels = grid.select(
            (centre - length, centre + length), (behind - 8, behind + 8), (lateral - 6, lateral + 6)
        )
        tilt = voxels.behind - behind + rng.uniform(-1, 1) * (voxels.lateral - lateral)
        thick = rng.uniform(0.4, 1.2, 3)
        fat = [np.abs(tilt - rng.uniform(-9, 9)) < t for t in thick]
        voxels.paint((fat[0] | fat[1] | fat[2]) & voxels.hold(Tissue.MUSCLE), Tissue.FAT)


def _paint_vessels(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Aorta (left) and vena cava (right) in front of the bodies; they part near L4/L5."""
    fork = shape.body("L4").bottom_mm + shape.variants.fork_mm
    depth = -(shape.body("L3").half_depth_mm + 9)
    for sign, start, radius in ((1, rng.uniform(2, 10), 8.5), (-1, rng.uniform(10, 16), 9.5)):
        # Above the fork they run straight, so that a narrow box holds them.
        for along, spread in (((-500.0, fork), 0.0), ((fork, shape.body("S2").top_mm), 18.0)):
            ends = sorted((sign * (start - 1.2 * radius), sign * (start + spread + 1.2 * radius)))
            voxels = grid.select(along, (depth - 15, depth + 12), (ends[0], ends[1]))
            apart = np.clip((voxels.along - fork) / 40, 0, 1)
            shrink = radius * shape.size * (1 - 0.35 * apart)
            across = voxels.lateral - sign * (start + 18 * apart)
            tube = np.hypot(across, voxels.behind - depth + 3 * apart) / shrink
            voxels.paint(tube < 1, Tissue.VESSEL)
