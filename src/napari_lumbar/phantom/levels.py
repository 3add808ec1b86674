"""What narrows each level of a spine, and how.

The measures of ``scales`` are given; what is drawn here is by what they come about: disc, facet joint or
ligamentum flavum, and the shapes that the same measure can have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from ..domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from .config import FrontFat
from .foramen import ForamenState, solved
from .scales import measure_of
from .section import MARGIN_MM, HalfSection, raster
from .tissue import Tissue

#: The patient's left is +x in DICOM LPS.
SIGN: Final = {Side.LEFT: np.float32(1), Side.RIGHT: np.float32(-1)}
#: Where RSNA readers put the foramen, mm from the midline, L1/L2 .. L5/S1; and the lateral recess.
FORAMEN_LATERAL_MM: Final = (14.6, 15.2, 16.0, 17.0, 18.3)
RECESS_LATERAL_MM: Final = (8.8, 8.4, 8.0, 7.8, 8.2)
#: Foramen behind the body's posterior wall, and above the disc, mm.
FORAMEN_BEHIND_MM: Final = (6.1, 5.3, 4.1, 1.4, -0.9)
FORAMEN_ABOVE_MM: Final = 6.0
#: Readers mark it this far in front of its middle, mm (RSNA tables, beside their canal points).
FORAMEN_MARKED_MM: Final = (0.6, 0.9, 1.1, 1.7, 2.4)
#: No canal is deeper than this between disc and lamina, mm.
DEEPEST_CANAL_MM: Final = 30.0
#: Half height and half depth of a healthy foramen, mm; the same fat fills a small one and is tight in a large
#: one, so that it has to be measured.
FORAMEN_HALF_HEIGHT_MM: Final = (7.8, 11.2)
FORAMEN_HALF_DEPTH_MM: Final = (4.4, 7.2)
#: What lies between a foramen's fat and its bones, behind and in front.
FORAMEN_BEHIND: Final = (Tissue.FACET, Tissue.FACET, Tissue.LIGAMENTUM_FLAVUM, Tissue.VERTEBRA)
FORAMEN_FRONT: Final = (Tissue.VERTEBRA, Tissue.VERTEBRA, Tissue.DISC_ANNULUS, Tissue.LIGAMENT)
#: Disc to facet in an unnarrowed recess, and disc to flavum on the midline, mm.
RECESS_ROOM_MM: Final = 9.6
CANAL_ROOM_MM: Final = 16.5
#: Fat in front of the sac, L1/L2 .. L5/S1, mm; how far the share of it varies, and how it goes with a narrow
#: sac: with an exponent of 0 it stays, with 1 it shrinks like the sac. From fat that was always thin,
#: networks that grade the canal learnt to take all that lies between disc and flavum for the sac.
FRONT_FAT_MM: Final = (1.2, 1.2, 1.2, 1.6, 3.0)
FRONT_FAT_SHARE: Final = MappingProxyType({"even": (0.6, 1.3), "varied": (0.3, 1.9)})
FRONT_FAT_SHRINKS: Final = (0.0, 1.0)
#: A foramen's medial end, mm medial of its middle.
FORAMEN_MEDIAL_MM: Final = 3.5
#: Area of a superellipse as a share of its bounding box.
FILLING: Final = 0.82
#: The canal's free area as a multiple of the sac's, at least; and the raster it is counted on, mm.
SPARE_ROOM: Final = 1.12
FREE_RASTER_MM: Final = 0.6


@dataclass(frozen=True)
class RecessState:
    """One lateral recess at its disc: from ``front_mm`` behind the posterior wall it is open for a depth."""

    depth_mm: float
    lateral_mm: float
    front_mm: float
    facet_share: float

    @property
    def back_mm(self) -> float:
        """Where facet or flavum begins, behind the posterior wall."""
        return self.front_mm + self.depth_mm


@dataclass(frozen=True)
class CanalState:
    """The canal at its disc, millimetres behind the posterior wall.

    Parameters
    ----------
    sac_mm2
        Cross-section of the dural sac.
    front_mm, back_mm
        Disc and flavum on the midline.
    middle_mm
        Where the sac lies; ``shift_mm`` is how far it lies to the patient's left.
    aspect, power, taper
        The sac's shape: width over depth; 2 for an ellipse, more for a box; narrower dorsally.
    bend
        How the flavum runs from midline to recess: 1 straight, below 1 bulging inwards.
    reach_mm
        Half length over which the level is narrowed.
    """

    sac_mm2: float
    front_mm: float
    back_mm: float
    middle_mm: float
    shift_mm: float
    aspect: float
    power: float
    taper: float
    bend: float
    reach_mm: float


@dataclass(frozen=True)
class LevelState:
    """One level; sides are the patient's."""

    level: Level
    along_mm: float
    canal: CanalState
    foramina: Mapping[Side, ForamenState]
    recesses: Mapping[Side, RecessState]


