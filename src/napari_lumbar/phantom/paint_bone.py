"""Vertebral bodies, discs and posterior elements."""

from __future__ import annotations

import numpy as np

from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .shape import CANAL_DEPTH_MM, Body, Disc, SpineShape
from .tissue import NUCLEUS_MATERIAL, Tissue

#: Thickness of cortical bone and endplates, mm (thicker than life: it must survive sampling).
CORTEX_MM = 1.1
#: How far endplates are hollowed at their centre, mm.
ENDPLATE_HOLLOW_MM = 1.6


def outline(voxels: Voxels, half_width_mm: float, half_depth_mm: float) -> FloatMap:
    """Normalised radius in the cross-section of a body or disc: 1 on its border, shape (p, k)."""
    across = np.abs(voxels.lateral) / np.float32(half_width_mm)
    behind = voxels.behind / half_depth_mm
    # The posterior wall is flat to slightly hollow, the anterior one round.
    radius = across**2.6 + np.abs(behind) ** np.where(behind > 0, 3.0, 2.2)
    return np.asarray(radius, dtype=np.float32)


def paint_body(grid: SpineGrid, body: Body) -> None:
    """A body with a waist, hollow endplates and a cortex."""
    reach = body.half_width_mm + 2
    voxels = grid.select(
        (body.top_mm - 2, body.bottom_mm + 2),
        (-body.half_depth_mm - 2, body.half_depth_mm + 2),
        (-reach, reach),
    )
    middle, half = (body.top_mm + body.bottom_mm) / 2, body.height_mm / 2
    height = (voxels.along - middle) / half
    waist = 0.9 + 0.1 * np.clip(height**2, 0, 1)
    radius = outline(voxels, body.half_width_mm, body.half_depth_mm) / waist**2
    hollow = ENDPLATE_HOLLOW_MM * np.clip(1 - radius, 0, 1)
    depth_mm = half - np.abs(voxels.along - middle) - hollow
    inside = (radius < 1) & (depth_mm > 0)
    voxels.paint(inside, Tissue.CORTEX)
    rim = 1 - 2.4 * CORTEX_MM / body.half_depth_mm
    voxels.paint(inside & (radius < rim) & (depth_mm > CORTEX_MM), Tissue.VERTEBRA)


def paint_disc(grid: SpineGrid, disc: Disc, index: int) -> None:
    """Annulus and nucleus, slightly wider than the bodies, bulging into the endplates."""
    reach = disc.half_width_mm + 3
    half = disc.height_mm / 2
    voxels = grid.select(
        (disc.centre_mm - half - 2, disc.centre_mm + half + 2), (-reach, reach), (-reach, reach)
    )
    bulge = 1 + 0.05 * (1 + disc.wear)
    radius = outline(voxels, disc.half_width_mm * bulge, disc.half_depth_mm * bulge)
    height_mm = np.abs(voxels.along - disc.centre_mm)
    inside = (radius < 1) & (height_mm < half + ENDPLATE_HOLLOW_MM * np.clip(1 - radius, 0, 1) - 0.2)
    voxels.paint(inside, Tissue.DISC_ANNULUS)
    core = outline(voxels, disc.half_width_mm * 0.68, disc.half_depth_mm * 0.66)
    core = core + (height_mm / (half * 0.85)) ** 4
    voxels.paint(core < 1, NUCLEUS_MATERIAL + index)


def paint_posterior(grid: SpineGrid, body: Body, size: float) -> None:
    """Pedicles, laminae, spinous and transverse processes of one vertebra."""
    _pedicles(grid, body, size)
    _lamina(grid, body, size)
    if not body.is_sacral:
        _spinous(grid, body, size)
        _transverse(grid, body, size)
        _pillars(grid, body, size)


def _bone(voxels: Voxels, radius: FloatMap, half_thickness_mm: float) -> None:
    """Marrow within a cortex; ``radius`` is 1 on the surface of a part this thick."""
    voxels.paint(radius < 1, Tissue.CORTEX)
    voxels.paint(radius < (1 - CORTEX_MM / half_thickness_mm) ** 2, Tissue.VERTEBRA)


def _pedicles(grid: SpineGrid, body: Body, size: float) -> None:
    half = body.pedicle_half_width_mm
    centre = body.canal_half_width_mm + half
    along = body.top_mm + 0.30 * body.height_mm
    half_height = 0.27 * body.height_mm
    depth = body.half_depth_mm
    voxels = grid.select(
        (along - half_height, along + half_height),
        (depth - 5, depth + 15 * size),
        (-centre - half, centre + half),
    )
    across = (np.abs(voxels.lateral) - centre) / half
    radius = across**2 + ((voxels.along - along) / half_height) ** 2
    _bone(voxels, radius, min(half, half_height))


