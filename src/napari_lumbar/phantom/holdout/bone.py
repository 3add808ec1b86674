"""Vertebral bodies, discs and posterior elements."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..tissue import Tissue
from .cells import Cells
from .materials import FATTY_MARROW, NUCLEUS, VEIN
from .section import Floats, Mask, smooth
from .spine import Disc, Spine, Vertebra

#: 0: ellipse, 1: rounded square; outline of bodies and discs.
SQUARENESS: Final = 0.42
CORTEX_MM: Final = 0.9
WAIST: Final = 0.09
#: Height of the pedicles' middle (share of the wedge) and their half height.
PEDICLE_SHARE: Final = 0.36
PEDICLE_HALF_HEIGHT_MM: Final = 7.2


def lerp(cells: Cells, upper: float, lower: float) -> Floats:
    """A quantity that passes from one disc to the next."""
    return np.asarray(upper + (lower - upper) * cells.share, dtype=np.float32)


def posterior_wall(cells: Cells, discs: tuple[Disc, Disc]) -> Floats:
    """Posterior wall of bodies and discs at each point's x, mm behind the disc centres."""
    width = lerp(cells, discs[0].half_width_mm, discs[1].half_width_mm)
    depth = lerp(cells, discs[0].half_depth_mm, discs[1].half_depth_mm)
    across = np.minimum((cells.x / width) ** 2, 1)
    round_ = 1 - SQUARENESS
    # Solves X^4 + Y^4 + 2 (1 - squareness) X^2 Y^2 = 1 for Y.
    back = np.sqrt(np.maximum(np.sqrt((round_ * across) ** 2 + 1 - across**2) - round_ * across, 0))
    return np.asarray(depth * back, dtype=np.float32)


def paint_column(cells: Cells, spine: Spine, index: int) -> None:
    """Paint the body below disc ``index`` with the adjoining halves of its two discs."""
    discs = spine.discs[index], spine.discs[index + 1]
    waist = 1 - WAIST * 4 * cells.share * (1 - cells.share)
    width = lerp(cells, discs[0].half_width_mm, discs[1].half_width_mm)
    depth = lerp(cells, discs[0].half_depth_mm, discs[1].half_depth_mm)
    across, along = (cells.x / width) ** 2, (cells.y / depth) ** 2
    outline = (across + along) ** 2 - 2 * SQUARENESS * across * along
    bone = Tissue.SACRUM if spine.vertebrae[index].is_sacral else Tissue.VERTEBRA
    _paint_body(cells, outline / waist**4, depth, bone)
    for k, (disc, height) in enumerate(zip(discs, (cells.below, cells.above), strict=True)):
        _paint_disc(cells, disc, height, outline, NUCLEUS + index + k)


def _paint_body(cells: Cells, outline: Floats, depth: Floats, bone: Tissue) -> None:
    body = outline < 1
    cells.materials[body] = bone
    cells.materials[body & (outline > 1 - 4 * CORTEX_MM / depth)] = Tissue.CORTEX
    fan = np.abs(cells.x) < 3 + 0.5 * (cells.y - 0.4 * depth)
    vein = (np.abs(cells.share - 0.5) < 0.045) & fan & (cells.y > 0.35 * depth) & (outline < 0.75)
    if bone is Tissue.VERTEBRA:
        cells.materials[vein] = VEIN


def _paint_disc(cells: Cells, disc: Disc, height: Floats, outline: Floats, nucleus: int) -> None:
    forward = cells.y / disc.half_depth_mm
    bowl = 1.08 - 0.32 * np.minimum(outline, 1)
    half = disc.height_mm / 2 * (1 - disc.wedge / 2 * forward) * bowl
    gap = height - half
    if disc.wear > 0.75:
        cells.materials[(outline < 0.85) & (gap > 0) & (gap < 6 * (disc.wear - 0.5))] = FATTY_MARROW
    cells.materials[(outline < 1.0) & (gap > 0) & (gap < 0.9)] = Tissue.CORTEX
    inside = (gap <= 0) & (outline < 1.12)
    cells.materials[inside] = Tissue.DISC_ANNULUS
    reach = 0.68 - 0.18 * disc.wear
    core = (cells.x / disc.half_width_mm) ** 2 + (forward - 0.06) ** 2 < reach**2
    cells.materials[inside & core & (height < 0.85 * half)] = nucleus


