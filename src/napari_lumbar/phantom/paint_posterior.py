"""Pedicles, laminae, processes and pillars of the vertebrae."""

from __future__ import annotations

import numpy as np

from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .shape import PEDICLE_BOTTOM, PEDICLE_TOP, Body, SpineShape
from .tissue import Tissue

#: Thickness of cortical bone and endplates, mm (thicker than life: it must survive sampling).
CORTEX_MM = 1.1
#: Slope of the laminae from the midline.
LAMINA_SLOPE = 0.45


def paint_bone(voxels: Voxels, radius: FloatMap, half_thickness_mm: float, marrow: Tissue) -> None:
    """Marrow within a cortex; ``radius`` is 1 on the surface of a part this thick."""
    voxels.paint(radius < 1, Tissue.CORTEX)
    voxels.paint(radius < (1 - CORTEX_MM / half_thickness_mm) ** 2, marrow)


def paint_posterior(grid: SpineGrid, body: Body, shape: SpineShape) -> None:
    """Everything behind one body; a surgeon may have taken lamina and spinous process."""
    size = shape.size
    _pedicles(grid, body, size)
    if body.name not in shape.variants.laminectomy:
        _lamina(grid, body)
        if not body.is_sacral:
            _spinous(grid, body, size)
    if not body.is_sacral:
        _pillars(grid, body, size)
        if body.name == "L5" and shape.variants.transitional == "sacralised":
            _fused_transverse(grid, body, size)
        else:
            _transverse(grid, body, size)


def _marrow(body: Body) -> Tissue:
    return Tissue.SACRUM if body.is_sacral else Tissue.VERTEBRA


def _pedicles(grid: SpineGrid, body: Body, size: float) -> None:
    half = body.pedicle_half_width_mm
    centre = body.canal_half_width_mm + half
    along = body.top_mm + (PEDICLE_TOP + PEDICLE_BOTTOM) / 2 * body.height_mm
    half_height = (PEDICLE_BOTTOM - PEDICLE_TOP) / 2 * body.height_mm
    depth = body.half_depth_mm
    voxels = grid.select(
        (along - half_height, along + half_height),
        (depth - 5, depth + 15 * size),
        (-centre - half, centre + half),
    )
    across = (np.abs(voxels.lateral) - centre) / half
    radius = across**2 + ((voxels.along - along) / half_height) ** 2
    paint_bone(voxels, radius, min(half, half_height), _marrow(body))


def _lamina(grid: SpineGrid, body: Body) -> None:
    roof = body.half_depth_mm + body.canal_depth_mm
    reach = body.canal_half_width_mm + 3
    centre = body.bottom_mm - 0.22 * body.height_mm
    half = 0.36 * body.height_mm
    voxels = grid.select((centre - half, centre + half), (roof - 10, roof + 10), (-reach, reach))
    inner = roof - LAMINA_SLOPE * np.abs(voxels.lateral)
    # Shingled: the lower edge lies further behind.
    middle = inner + 3.4 + 0.12 * (voxels.along - centre)
    radius = ((voxels.behind - middle) / 3.0) ** 2 + ((voxels.along - centre) / half) ** 4
    paint_bone(voxels, radius, 3.0, _marrow(body))


def _spinous(grid: SpineGrid, body: Body, size: float) -> None:
    start = body.half_depth_mm + body.canal_depth_mm + 3
    length = 27 * size
    centre = body.bottom_mm - 0.2 * body.height_mm
    half = 0.40 * body.height_mm
    voxels = grid.select((centre - 1.2 * half, centre + 1.5 * half), (start, start + length), (-4.5, 4.5))
    droop = centre + 0.12 * (voxels.behind - start)
    out = (voxels.behind - start - length / 2) / (length / 2)
    radius = (voxels.lateral / 4.2) ** 2 + ((voxels.along - droop) / half) ** 4 + np.clip(out, 0, 1) ** 6
    paint_bone(voxels, radius, 4.2, Tissue.VERTEBRA)


def _transverse(grid: SpineGrid, body: Body, size: float) -> None:
    inner = body.canal_half_width_mm + body.pedicle_half_width_mm
    outer = inner + 22 * size
    along = body.top_mm + 0.3 * body.height_mm
    depth = body.half_depth_mm + 7 * size
    voxels = grid.select((along - 6, along + 6), (depth - 4, depth + 12), (-outer, outer))
    far = np.abs(voxels.lateral)
    middle = depth + 0.22 * (far - inner)
    radius = ((voxels.along - along) / 5) ** 2 + ((voxels.behind - middle) / 3.4) ** 2
    paint_bone(voxels, np.where(far > inner - 2, radius, np.float32(9)), 3.4, Tissue.VERTEBRA)


def _fused_transverse(grid: SpineGrid, body: Body, size: float) -> None:
    """Broad processes that have grown together with the sacral wings below."""
    inner = body.canal_half_width_mm + 2 * body.pedicle_half_width_mm
    outer = inner + 26 * size
    top, bottom = body.top_mm + 0.1 * body.height_mm, body.bottom_mm + 8 * size
    voxels = grid.select((top, bottom), (-8, body.half_depth_mm + 14), (-outer, outer))
    far = np.abs(voxels.lateral)
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    radius = ((voxels.along - middle) / half) ** 6 + ((voxels.behind - 10 * size) / (10 * size)) ** 4
    # They begin beside the foramen, which stays open.
    paint_bone(voxels, np.where(far > inner + 3, radius, np.float32(9)), 9.0, Tissue.VERTEBRA)


def _pillars(grid: SpineGrid, body: Body, size: float) -> None:
    """The columns of bone between the upper and the lower joints."""
    centre, depth = body.canal_half_width_mm + 4 * size, body.half_depth_mm + 17 * size
    top, bottom = body.top_mm + 0.1 * body.height_mm, body.bottom_mm
    reach = centre + 7
    voxels = grid.select((top, bottom), (depth - 7, depth + 7), (-reach, reach))
    across = (np.abs(voxels.lateral) - centre) / (5.2 * size)
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    radius = across**2 + ((voxels.behind - depth) / (4.6 * size)) ** 2
    paint_bone(voxels, radius + ((voxels.along - middle) / half) ** 8, 4.6, Tissue.VERTEBRA)
