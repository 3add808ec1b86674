"""From the narrowness of a level to its cross-section and its foramina."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ..scales import measure_of
from . import tables
from .foramen import Foramen, opening_of
from .section import Section, fitted

#: The patient's right first, as x grows to the left.
SIDES: Final = (Side.RIGHT, Side.LEFT)
#: Canal's middle behind the posterior wall.
CANAL_MIDDLE_MM: Final = 8.0
_ROOM_MM: Final = 1.6


@dataclass(frozen=True)
class Measures:
    """What a ruler reads at one disc: mm2, mm and mm2; pairs are (right, left)."""

    sac_mm2: float
    recess_mm: tuple[float, float]
    fat_mm2: tuple[float, float]
    squeeze: tuple[float, float] = (0.0, 0.0)


def measures_at(level: Level, narrowness: Mapping[FindingKey, float]) -> Measures:
    """The measures of a level's five findings."""

    def of(group: ConditionGroup, side: Side | None = None) -> float:
        return narrowness[FindingKey(Condition.of(group, side), level)]

    def measured(group: ConditionGroup) -> tuple[float, float]:
        right, left = (float(measure_of(group, of(group, side))) for side in SIDES)
        return right, left

    right, left = (of(ConditionGroup.FORAMINAL, side) for side in SIDES)
    return Measures(
        float(measure_of(ConditionGroup.CANAL, of(ConditionGroup.CANAL))),
        measured(ConditionGroup.SUBARTICULAR),
        measured(ConditionGroup.FORAMINAL),
        (right, left),
    )


@dataclass(frozen=True)
class Room:
    """What the bones leave at a disc.

    Parameters
    ----------
    rank
        0 (L1/L2) to 4 (L5/S1).
    size
        Of the patient, about 1.
    canal_half_width_mm
        Between the pedicles above and below: the narrower and the wider pair.
    """

    rank: int
    size: float
    canal_half_width_mm: tuple[float, float]


def make_section(rng: np.random.Generator, measures: Measures, room: Room) -> Section:
    """The cross-section with these measures."""
    size = room.size
    tight = float(np.clip((150 - measures.sac_mm2) / 110, 0, 1))
    aspect = 1.25 + 0.3 * tight + float(rng.normal(0, 0.06))
    half_depth = np.sqrt(measures.sac_mm2 / np.pi / aspect)
    from_disc = float(rng.uniform(0.3, 0.7))
    roof = 16.5 * size + float(rng.normal(0, 0.6))
    centre = CANAL_MIDDLE_MM * size + 2.4 * tight * (from_disc - 0.5)
    bulge = max(0.0, centre - half_depth - _ROOM_MM)
    flavum = max(0.0, roof - centre - half_depth - 2 * _ROOM_MM) * (0.55 + 0.45 * tight)
    # Some recesses are closed by the disc, others by the facet.
    right, left = np.clip(rng.normal(0.45, 0.15, 2), 0.15, 0.8)
    offset = float(np.clip(rng.normal(0, 0.4), -0.8, 0.8))
    section = Section(
        sac_radius_mm=0.0,
        sac_centre_mm=centre,
        aspect=aspect,
        lobes=0.08 + 0.14 * tight,
        bulge_mm=bulge,
        bulge_side=float(np.clip(rng.normal(0, 0.3), -0.7, 0.7)),
        flavum_mm=flavum * tight,
        roof_mm=roof,
        recess_lateral_mm=tables.RECESS_LATERAL_MM[room.rank] * size + offset,
        recess_depth_mm=measures.recess_mm,
        front_share=(float(right), float(left)),
        reach_mm=room.canal_half_width_mm[0],
    )
    return fitted(section, measures.sac_mm2)


def make_foramina(rng: np.random.Generator, measures: Measures, room: Room) -> tuple[Foramen, Foramen]:
    """The right and the left foramen."""
    # In all, readers' points differ by 1.2 mm at one level.
    to_side, to_back = rng.normal(0, 0.6, 2)
    right, left = (
        Foramen(
            max(float(tables.FORAMEN_LATERAL_MM[room.rank] + offset), room.canal_half_width_mm[1] + 0.8),
            float(tables.FORAMEN_BEHIND_MM[room.rank] * room.size + to_back),
            opening_of(fat, squeeze),
        )
        for fat, squeeze, offset in zip(
            measures.fat_mm2,
            measures.squeeze,
            1.4 * to_side + rng.normal(0, 0.6, 2) + (room.size - 1) * 10,
            strict=True,
        )
    )
    return right, left
