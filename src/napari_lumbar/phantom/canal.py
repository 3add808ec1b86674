"""The spinal canal's cross-sections as functions of the distance along the spine.

A cross-section is described in halves: ``beside`` is the distance from the midline to either side, ``deep``
the distance behind the posterior wall, both in mm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray
from ..domain.spine import Side
from .curve import FIRST_MM, LAST_MM, STEP_MM, FloatMap
from .levels import CANAL_ROOM_MM, FORAMEN_MEDIAL_MM, section_fields
from .section import MARGIN_MM, HalfSection, raster, smallest
from .shape import DISC_NAMES, SpineShape

#: Cross-section of the sac between the levels, at the discs of ``DISC_NAMES``, mm2; its width over depth.
SAC_MM2: Final = (138, 138, 139, 140, 142, 146, 155, 170, 188, 192, 190, 188, 182, 150, 60)
SAC_ASPECT: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.02, 1.05, 1.1, 1.2, 1.25, 1.25, 1.25, 1.25, 1.3, 1.4)
#: Fat in front of the sac, mm.
FRONT_FAT_MM: Final = (0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 1.0, 1.2, 1.2, 1.2, 1.2, 1.2, 1.6, 3.2, 4.5)
#: Depth of the canal's free space beside the sac between the levels, mm.
SIDE_ROOM_MM: Final = 11.0
#: Area of the roots of the cauda equina at the same discs, mm2.
ROOTS_MM2: Final = (0, 0, 0, 0, 0, 0, 0, 4, 20, 42, 43, 42, 40, 36, 18)
#: Places around a level at which a section is solved, in units of its reach; and on the other side.
SOLVED_AT: Final = (0.0, 0.25, 0.45, 0.6, 0.75, 0.9, 1.05, 1.2, 1.5)
RASTER_MM: Final = 0.5


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal of one patient.

    Parameters
    ----------
    halves
        Half sections every ``STEP_MM``.
    knots_mm
        Places along the spine between which areas may be interpolated, ascending.
    sac_end_mm
        Where the sac ends.
    """

    halves: dict[Side, HalfSection]
    knots_mm: FloatArray
    sac_end_mm: float

    def half(self, side: Side, along_mm: FloatMap) -> HalfSection:
        """Half sections at places along the spine, fields of their shape."""
        return self.halves[side].at(_index(along_mm))


def _index(along_mm: FloatMap) -> npt.NDArray[np.intp]:
    last = round((LAST_MM - FIRST_MM) / STEP_MM)
    return np.clip(np.rint((along_mm - FIRST_MM) / STEP_MM), 0, last).astype(np.intp)


def near(along_mm: FloatMap, centre_mm: float, reach_mm: float) -> FloatMap:
    """1 at a level, 0 away from it, with a flat top; shape of ``along_mm``."""
    square = ((along_mm - centre_mm) / reach_mm) ** 2
    return np.asarray(np.exp(-square * square), dtype=np.float32)


def make_canal(shape: SpineShape) -> Canal:
    """Solve the canal's sections so that sac and roots have their areas."""
    along = np.arange(FIRST_MM, LAST_MM + STEP_MM, STEP_MM)
    sac_end = shape.body("S2").top_mm + 12 * shape.size + shape.variants.sac_end_mm
    halves = {side: _half(shape, side, along, sac_end) for side in Side}
    knots = _knots(shape)
    radius = np.interp(along, knots, _radii(halves, _index(knots))).astype(np.float32)
    return Canal({side: replace(half, radius=radius) for side, half in halves.items()}, knots, sac_end)


def _half(shape: SpineShape, side: Side, along: FloatArray, sac_end_mm: float) -> HalfSection:
    values = _between_levels(shape, along, sac_end_mm)
    values["near"] = np.zeros_like(along)
    for level in shape.levels:
        weight = near(along, level.along_mm, level.canal.reach_mm)
        edge = level.foramina[side].lateral_mm - FORAMEN_MEDIAL_MM
        values["edge"] = values["edge"] + (edge - values["edge"]) * weight
        for name, value in section_fields(level.canal, level.recesses[side], side).items():
            values[name] = values[name] + (value - values[name]) * weight
        values["near"] = np.maximum(values["near"], weight)
    return HalfSection(**{name: value.astype(np.float32) for name, value in values.items()})


def _between_levels(shape: SpineShape, along: FloatArray, sac_end_mm: float) -> dict[str, FloatArray]:
    """Fields of a half section without what narrows the levels, each of shape (n,)."""
    knots = [disc.centre_mm for disc in shape.discs]
    bodies = [body.middle_mm for body in shape.bodies]
    size = shape.size

    def at_discs(values: tuple[float, ...]) -> FloatArray:
        return np.interp(along, knots, values)

    def at_bodies(name: str) -> FloatArray:
        return np.interp(along, bodies, [getattr(b, name) for b in shape.bodies])

    tapering = np.clip((sac_end_mm - along) / 22, 0, 1) ** 0.8
    fat = np.where(along > shape.body("L2").bottom_mm, 1 - shape.variants.lipomatosis, 1.0)
    area = at_discs(SAC_MM2) * shape.variants.sac_share * size**1.5 * tapering * np.clip(fat, 0.4, 1)
    aspect = at_discs(SAC_ASPECT)
    half_depth = np.sqrt(area / (3.3 * aspect))
    width = at_bodies("canal_half_width_mm")
    back = np.maximum(CANAL_ROOM_MM * size, at_bodies("canal_depth_mm") - 1.5)
    front_fat = at_discs(FRONT_FAT_MM) * size
    return {
        "wall": np.interp(along, knots, [disc.half_depth_mm for disc in shape.discs]),
        "front": np.zeros_like(along),
        "front_side": np.zeros_like(along),
        "back": back,
        "back_side": np.minimum(SIDE_ROOM_MM * size, back - 1),
        "recess": np.minimum(8.4 * size, width - 2),
        "edge": width,
        "bend": np.ones_like(along),
        "middle": front_fat + half_depth,
        "shift": np.zeros_like(along),
        "aspect": aspect,
        "power": np.full_like(along, 2.1),
        "taper": np.full_like(along, 0.08),
        "sac_mm2": area,
        "roots_mm2": at_discs(ROOTS_MM2) * shape.variants.roots_share * tapering,
        "radius": half_depth,
    }


def _knots(shape: SpineShape) -> FloatArray:
    """Places where the sac's size is solved: around each level, and between the others."""
    around = [level.along_mm + s * level.canal.reach_mm for level in shape.levels for s in SOLVED_AT]
    around += [level.along_mm - s * level.canal.reach_mm for level in shape.levels for s in SOLVED_AT]
    lumbar = {level.level.value for level in shape.levels}
    others = [disc.centre_mm for disc in shape.discs if disc.name not in lumbar]
    below = shape.discs[DISC_NAMES.index("S1/S2")].centre_mm + np.array([8, 14, 20, 26, 34, 60])
    return np.unique(np.round([*around, *others, *(b.middle_mm for b in shape.bodies), *below], 2))


def _radii(halves: dict[Side, HalfSection], places: npt.NDArray[np.intp]) -> FloatArray:
    """The sac's half depth at some places, so that it has its area there, shape of ``places``."""
    beside, deep = raster(RASTER_MM)
    found = []
    for half in halves.values():
        section = half.at(places[:, None, None])
        radius = section.sac_radius(beside, deep)
        found.append(np.where(section.is_open(beside, deep, MARGIN_MM), radius, np.inf))
    return smallest(found, halves[Side.LEFT].sac_mm2[places] / RASTER_MM**2)
