"""Vertebral bodies and discs; what lies behind them is in ``paint_posterior``."""

from __future__ import annotations

import numpy as np

from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .paint_posterior import CORTEX_MM, paint_bone, paint_posterior
from .shape import Body, Disc, SpineShape
from .tissue import NUCLEUS_MATERIAL, Tissue

#: How far endplates are hollowed at their centre, mm.
ENDPLATE_HOLLOW_MM = 1.6


def paint_bones(grid: SpineGrid, shape: SpineShape) -> None:
    """Paint every vertebra and disc."""
    _paint_sacral_wings(grid, shape)
    _paint_lower_sacrum(grid, shape.bodies[-1], shape.size)
    bodies = [body for body in shape.bodies if grid.reaches((body.top_mm, body.bottom_mm))]
    for body in bodies:
        paint_posterior(grid, body, shape)
    for body in bodies:
        _paint_body(grid, body, shape.variants.wedges.get(body.name, 0.0))
    for index, disc in enumerate(shape.discs):
        if disc.is_present and grid.reaches((disc.centre_mm, disc.centre_mm)):
            _paint_disc(grid, disc, NUCLEUS_MATERIAL + index)


def marrow(body: Body) -> Tissue:
    """The tissue inside a vertebra."""
    return Tissue.SACRUM if body.is_sacral else Tissue.VERTEBRA


def outline(voxels: Voxels, half_width_mm: float, half_depth_mm: FloatMap | float) -> FloatMap:
    """Normalised radius in the cross-section of a body or disc: 1 on its border, shape (p, k)."""
    across = np.abs(voxels.lateral) / np.float32(half_width_mm)
    behind = voxels.behind / half_depth_mm
    # The posterior wall is flat to slightly hollow, the anterior one round.
    radius = across**2.6 + np.abs(behind) ** np.where(behind > 0, 3.0, 2.2)
    return np.asarray(radius, dtype=np.float32)


def _paint_body(grid: SpineGrid, body: Body, wedge: float) -> None:
    """A body with a waist, hollow endplates and a cortex; ``wedge`` of its front is broken down."""
    reach = body.half_width_mm + 2
    voxels = grid.select(
        (body.top_mm - 2, body.bottom_mm + 2),
        (-body.half_depth_mm - 2, body.half_depth_mm + 2),
        (-reach, reach),
    )
    half = body.height_mm / 2
    height = (voxels.along - body.middle_mm) / half
    waist = 0.9 + 0.1 * np.clip(height**2, 0, 1)
    radius = outline(voxels, body.half_width_mm, body.half_depth_mm) / waist**2
    hollow = ENDPLATE_HOLLOW_MM * np.clip(1 - radius, 0, 1)
    depth_mm = half - np.abs(voxels.along - body.middle_mm) - hollow
    if wedge:
        front = np.clip(0.6 - voxels.behind / body.half_depth_mm, 0, 1.6) / 1.6
        fallen = depth_mm - np.where(height < 0, wedge * body.height_mm * front, 0)
        voxels.paint((radius < 1) & (depth_mm > 0) & (fallen <= 0), Tissue.DISC_ANNULUS)
        depth_mm = fallen
    inside = (radius < 1) & (depth_mm > 0)
    voxels.paint(inside, Tissue.CORTEX)
    rim = 1 - 2.4 * CORTEX_MM / body.half_depth_mm
    voxels.paint(inside & (radius < rim) & (depth_mm > CORTEX_MM), marrow(body))


def _paint_disc(grid: SpineGrid, disc: Disc, nucleus: int) -> None:
    """Annulus and nucleus, a little wider than the bodies except behind, bulging into the endplates."""
    reach = disc.half_width_mm + 3
    half = disc.height_mm / 2
    voxels = grid.select(
        (disc.centre_mm - half - 2, disc.centre_mm + half + 2), (-reach, reach), (-reach, reach)
    )
    bulge = 1 + 0.05 * (1 + disc.wear)
    # What bulges into the canal is painted with the canal.
    depth = np.where(voxels.behind < 0, disc.half_depth_mm * bulge, disc.half_depth_mm)
    radius = outline(voxels, disc.half_width_mm * bulge, depth)
    height_mm = np.abs(voxels.along - disc.centre_mm)
    hollow = min(ENDPLATE_HOLLOW_MM, half)
    inside = (radius < 1) & (height_mm < half + hollow * np.clip(1 - radius, 0, 1) - 0.2)
    voxels.paint(inside, Tissue.DISC_ANNULUS)
    core = outline(voxels, disc.half_width_mm * 0.68, disc.half_depth_mm * 0.66)
    core = core + (height_mm / (half * 0.85)) ** 4
    voxels.paint(core < 1, nucleus)


def _paint_sacral_wings(grid: SpineGrid, shape: SpineShape) -> None:
    """The sacrum's lateral mass beside S1 and S2."""
    for body in shape.bodies:
        if body.is_sacral:
            reach = body.half_width_mm + 26
            depths = -body.half_depth_mm, body.half_depth_mm + 12
            voxels = grid.select((body.top_mm, body.bottom_mm), depths, (-reach, reach))
            across = np.abs(voxels.lateral) / reach
            radius = across**6 + ((voxels.behind - 6) / (body.half_depth_mm + 2)) ** 4
            wing = np.abs(voxels.lateral) > body.half_width_mm - 4
            wing = wing & (voxels.along > body.top_mm + 2) & (voxels.along < body.bottom_mm)
            paint_bone(voxels, np.where(wing, radius, np.float32(9)), 10.0, Tissue.SACRUM)


def _paint_lower_sacrum(grid: SpineGrid, last: Body, size: float) -> None:
    """S3 to S5, each smaller than the one above."""
    top = last.bottom_mm
    for rank in range(3):
        scale = 0.8 ** (rank + 1)
        height = 21 * size * scale
        half_width, half_depth = last.half_width_mm * scale, last.half_depth_mm * scale**1.3
        _paint_body(grid, Body("S", top + 1.5, top + height, half_width, half_depth, 0.0, 0.0, 0.0), 0.0)
        top += height
