"""What some patients have: changed marrow, endplate nodes, tumours, veins, cysts."""

from __future__ import annotations

import numpy as np

from .curve import FloatMap
from .grid import SpineGrid, Voxels
from .levels import SIGN
from .shape import BODY_NAMES, DISC_NAMES, Body, SpineShape
from .tissue import HAEMANGIOMA_MATERIAL, MODIC_MATERIAL, VEIN_MATERIAL, Tissue
from .variants import Cyst, EndplateNode, Extrusion, Haemangioma, Modic

#: Where the measures of a level are taken nothing may change, mm from the disc's middle.
UNTOUCHED_MM = 2.5


def paint_marrow_variants(grid: SpineGrid, shape: SpineShape) -> None:
    """What lies in the bodies, after bone."""
    for body in shape.bodies:
        if not body.is_sacral and grid.reaches((body.top_mm, body.bottom_mm)):
            _paint_vein(grid, body, shape.size)
    for modic in shape.variants.modic:
        _paint_modic(grid, shape, modic)
    for tumour in shape.variants.haemangiomas:
        _paint_haemangioma(grid, shape.body(tumour.vertebra), tumour)
    for node in shape.variants.nodes:
        _paint_node(grid, shape, node)


def paint_canal_variants(grid: SpineGrid, shape: SpineShape) -> None:
    """Cysts behind and below the sac, and disc in front of it, after the canal."""
    if shape.variants.extrusion is not None:
        _paint_extrusion(grid, shape, shape.variants.extrusion)
    for cyst in shape.variants.synovial:
        _paint_synovial(grid, shape, cyst)
    if shape.variants.tarlov_mm is not None:
        _paint_tarlov(grid, shape, shape.variants.tarlov_mm)


def _ball(
    grid: SpineGrid, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> tuple[Voxels, FloatMap]:
    """Voxels around an ellipsoid in spine coordinates (mm), and their radius: 1 on its surface."""
    ranges = [(c - r - 1, c + r + 1) for c, r in zip(centre, radii, strict=True)]
    voxels = grid.select(*ranges)
    place = (voxels.along, voxels.behind, voxels.lateral)
    parts = [((p - c) / r) ** 2 for p, c, r in zip(place, centre, radii, strict=True)]
    return voxels, np.asarray(parts[0] + parts[1] + parts[2], dtype=np.float32)


def _paint_vein(grid: SpineGrid, body: Body, size: float) -> None:
    """The basivertebral vein enters the middle of the posterior wall."""
    centre = body.middle_mm, body.half_depth_mm - 1, 0.0
    voxels, radius = _ball(grid, centre, (1.8 * size, 7 * size, 4 * size))
    voxels.paint((radius < 1) & voxels.hold(Tissue.VERTEBRA, Tissue.CORTEX), VEIN_MATERIAL)


def _paint_modic(grid: SpineGrid, shape: SpineShape, modic: Modic) -> None:
    index = DISC_NAMES.index(modic.disc)
    disc = shape.discs[index]
    reach = modic.reach_mm + disc.height_mm / 2
    depth = disc.half_depth_mm
    # From the front or from the back.
    centre = disc.centre_mm, depth * (1 - 2 * modic.front_share) * 0.5, 0.0
    voxels, radius = _ball(grid, centre, (reach, depth * 0.9, disc.half_width_mm * 0.95))
    bone = Tissue.SACRUM if index == DISC_NAMES.index("S1/S2") else Tissue.VERTEBRA
    inside = (radius < 1) & voxels.hold(bone, Tissue.SACRUM) & (np.abs(voxels.behind) < depth)
    voxels.paint(inside, MODIC_MATERIAL + modic.kind - 1)


def _paint_haemangioma(grid: SpineGrid, body: Body, tumour: Haemangioma) -> None:
    centre = body.middle_mm + tumour.along_mm, tumour.behind_mm, tumour.lateral_mm
    voxels, radius = _ball(grid, centre, (tumour.radius_mm, tumour.radius_mm, tumour.radius_mm))
    voxels.paint((radius < 1) & voxels.hold(Tissue.VERTEBRA), HAEMANGIOMA_MATERIAL)


def _paint_node(grid: SpineGrid, shape: SpineShape, node: EndplateNode) -> None:
    disc = shape.discs[DISC_NAMES.index(node.disc)]
    along = disc.centre_mm + node.side * (disc.height_mm / 2 + 1)
    radii = node.radius_mm, node.radius_mm * 1.3, node.radius_mm * 1.3
    voxels, radius = _ball(grid, (along, node.behind_mm, node.lateral_mm), radii)
    bone = voxels.hold(Tissue.VERTEBRA, Tissue.SACRUM, Tissue.CORTEX)
    voxels.paint((radius < 1) & bone, Tissue.CORTEX)
    voxels.paint((radius < (1 - 1 / node.radius_mm) ** 2) & bone, Tissue.DISC_ANNULUS)


def _paint_synovial(grid: SpineGrid, shape: SpineShape, cyst: Cyst) -> None:
    """Between joint and lamina, where it takes no room from sac or recess."""
    level = next(level for level in shape.levels if level.level is cyst.level)
    recess = level.recesses[cyst.side]
    behind = shape.disc(cyst.level).half_depth_mm + recess.back_mm + cyst.radius_mm + 1
    centre = level.along_mm + 2, behind, float(SIGN[cyst.side]) * recess.lateral_mm
    voxels, radius = _ball(grid, centre, (cyst.radius_mm, cyst.radius_mm, cyst.radius_mm))
    around = voxels.hold(Tissue.LIGAMENTUM_FLAVUM, Tissue.FACET, Tissue.CORTEX, Tissue.VERTEBRA)
    voxels.paint((radius < 1) & around, Tissue.LIGAMENT)
    voxels.paint((radius < (1 - 0.8 / cyst.radius_mm) ** 2) & around, Tissue.JOINT_FLUID)


def _paint_tarlov(grid: SpineGrid, shape: SpineShape, radius_mm: float) -> None:
    """A sacral root's cyst, below the sac's end."""
    body = shape.bodies[BODY_NAMES.index("S2")]
    centre = body.top_mm + 0.55 * body.height_mm, body.half_depth_mm + radius_mm * 0.7, 0.6 * radius_mm
    voxels, radius = _ball(grid, centre, (1.3 * radius_mm, radius_mm, radius_mm))
    sac = voxels.hold(Tissue.CSF, Tissue.ROOTS)
    voxels.paint((radius < 1) & ~sac, Tissue.JOINT_FLUID)


def _paint_extrusion(grid: SpineGrid, shape: SpineShape, extrusion: Extrusion) -> None:
    """A tongue of disc along the posterior wall; at the disc itself it takes no room."""
    disc = shape.disc(extrusion.level)
    middle = disc.centre_mm + extrusion.toward * (disc.height_mm / 2 + extrusion.length_mm / 2)
    centre = middle, disc.half_depth_mm + 0.3 * extrusion.thick_mm, extrusion.lateral_mm
    voxels, radius = _ball(grid, centre, (0.7 * extrusion.length_mm, extrusion.thick_mm, 5.5))
    soft = voxels.hold(Tissue.EPIDURAL_FAT, Tissue.CSF, Tissue.ROOTS, Tissue.NERVE_ROOT)
    beyond = (voxels.along - disc.centre_mm) * extrusion.toward > UNTOUCHED_MM
    voxels.paint((radius < 1) & soft & beyond, Tissue.DISC_ANNULUS)