def _lamina(grid: SpineGrid, body: Body, size: float) -> None:
    roof = body.half_depth_mm + CANAL_DEPTH_MM * size
    reach = body.canal_half_width_mm + 3
    centre = body.bottom_mm - 0.22 * body.height_mm
    half = 0.36 * body.height_mm
    voxels = grid.select((centre - half, centre + half), (roof - 10, roof + 10), (-reach, reach))
    inner = roof - 0.45 * np.abs(voxels.lateral)
    # Shingled: the lower edge lies further behind.
    middle = inner + 3.4 + 0.12 * (voxels.along - centre)
    radius = ((voxels.behind - middle) / 3.0) ** 2 + ((voxels.along - centre) / half) ** 4
    _bone(voxels, radius, 3.0)


def _spinous(grid: SpineGrid, body: Body, size: float) -> None:
    start = body.half_depth_mm + CANAL_DEPTH_MM * size + 3
    length = 27 * size
    centre = body.bottom_mm - 0.2 * body.height_mm
    half = 0.40 * body.height_mm
    voxels = grid.select((centre - 1.2 * half, centre + 1.5 * half), (start, start + length), (-4.5, 4.5))
    droop = centre + 0.12 * (voxels.behind - start)
    out = (voxels.behind - start - length / 2) / (length / 2)
    radius = (voxels.lateral / 4.2) ** 2 + ((voxels.along - droop) / half) ** 4 + np.clip(out, 0, 1) ** 6
    _bone(voxels, radius, 4.2)


def _transverse(grid: SpineGrid, body: Body, size: float) -> None:
    inner = body.canal_half_width_mm + body.pedicle_half_width_mm
    outer = inner + 22 * size
    along = body.top_mm + 0.3 * body.height_mm
    depth = body.half_depth_mm + 7 * size
    voxels = grid.select((along - 6, along + 6), (depth - 4, depth + 12), (-outer, outer))
    far = np.abs(voxels.lateral)
    middle = depth + 0.22 * (far - inner)
    radius = ((voxels.along - along) / 5) ** 2 + ((voxels.behind - middle) / 3.4) ** 2
    _bone(voxels, np.where(far > inner - 2, radius, np.float32(9)), 3.4)


def _pillars(grid: SpineGrid, body: Body, size: float) -> None:
    """The columns of bone between the upper and the lower joints."""
    centre, depth = body.canal_half_width_mm + 4 * size, body.half_depth_mm + 17 * size
    top, bottom = body.top_mm + 0.1 * body.height_mm, body.bottom_mm
    reach = centre + 7
    voxels = grid.select((top, bottom), (depth - 7, depth + 7), (-reach, reach))
    across = (np.abs(voxels.lateral) - centre) / (5.2 * size)
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    radius = across**2 + ((voxels.behind - depth) / (4.6 * size)) ** 2
    _bone(voxels, radius + ((voxels.along - middle) / half) ** 8, 4.6)


def paint_sacral_wings(grid: SpineGrid, bodies: tuple[Body, ...]) -> None:
    """The sacrum's lateral mass beside S1 and S2."""
    for body in bodies:
        reach = body.half_width_mm + 26
        voxels = grid.select(
            (body.top_mm + 2, body.bottom_mm), (-body.half_depth_mm, body.half_depth_mm + 12), (-reach, reach)
        )
        across = np.abs(voxels.lateral) / reach
        radius = across**6 + ((voxels.behind - 6) / (body.half_depth_mm + 2)) ** 4
        wing = np.abs(voxels.lateral) > body.half_width_mm - 4
        _bone(voxels, np.where(wing, radius, np.float32(9)), 10.0)


def paint_lower_sacrum(grid: SpineGrid, last: Body, size: float) -> None:
    """S3 to S5, each smaller than the one above."""
    top = last.bottom_mm
    for rank in range(3):
        scale = 0.8 ** (rank + 1)
        height = 21 * size * scale
        half_width, half_depth = last.half_width_mm * scale, last.half_depth_mm * scale**1.3
        body = Body("S", top + 1.5, top + height, half_width, half_depth, 0.0, 0.0)
        paint_body(grid, body)
        top += height


def paint_bones(grid: SpineGrid, shape: SpineShape) -> None:
    """Paint every vertebra and disc."""
    paint_sacral_wings(grid, tuple(b for b in shape.bodies if b.is_sacral))
    paint_lower_sacrum(grid, shape.bodies[-1], shape.size)
    for body in shape.bodies:
        paint_posterior(grid, body, shape.size)
        paint_body(grid, body)
    for index, disc in enumerate(shape.discs):
        paint_disc(grid, disc, index)
