"""Everything around the spine: skin, fat, muscles, bowel, great vessels."""

from __future__ import annotations

import numpy as np

from .curve import FloatMap
from .grid import SpineGrid
from .shape import SpineShape
from .tissue import BOWEL_MATERIAL, N_BOWEL_KINDS, LabelArray, Tissue

SKIN_MM = 2.2
N_LOOPS = 26
N_STREAKS = 90


def paint_trunk(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Paint the trunk, before the spine."""
    _paint_background(grid, shape, rng)
    _paint_muscles(grid, shape, rng)
    _paint_vessels(grid, shape, rng)


def _paint_background(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Skin, subcutaneous fat, the abdominal wall and bowel, at half resolution."""
    x = grid.x_mm[::2]
    z = grid.origin_lps_mm[2] + grid.voxel_mm * np.arange(0, grid.materials.shape[0], 2)
    y = grid.origin_lps_mm[1] + grid.voxel_mm * np.arange(0, grid.materials.shape[1], 2)
    curve = shape.curve
    spine_y = np.interp(-z, -curve.points_yz_mm[:, 1], curve.points_yz_mm[:, 0])
    # The back is flatter than the spine.
    back = 0.8 * spine_y + rng.uniform(78, 105) * shape.size
    front = back - rng.uniform(190, 260)
    half_width = rng.uniform(150, 195) * (1 + 0.05 * np.cos((z + rng.uniform(-60, 60)) / 60))
    middle, half_depth = (back + front) / 2, (back - front) / 2
    across = np.abs(x / half_width[:, None])[:, None, :] ** 2.5
    deep = np.abs((y - middle[:, None]) / half_depth[:, None])[:, :, None] ** 2.5
    radius = (across.astype(np.float32) + deep.astype(np.float32)) ** np.float32(0.4)
    depth_mm = (1 - radius) * np.float32(half_depth.mean())
    fat_mm = rng.uniform(10, 28)
    labels = np.zeros(radius.shape, np.uint8)
    labels[depth_mm > 0] = Tissue.SKIN
    labels[depth_mm > SKIN_MM] = Tissue.FAT
    wall = (depth_mm > fat_mm) & (depth_mm < fat_mm + 9) & ((y < spine_y[:, None])[:, :, None])
    labels[wall] = Tissue.MUSCLE
    cavity = (depth_mm > fat_mm + 9) & (y < spine_y[:, None] - 26)[:, :, None]
    labels[cavity] = Tissue.ABDOMEN
    _paint_bowel(labels, depth_mm > fat_mm + 10, (z, y - spine_y.mean(), x), rng)
    fine = labels.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    grid.materials[:] = fine


def _paint_bowel(
    labels: LabelArray,
    cavity: np.ndarray,
    axes: tuple[np.ndarray, np.ndarray, np.ndarray],
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
    across = (np.abs(lateral) - centre[0]) / radii[0]
    return np.asarray(across**2 + ((behind - centre[1]) / radii[1]) ** 2, dtype=np.float32)


def _paint_muscles(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Psoas, quadratus lumborum, erector spinae and multifidus, with fat streaks."""
    size, low, high = shape.size, shape.bodies[1].top_mm, shape.bodies[-1].bottom_mm
    bulk = rng.uniform(0.85, 1.15) * size
    front = grid.select((low, high + 40), (-45, 34), (-85, 85))
    down = np.clip((front.along - low) / (high - low), 0, 1)
    grow = np.float32(bulk) * (8 + 14 * down)
    psoas = _ellipse(front.lateral, front.behind, (24 + grow * 0.95, 6 - 16 * down**2), (grow, grow * 1.25))
    quadratus = _ellipse(front.lateral, front.behind, (62 * size, 20), (20 * size, 9 * bulk))
    front.paint((psoas < 1) | ((quadratus < 1) & (down < 0.75)), Tissue.MUSCLE)
    back = grid.select((low - 60, high + 30), (20, 72), (-72, 72))
    shrink = np.clip((high + 30 - back.along) / 70, 0.35, 1)
    centre = (32 * size, 43 * size)
    lobe = _ellipse(back.lateral, back.behind, centre, (34 * bulk * shrink, 21 * bulk))
    muscle = (lobe**1.6 < 1) & (np.abs(back.lateral) > 2.5)
    back.paint(muscle & ~back.hold(Tissue.AIR, Tissue.SKIN), Tissue.MUSCLE)
    _paint_streaks(grid, shape, rng)


def _paint_streaks(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Fat between the muscle bundles; more of it in some patients and further down."""
    low, high = shape.bodies[1].top_mm, shape.bodies[-1].bottom_mm
    for _ in range(int(rng.uniform(0.1, 1) * N_STREAKS)):
        centre = low + (high - low) * np.sqrt(rng.uniform(0, 1))
        length, thick = rng.uniform(8, 28), rng.uniform(0.6, 1.6)
        behind, lateral = rng.uniform(32, 60), rng.choice([-1, 1]) * rng.uniform(6, 55)
        voxels = grid.select(
            (centre - length, centre + length), (behind - 6, behind + 6), (lateral - 6, lateral + 6)
        )
        tilt = voxels.behind - behind + rng.uniform(-1, 1) * (voxels.lateral - lateral)
        voxels.paint((np.abs(tilt) < thick) & voxels.hold(Tissue.MUSCLE), Tissue.FAT)


def _paint_vessels(grid: SpineGrid, shape: SpineShape, rng: np.random.Generator) -> None:
    """Aorta (left) and vena cava (right) in front of the bodies; they part at L4."""
    fork = shape.bodies[5].bottom_mm - rng.uniform(0, 15)
    depth = -(shape.bodies[4].half_depth_mm + 9)
    voxels = grid.select((-200, shape.bodies[-1].top_mm), (-48, -8), (-50, 50))
    apart = np.clip((voxels.along - fork) / 40, 0, 1)
    for sign, start, radius in ((1, rng.uniform(2, 10), 8.5), (-1, rng.uniform(10, 16), 9.5)):
        shrink = radius * shape.size * (1 - 0.35 * apart)
        across = voxels.lateral - sign * (start + 18 * apart)
        tube = np.hypot(across, voxels.behind - depth + 3 * apart) / shrink
        voxels.paint((tube < 1), Tissue.VESSEL)
