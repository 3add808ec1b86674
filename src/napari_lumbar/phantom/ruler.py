"""The measures of ``scales`` read off painted labels, as a reader would with a ruler.

Points on the plane of a measure, through its place in the spine's own coordinates, are looked up in the
voxels; the share that some tissues have of them, times the area they stand for, is the measure.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..domain.geometry import FloatArray
from ..domain.spine import ConditionGroup, FindingKey, Level
from .grid import Range, SpineGrid
from .levels import SIGN
from .shape import SpineShape
from .tissue import TISSUE_OF_MATERIAL, Tissue

SAC: Final = (Tissue.CSF, Tissue.ROOTS, Tissue.CORD)
OPEN: Final = (*SAC, Tissue.EPIDURAL_FAT, Tissue.NERVE_ROOT)
#: Half thickness of a plane, and half width of the strip that a recess' depth is measured in, mm.
HALF_PLANE_MM: Final = 1.2
HALF_STRIP_MM: Final = 1.0
#: A foramen lies within this far above and below its middle; the next ones do not, mm.
WINDOW_MM: Final = 15.5
#: Distance between the points.
STEP_MM: Final = 0.3


def measured(grid: SpineGrid, shape: SpineShape, key: FindingKey) -> float:
    """The measure of a finding's condition group, mm2 or mm (see ``scales``)."""
    level, wall = shape.levels[key.level.rank], shape.disc(key.level).half_depth_mm
    side, group = key.condition.side, key.condition.group
    at_disc = _around(level.along_mm, HALF_PLANE_MM)
    if side is None:
        return 34 * 32 * _share(grid, (at_disc, (wall - 2, wall + 32), (-16, 16)), SAC)
    sign = float(SIGN[side])
    if group is ConditionGroup.SUBARTICULAR:
        strip = _around(sign * level.recesses[side].lateral_mm, HALF_STRIP_MM)
        return 23 * _share(grid, (at_disc, (wall - 3, wall + 20), strip), OPEN)
    foramen = level.foramina[side]
    plane = _around(sign * foramen.lateral_mm, HALF_PLANE_MM)
    window = _around(level.along_mm - foramen.above_mm, WINDOW_MM), (wall - 18, wall + 26), plane
    return 2 * WINDOW_MM * 44 * _share(grid, window, (Tissue.FORAMINAL_FAT,))


def share_of_sac(grid: SpineGrid, shape: SpineShape, level: Level, tissue: Tissue) -> float:
    """How much of the sac's cross-section at a disc is one tissue, 0 to 1."""
    wall, along = shape.disc(level).half_depth_mm, shape.levels[level.rank].along_mm
    window = _around(along, HALF_PLANE_MM), (wall - 2, wall + 32), (-16.0, 16.0)
    return _share(grid, window, (tissue,)) / _share(grid, window, SAC)


def _around(centre_mm: float, half_mm: float) -> Range:
    return centre_mm - half_mm, centre_mm + half_mm


def _share(grid: SpineGrid, window: tuple[Range, Range, Range], tissues: tuple[Tissue, ...]) -> float:
    """Share of tissues in a window of spine coordinates (along, behind, lateral), which the grid covers."""
    along, behind, lateral = (_points(low, high) for low, high in window)
    places = grid.curve.points_lps_mm(along[:, None, None], behind[:, None], lateral)
    x, y, z = np.moveaxis(np.rint((places - grid.origin_lps_mm) / grid.voxel_mm).astype(int), -1, 0)
    return float(np.isin(TISSUE_OF_MATERIAL[grid.materials[z, y, x]], tissues).mean())


def _points(low_mm: float, high_mm: float) -> FloatArray:
    """Middles of equal parts of a range."""
    count = int(np.ceil((high_mm - low_mm) / STEP_MM))
    return low_mm + (np.arange(count) + 0.5) * (high_mm - low_mm) / count