@dataclass(frozen=True)
class Room:
    """What a level offers: size of the patient, height between the pedicles, how wide they stand, and fat."""

    size: float
    between_pedicles_mm: float
    wide_mm: float
    pedicle_mm: float
    front_fat: FrontFat = "varied"


def draw_level(
    rng: np.random.Generator,
    level: Level,
    along_mm: float,
    narrowness: Mapping[FindingKey, float],
    room: Room,
) -> LevelState:
    """Draw one level with this narrowness (grades).

    Parameters
    ----------
    along_mm
        The disc's place.
    room
        The bones around it.
    """

    def measure(group: ConditionGroup, side: Side | None = None) -> float:
        return float(measure_of(group, narrowness[FindingKey(Condition.of(group, side), level)]))

    recess_mm = RECESS_LATERAL_MM[level.rank] * room.size + 0.7 * room.wide_mm
    recess_mm = float(np.clip(recess_mm + rng.normal(0, 0.8), 5.5, 11.5))
    recesses = {
        side: _recess(rng, measure(ConditionGroup.SUBARTICULAR, side), recess_mm, room.size) for side in Side
    }
    foramen_mm = FORAMEN_LATERAL_MM[level.rank] * room.size + room.wide_mm + 0.6 * room.pedicle_mm
    foramen_mm += rng.normal(0, 1.2)
    foramina = {
        side: _foramen(
            rng,
            measure(ConditionGroup.FORAMINAL, side),
            max(float(foramen_mm + rng.normal(0, 0.8)), recesses[side].lateral_mm + 5),
            level,
            room,
        )
        for side in Side
    }
    canal = _canal(rng, measure(ConditionGroup.CANAL), recesses, level, room)
    return LevelState(level, along_mm, canal, foramina, recesses)


def _recess(rng: np.random.Generator, depth_mm: float, lateral_mm: float, size: float) -> RecessState:
    lost = max(RECESS_ROOM_MM * size**0.5 - depth_mm, 0.0)
    # Disc, facet joint, flavum, or all of them.
    disc = float(rng.choice([0.75, 0.15, 0.25, 0.5]) + rng.normal(0, 0.07))
    front = rng.uniform(0.0, 0.5) + lost * np.clip(disc, 0, 0.9)
    lateral = lateral_mm + rng.normal(0, 0.35)
    return RecessState(depth_mm, float(lateral), float(front), float(rng.uniform(0, 1)))


def _foramen(
    rng: np.random.Generator, fat_mm2: float, lateral_mm: float, level: Level, room: Room
) -> ForamenState:
    size = room.size
    half_height = rng.uniform(*FORAMEN_HALF_HEIGHT_MM) * size
    return solved(
        ForamenState(
            fat_mm2,
            lateral_mm,
            above_mm=FORAMEN_ABOVE_MM * size + float(rng.normal(0, 0.8)),
            behind_mm=FORAMEN_BEHIND_MM[level.rank] * size + float(rng.normal(0, 1.2)),
            half_height_mm=float(min(half_height, room.between_pedicles_mm / 2 + 0.5)),
            half_depth_mm=float(rng.uniform(*FORAMEN_HALF_DEPTH_MM)) * size,
            squeeze=float(rng.uniform(-1, 1)),
            front_share=float(rng.beta(1.2, 1.2)),
            facet_at_mm=float(rng.uniform(-3, 6)),
            root_size=size**0.5 * float(rng.normal(1, 0.1)),
            keyhole=float(rng.uniform(0, 0.55)),
            behind=FORAMEN_BEHIND[rng.integers(len(FORAMEN_BEHIND))],
            front=FORAMEN_FRONT[rng.integers(len(FORAMEN_FRONT))],
            rim=float(rng.choice([0.0, 0.12, 0.2])),
            narrowest_mm=float(rng.uniform(1.8, 6.0)),
            widens_mm=float(rng.uniform(3.0, 12.0)),
        )
    )


