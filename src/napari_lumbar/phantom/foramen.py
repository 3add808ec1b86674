"""The opening of a neural foramen in a sagittal plane.

Coordinates are millimetres from the middle of the healthy opening: ``height`` caudally, ``depth`` dorsally.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .curve import FloatMap
from .grid import Mask
from .tissue import Tissue

#: Middle of the root above the middle of the healthy opening, and the root's half axes, mm.
ROOT_ABOVE_MM = 2.6
ROOT_HALF_HEIGHT_MM = 3.0
ROOT_HALF_DEPTH_MM = 2.4
#: Raster on which areas are counted, and openings that are tried, as shares of a healthy one.
RASTER_MM = 0.4
OPENINGS = np.concatenate([np.linspace(0.04, 1, 21), np.linspace(1.12, 2.2, 6)])


@dataclass(frozen=True)
class ForamenState:
    """One foramen.

    Parameters
    ----------
    fat_mm2
        Area of the fat around the root in the middle sagittal plane.
    lateral_mm, above_mm, behind_mm
        Middle of the healthy opening: from the midline, above the disc, behind the posterior wall.
    half_height_mm, half_depth_mm
        Of the healthy opening.
    squeeze
        -1: it narrows from front to back; 1: from top to bottom.
    front_share
        How much of what fills it is disc; the rest is facet.
    facet_at_mm
        Height at which the facet protrudes.
    keyhole
        How much narrower the opening is below than above.
    behind, front
        What fills the room between opening and bone behind the middle, and in front of it above the disc.
    rim
        Thickness of the cortex around the opening, as a share of a healthy one.
    narrowest_mm, widens_mm
        Half the length over which it is narrowest, and the length over which it widens beyond.
    opening
        Size as a share of the healthy one, so that the fat has its area.
    """

    fat_mm2: float
    lateral_mm: float
    above_mm: float
    behind_mm: float
    half_height_mm: float
    half_depth_mm: float
    squeeze: float
    front_share: float
    facet_at_mm: float
    root_size: float
    keyhole: float = 0.3
    behind: Tissue = Tissue.FACET
    front: Tissue = Tissue.VERTEBRA
    rim: float = 0.16
    narrowest_mm: float = 2.2
    widens_mm: float = 4.0
    opening: float = 1.0

    @property
    def middle_mm(self) -> float:
        """Height of the middle of the opening as it is; the root is the last to lose its place."""
        return -ROOT_ABOVE_MM * (1 - min(self.opening, 1.0))

    def is_open(self, height_mm: FloatMap, depth_mm: FloatMap, opening: FloatMap) -> Mask:
        """Whether places lie in an opening of this kind; the three arrays broadcast."""
        # The pedicles do not give way.
        half_height = self.half_height_mm * np.minimum(opening ** (1 + 0.5 * self.squeeze), 1.1)
        half_depth = self.half_depth_mm * opening ** (1 - 0.5 * self.squeeze)
        closed = np.clip(1 - opening, 0, 1)
        high = (height_mm + ROOT_ABOVE_MM * closed) / half_height
        deep = depth_mm / (half_depth * (1 - self.keyhole * np.clip(high, 0, 1)))
        dent = 1.1 * self.half_depth_mm * closed
        disc = dent * self.front_share * np.exp(-(((height_mm - self.above_mm) / 5) ** 2))
        facet = dent * (1 - self.front_share) * np.exp(-(((height_mm - self.facet_at_mm) / 5) ** 2))
        free = (depth_mm > disc - half_depth) & (depth_mm < half_depth - facet)
        return (high * high + deep * deep < 1) & free

    def root_radius(
        self, height_mm: FloatMap, depth_mm: FloatMap, squeezed: FloatMap | float = 1.0
    ) -> FloatMap:
        """1 on the border of the root, which a tight opening flattens where ``squeezed`` is 1."""
        flat = 1 - (1 - float(np.clip(0.5 + 0.5 * self.fat_mm2 / 45, 0.5, 1))) * squeezed
        high = flat if self.squeeze > 0 else 1.0
        deep = 1.0 if self.squeeze > 0 else flat
        up = (height_mm + ROOT_ABOVE_MM) / (ROOT_HALF_HEIGHT_MM * self.root_size * high)
        back = depth_mm / (ROOT_HALF_DEPTH_MM * self.root_size * deep)
        return np.asarray(up * up + back * back, dtype=np.float32)


def solved(state: ForamenState) -> ForamenState:
    """The foramen with the opening that leaves its fat the area it should have."""
    height = np.arange(-14, 14, RASTER_MM, dtype=np.float32)[:, None]
    depth = np.arange(-15, 15, RASTER_MM, dtype=np.float32)
    inside = state.is_open(height, depth, OPENINGS[:, None, None].astype(np.float32))
    fat = inside & (state.root_radius(height, depth) >= 1)
    areas = np.maximum.accumulate(fat.sum(axis=(1, 2)) * RASTER_MM**2)
    first = int(np.searchsorted(areas, areas[areas <= 0.5].max(initial=0.0), side="right")) - 1
    places = slice(max(first, 0), None)
    return replace(state, opening=float(np.interp(state.fat_mm2, areas[places], OPENINGS[places])))
