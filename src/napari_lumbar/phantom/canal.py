"""The spinal canal as functions of the distance along the spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curve import FloatMap
from .shape import LevelState, SpineShape

#: AP diameter and half width of an unnarrowed sac, and fat in front of it, at the discs of
#: ``DISC_NAMES``, mm.
SAC_AP_MM = (14.5, 15.0, 15.0, 14.6, 14.3, 14.0, 12.5, 9.0)
SAC_HALF_WIDTH_MM = (8.2, 8.6, 8.8, 8.7, 8.6, 8.4, 7.6, 5.5)
FRONT_FAT_MM = (1.2, 1.2, 1.2, 1.2, 1.3, 1.6, 3.0, 4.0)
#: Half length over which a narrowed level narrows, mm.
REACH_MM = 8.5
#: Thickness of a healthy ligamentum flavum, mm.
FLAVUM_MM = 2.8


def near(along_mm: FloatMap, centre_mm: float, reach_mm: float = REACH_MM) -> FloatMap:
    """1 at a level, 0 away from it, with a flat top; shape of ``along_mm``."""
    square = ((along_mm - centre_mm) / reach_mm) ** 2
    return np.asarray(np.exp(-square * square), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal of one patient; every method maps ``along`` in mm to mm, same shape."""

    shape: SpineShape

    def _at_discs(self, along_mm: FloatMap, values: tuple[float, ...]) -> FloatMap:
        knots = [disc.centre_mm for disc in self.shape.discs]
        return np.interp(along_mm, knots, values).astype(np.float32) * np.float32(self.shape.size)

    def wall(self, along_mm: FloatMap) -> FloatMap:
        """Posterior wall of bodies and discs, behind the curve."""
        knots = [disc.centre_mm for disc in self.shape.discs]
        depths = [disc.half_depth_mm for disc in self.shape.discs]
        return np.interp(along_mm, knots, depths).astype(np.float32)

    def sac_end(self) -> float:
        """Where the thecal sac ends."""
        return self.shape.bodies[-1].top_mm + 12 * self.shape.size

    def _taper(self, along_mm: FloatMap) -> FloatMap:
        return np.asarray(np.sqrt(np.clip((self.sac_end() - along_mm) / 20, 0, 1)), dtype=np.float32)

    def narrowing(self, along_mm: FloatMap, level: LevelState) -> FloatMap:
        """How much less AP diameter the sac has here because of one level."""
        base = self._at_discs(along_mm, SAC_AP_MM)
        return np.asarray((base - level.sac_ap_mm) * near(along_mm, level.along_mm), dtype=np.float32)

    def sac_ap(self, along_mm: FloatMap) -> FloatMap:
        """AP diameter of the sac."""
        lost = sum(self.narrowing(along_mm, level) for level in self.shape.levels)
        return (self._at_discs(along_mm, SAC_AP_MM) - lost) * self._taper(along_mm)

    def sac_half_width(self, along_mm: FloatMap) -> FloatMap:
        """Half width of the sac; a narrowed sac is narrower too."""
        share = 0.75 + 0.25 * self.sac_ap(along_mm) / self._at_discs(along_mm, SAC_AP_MM)
        return self._at_discs(along_mm, SAC_HALF_WIDTH_MM) * np.clip(share, 0, 1) * self._taper(along_mm)

    def sac_front(self, along_mm: FloatMap) -> FloatMap:
        """Front of the sac, behind the curve."""
        pushed = sum(
            np.clip(self.narrowing(along_mm, level), 0, None) * level.front_share
            for level in self.shape.levels
        )
        return self.wall(along_mm) + self._at_discs(along_mm, FRONT_FAT_MM) + pushed

    def flavum_excess(self, along_mm: FloatMap) -> FloatMap:
        """0 where the ligamenta flava are thin, 1 where they fill the space behind the sac."""
        excess = np.zeros_like(along_mm)
        for level in self.shape.levels:
            tight = np.clip((12.0 - level.sac_ap_mm) / 4, 0, 1)
            excess = np.maximum(excess, tight * near(along_mm, level.along_mm))
        return excess