def _canal(
    rng: np.random.Generator, sac_mm2: float, recesses: Mapping[Side, RecessState], level: Level, room: Room
) -> CanalState:
    tight = float(np.clip((150 - sac_mm2) / 110, 0, 1))
    disc = float(np.clip(rng.beta(1.1, 1.1), 0.05, 0.95))
    aspect = rng.uniform(1.1, 1.5) * (1 + tight * (0.5 * disc - 0.25 * (1 - disc)))
    half_depth = np.sqrt(sac_mm2 / (4 * FILLING * aspect))
    # Closed recesses leave the sac less width.
    widest = float(
        np.mean([r.lateral_mm - 1.2 + 0.55 * np.clip(r.depth_mm - 1, 0, 6) for r in recesses.values()])
    )
    half_width = min(aspect * half_depth, widest)
    half_depth = sac_mm2 / (4 * FILLING * half_width)
    fat = _front_fat_mm(rng, sac_mm2, level, room)
    depth = max(CANAL_ROOM_MM * room.size * rng.normal(1, 0.05), 2 * half_depth + fat + rng.uniform(0.6, 3))
    spare = depth - 2 * half_depth - fat
    # What the sac has lost, disc, flavum and fat behind it have gained.
    fat_behind = min(spare, rng.uniform(0.6, 2.5) + rng.uniform(0, 0.7) * spare)
    pushed = spare - fat_behind
    front = rng.uniform(0, 0.5) + pushed * disc
    shift = 0.12 * (recesses[Side.LEFT].depth_mm - recesses[Side.RIGHT].depth_mm) + rng.normal(0, 0.3)
    state = CanalState(
        sac_mm2=sac_mm2,
        front_mm=float(front),
        back_mm=float(depth - pushed * (1 - disc)),
        middle_mm=float(front + fat + half_depth),
        shift_mm=float(np.clip(shift, -1.3, 1.3)),
        aspect=float(half_width / half_depth),
        power=float(rng.uniform(1.9, 2.6)),
        taper=float(rng.uniform(0, 0.35) + 0.25 * tight * (1 - disc)),
        bend=float(rng.uniform(0.85, 1.3) - 0.35 * tight * (1 - disc)),
        reach_mm=float(rng.uniform(6.5, 10)),
    )
    return _roomy(state, recesses)


def _front_fat_mm(rng: np.random.Generator, sac_mm2: float, level: Level, room: Room) -> float:
    """How much fat lies between the disc and a sac."""
    usual = FRONT_FAT_MM[level.rank] * room.size * rng.uniform(*FRONT_FAT_SHARE[room.front_fat])
    shrinks = 1.0 if room.front_fat == "even" else rng.uniform(*FRONT_FAT_SHRINKS)
    return float(usual * np.clip(sac_mm2 / 140, 0.15, 1) ** shrinks)


def _roomy(state: CanalState, recesses: Mapping[Side, RecessState]) -> CanalState:
    """The canal made so deep that the sac fits between disc, flavum and what fills the recesses.

    Between closed recesses a wide sac does not fit, however deep the canal: then it is as wide as it may.
    """
    while (free_mm2 := _free_mm2(state, recesses)) < SPARE_ROOM * state.sac_mm2:
        if state.back_mm > DEEPEST_CANAL_MM:
            return replace(state, sac_mm2=free_mm2 / SPARE_ROOM)
        state = replace(state, back_mm=state.back_mm + 0.6)
    return state


def _free_mm2(state: CanalState, recesses: Mapping[Side, RecessState]) -> float:
    """Area that the sac may take."""
    beside, deep = raster(FREE_RASTER_MM)
    cells = 0
    for side, recess in recesses.items():
        values = dict.fromkeys((f.name for f in fields(HalfSection)), 0.0)
        values |= {**section_fields(state, recess, side), "edge": recess.lateral_mm + 1.5}
        section = HalfSection(**{name: np.array(value) for name, value in values.items()})
        cells += int(section.is_open(beside, deep, MARGIN_MM).sum())
    return cells * FREE_RASTER_MM**2


def section_fields(canal: CanalState, recess: RecessState, side: Side) -> dict[str, float]:
    """What a level says about the fields of ``HalfSection`` at its disc."""
    return {
        "front": canal.front_mm,
        "front_side": recess.front_mm,
        "back": canal.back_mm,
        "back_side": recess.back_mm,
        "recess": recess.lateral_mm,
        "bend": canal.bend,
        "middle": canal.middle_mm,
        "shift": canal.shift_mm * float(SIGN[side]),
        "aspect": canal.aspect,
        "power": canal.power,
        "taper": canal.taper,
        "sac_mm2": canal.sac_mm2,
    }
