"""The roots of the cauda equina: strands within the sac that together keep their area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..domain.geometry import FloatArray
from ..domain.spine import Side
from .canal import Canal
from .curve import FloatMap
from .levels import SIGN
from .section import HalfSection, smallest
from .shape import SpineShape

#: Cells along a quarter of the raster on which areas are counted, and how far it reaches in units of the sac.
RASTER: Final = 12
REACH: Final = 1.35
#: A root leaves its strand's place over this stretch above its exit, mm.
DRIFT_MM: Final = 45.0
#: A root leaves the sac this far below the disc above its foramen, mm.
EXIT_BELOW_MM: Final = 12.0


@dataclass(frozen=True)
class Strand:
    """One root: its place in the sac as shares of half width and half depth, its thickness, its exit."""

    across: float
    up: float
    thickness: float
    side: float
    exit_mm: float


def draw_strands(shape: SpineShape, canal: Canal, rng: np.random.Generator) -> tuple[Strand, ...]:
    """Pairs of roots, one for each exit, settled dorsally."""
    exits = [level.along_mm + EXIT_BELOW_MM for level in shape.levels]
    settled = rng.uniform(-0.1, 0.3)
    return tuple(
        Strand(
            sign * float(rng.uniform(0.08, 0.62)),
            float(np.clip(rng.normal(settled, 0.3), -0.6, 0.7)),
            float(rng.uniform(0.7, 1.3)),
            sign,
            exit_mm,
        )
        for exit_mm in (*exits, canal.sac_end_mm, canal.sac_end_mm)
        for sign in (-1.0, 1.0)
    )


def strand_distance(
    strands: tuple[Strand, ...], section: HalfSection, side: Side, place: tuple[FloatMap, FloatMap, FloatMap]
) -> FloatMap:
    """Distance to the nearest strand as a multiple of its thickness.

    ``place`` is (along, beside, deep) in mm; its arrays and the section's broadcast.
    """
    along, beside, deep = place
    half_width = section.radius * section.aspect
    best = np.full(np.broadcast_shapes(along.shape, beside.shape, deep.shape), np.inf, np.float32)
    for strand in strands:
        drift = np.clip(1 - (strand.exit_mm - along) / DRIFT_MM, 0, 1)
        across = strand.across + (0.8 * strand.side - strand.across) * drift
        up = strand.up + (-0.1 - strand.up) * drift
        shift = section.shift + float(SIGN[side]) * across * half_width
        aside, up = beside - shift, deep - section.middle - up * section.radius
        square = (aside * aside + up * up) / strand.thickness**2
        np.minimum(best, np.where(along < strand.exit_mm, square, np.inf), out=best)
    return np.sqrt(best)


def strand_radius(strands: tuple[Strand, ...], canal: Canal) -> FloatArray:
    """Radius of a strand of thickness 1 at ``canal.knots_mm``, so that together they have their area."""
    along = canal.knots_mm.astype(np.float32)[:, None, None]
    cells = (np.arange(RASTER, dtype=np.float32) + 0.5) / RASTER * REACH
    found = []
    for side in Side:
        section = canal.half(side, along)
        # A raster as large as the sac.
        beside = cells * section.radius * section.aspect
        deep = section.middle + np.concatenate([-cells[::-1], cells])[:, None] * section.radius
        distance = strand_distance(strands, section, side, (along, beside, deep))
        found.append(np.where(section.is_sac(beside, deep), distance, np.inf))
    cell_mm2 = section.radius**2 * section.aspect * (REACH / RASTER) ** 2
    return smallest(found, (section.roots_mm2 / np.maximum(cell_mm2, 1e-3))[:, 0, 0])