def _solid(cells: Cells, mask: Mask, rim: Mask, material: int = Tissue.VERTEBRA) -> None:
    cells.materials[mask] = material
    cells.materials[mask & rim] = Tissue.CORTEX


def paint_arch(cells: Cells, vertebra: Vertebra, behind: Floats, height_mm: float) -> None:
    """Paint pedicles, laminae, transverse processes and the spinous process, or the sacrum's wings.

    Parameters
    ----------
    behind
        Distance behind the posterior wall, mm.
    height_mm
        Of the wedge, from disc to disc.
    """
    beside = np.abs(cells.x)
    if vertebra.is_sacral or vertebra.wing_mm > 42:
        _paint_wings(cells, vertebra, beside, behind)
    _paint_pedicles(cells, vertebra, beside, behind, height_mm)
    _paint_laminae(cells, vertebra, beside, behind)
    _paint_spinous(cells, vertebra, beside, behind, height_mm)
    if vertebra.is_lumbar and not vertebra.is_sacral:
        _paint_transverse(cells, vertebra, beside, behind, height_mm)


def _paint_wings(cells: Cells, vertebra: Vertebra, beside: Floats, behind: Floats) -> None:
    inner = vertebra.canal_half_width_mm + 1.0
    middle = -9 + 0.22 * (beside - inner)
    thick = 12.5 - 0.16 * (beside - inner)
    top = smooth((cells.below - 2 - 0.1 * beside) / 3) if vertebra.is_free_above else np.float32(1)
    depth = np.abs(behind - middle) / np.maximum(thick * top, 0.1)
    wing = (beside > inner) & (beside < vertebra.wing_mm) & (depth < 1)
    _solid(cells, wing, depth > 0.9, Tissue.SACRUM if vertebra.is_sacral else Tissue.VERTEBRA)


def _paint_pedicles(
    cells: Cells, vertebra: Vertebra, beside: Floats, behind: Floats, height_mm: float
) -> None:
    half = vertebra.pedicle_half_width_mm
    middle = vertebra.canal_half_width_mm + half + 0.08 * behind
    tall = PEDICLE_HALF_HEIGHT_MM * min(1.0, height_mm / 34)
    radius = ((beside - middle) / half) ** 2 + ((cells.share - PEDICLE_SHARE) * height_mm / tall) ** 2
    pedicle = (radius < 1) & (behind > -4) & (behind < 17)
    _solid(cells, pedicle, radius > (1 - CORTEX_MM / tall) ** 2)


def _paint_laminae(cells: Cells, vertebra: Vertebra, beside: Floats, behind: Floats) -> None:
    inner = vertebra.roof_mm + 2.6 - 0.72 * beside
    depth = behind - np.maximum(inner, 9.5)
    low = 0.86 - 0.012 * beside
    inside = (depth > 0) & (depth < 6.2) & (cells.share > 0.34 + 0.006 * (14 - beside)) & (cells.share < low)
    inside &= beside < vertebra.canal_half_width_mm + 3
    _solid(cells, inside, (depth < 1.2) | (depth > 5))


def _paint_spinous(
    cells: Cells, vertebra: Vertebra, beside: Floats, behind: Floats, height_mm: float
) -> None:
    out = behind - vertebra.roof_mm - 5
    length = 27.0 if not vertebra.is_sacral else 9.0
    middle = 0.66 + 0.006 * out
    tall = (9.5 + 0.08 * out) / height_mm
    slope = np.abs(cells.share - middle) / tall
    thick = 2.7 + 1.6 * smooth((out - length + 9) / 7)
    inside = (out > 0) & (out < length) & (beside < thick) & (slope < 1)
    _solid(cells, inside, (beside > thick - 1) | (slope > 0.88) | (out > length - 1.2))


def _paint_transverse(
    cells: Cells, vertebra: Vertebra, beside: Floats, behind: Floats, height_mm: float
) -> None:
    start = vertebra.canal_half_width_mm + vertebra.pedicle_half_width_mm
    middle = 13.5 + 0.12 * (beside - start)
    radius = ((behind - middle) / 3.4) ** 2 + ((cells.share - 0.4) * height_mm / 5.2) ** 2
    inside = (radius < 1) & (beside > start) & (beside < vertebra.wing_mm)
    _solid(cells, inside, radius > 0.55)
