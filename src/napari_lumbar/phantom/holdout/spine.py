"""The numbers of one patient's spine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from ...domain.geometry import FloatArray
from ...domain.spine import FindingKey, Level
from . import tables
from .config import TestPhantomConfig, Transition
from .foramen import Foramen
from .frames import Frame, chain
from .narrow import Measures, Room, make_foramina, make_section, measures_at
from .section import Section

#: Index of the disc under the last rib-bearing vertebra.
FIRST_LUMBAR: Final = tables.N_THORACIC
TRANSITION_SHARE: Final = 0.03
_THORACIC: Final = Measures(165.0, (8.0, 8.0), (110.0, 110.0))
#: The sac ends in the sacrum.
_SACRAL: Final = tuple(Measures(area, (8.0, 8.0), (110.0, 110.0)) for area in (95.0, 22.0, 2.0, 1.0))


@dataclass(frozen=True, eq=False)
class Disc:
    """A disc and the canal at its height.

    Parameters
    ----------
    name
        By the count from the lowest mobile disc, which is L5/S1.
    frame
        Left, back, up, from the disc's centre; in the patient frame.
    height_mm, half_width_mm, half_depth_mm
        Size; ``wedge`` is how much taller the front is, as a share of the height.
    wear
        0 (young) to 1 (dark and flat).
    foramina
        (right, left).
    facet_lateral_mm, facet_size
        Place and growth of the joints.
    """

    name: str
    frame: Frame
    height_mm: float
    wedge: float
    half_width_mm: float
    half_depth_mm: float
    wear: float
    section: Section
    foramina: tuple[Foramen, Foramen]
    facet_lateral_mm: float
    facet_size: float


@dataclass(frozen=True)
class Vertebra:
    """The vertebra below the disc of the same index; lengths in mm.

    Parameters
    ----------
    roof_mm
        Posterior wall to the laminae.
    wing_mm
        Reach of the transverse processes, or of the sacrum's wings, to the side.
    """

    canal_half_width_mm: float
    pedicle_half_width_mm: float
    roof_mm: float
    wing_mm: float
    is_sacral: bool
    is_lumbar: bool
    is_free_above: bool


@dataclass(frozen=True, eq=False)
class Spine:
    """Discs from cranial to caudal, and the vertebra below each but the last.

    Parameters
    ----------
    last
        Index of the lowest mobile disc.
    conus
        Where the cord ends, counted in discs from the first one.
    """

    discs: tuple[Disc, ...]
    vertebrae: tuple[Vertebra, ...]
    size: float
    last: int
    conus: float

    def at(self, level: Level) -> Disc:
        """The disc of a level."""
        return self.discs[self.last - 4 + level.rank]

    @property
    def named(self) -> tuple[Disc, ...]:
        """T12/L1 .. L5/S1."""
        return self.discs[self.last - 5 : self.last + 1]


def drawn_transition(rng: np.random.Generator, wanted: Transition | None) -> Transition:
    """The kind of lumbosacral junction."""
    draw = rng.uniform()
    if wanted is not None:
        return wanted
    if draw < TRANSITION_SHARE:
        return "l6"
    return "sacralised" if draw < 2 * TRANSITION_SHARE else "none"


def make_spine(
    rng: np.random.Generator, narrowness: Mapping[FindingKey, float], config: TestPhantomConfig
) -> Spine:
    """Draw one patient's spine that is as narrow as asked for."""
    transition = drawn_transition(rng, config.transitional)
    size = float(np.clip(rng.normal(1, 0.055), 0.87, 1.13))
    count = tables.N_LUMBAR + (transition == "l6")
    last = FIRST_LUMBAR + count
    steps = tables.with_lumbar(tables.STEP_MM, count, FIRST_LUMBAR) * size
    steps *= rng.normal(1, 0.025, len(steps))
    frames = chain(steps, _angles(rng, count, config), last - 2)
    wear = np.clip(rng.uniform(0.05, 0.95) + rng.normal(0, 0.22, len(frames)), 0, 1)
    parts = zip(
        frames, _rows(count, size, wear), _all_measures(last, narrowness), _rooms(count, size), strict=True
    )
    discs = [_disc(rng, *part, index - last) for index, part in enumerate(parts)]
    if transition == "sacralised":
        discs[last] = _rudimentary(discs[last])
    vertebrae = _vertebrae(count, size, transition)
    conus = FIRST_LUMBAR + float(rng.normal(0.7, 0.35))
    return Spine(tuple(discs), vertebrae, size, last, conus)


def _all_measures(last: int, narrowness: Mapping[FindingKey, float]) -> list[Measures]:
    levels = [measures_at(level, narrowness) for level in Level]
    return [*[_THORACIC] * (last - 4), *levels, *_SACRAL]


def _rooms(count: int, size: float) -> list[Room]:
    """What the bones leave at every disc."""
    widths = tables.with_lumbar(tables.CANAL_HALF_WIDTH_MM, count, FIRST_LUMBAR) * size
    above, below = np.concatenate([widths[:1], widths]), np.concatenate([widths, widths[-1:]])
    ranks = np.clip(np.arange(len(above)) - FIRST_LUMBAR - count + 4, 0, 4)
    return [
        Room(int(rank), size, (float(min(a, b)), float(max(a, b))))
        for rank, a, b in zip(ranks, above, below, strict=True)
    ]


def _rows(count: int, size: float, wear: FloatArray) -> FloatArray:
    """Height, wedge, half width, half depth and wear of every disc, shape (n, 5)."""
    stretched = partial(tables.with_lumbar, count=count, first=FIRST_LUMBAR + 1)
    heights = stretched(tables.HEIGHT_MM) * size * (1.06 - 0.5 * wear)
    widths, depths = stretched(tables.HALF_WIDTH_MM) * size, stretched(tables.HALF_DEPTH_MM) * size
    return np.stack([heights, stretched(tables.WEDGE), widths, depths, wear], axis=1)


def _name(from_last: int) -> str:
    """By the count upwards from the lowest mobile disc."""
    if from_last > 0:
        return f"S{from_last}/S{from_last + 1}"
    if from_last > -5:
        return list(Level)[from_last + 4].value
    return "T12/L1" if from_last == -5 else f"T{from_last + 17}/T{from_last + 18}"


def _angles(rng: np.random.Generator, count: int, config: TestPhantomConfig) -> FloatArray:
    """Sagittal angle, coronal angle and twist of every disc, degrees, shape (n, 3)."""
    sagittal = tables.with_lumbar(tables.ANGLE_DEG, count, FIRST_LUMBAR + 1)
    middle = sagittal[FIRST_LUMBAR:].mean()
    sagittal = middle + (sagittal - middle) * rng.normal(1, 0.16) + rng.normal(0, 3.5)
    sagittal = sagittal + rng.normal(0, 2.0, len(sagittal))
    drawn = min(abs(rng.normal(0, 3.2)), 9.0) if rng.uniform() < 0.93 else rng.uniform(9, 22)
    cobb = drawn if config.cobb_deg is None else config.cobb_deg
    ranks = np.arange(len(sagittal)) - FIRST_LUMBAR
    wave = np.sin(rng.uniform(0, 2 * np.pi) + ranks * rng.uniform(0.65, 0.95))
    lumbar = wave[FIRST_LUMBAR : FIRST_LUMBAR + count + 1]
    coronal = (wave - lumbar.mean()) * cobb / np.ptp(lumbar)
    # Curved spines turn as well, most where they lean least.
    twist = np.gradient(coronal) * 0.6
    return np.stack([sagittal, coronal, twist], axis=1)


def _disc(
    rng: np.random.Generator, frame: Frame, row: FloatArray, measures: Measures, room: Room, from_last: int
) -> Disc:
    height, wedge, half_width, half_depth, wear = (float(v) for v in row)
    return Disc(
        _name(from_last),
        frame,
        height,
        wedge,
        half_width,
        half_depth,
        wear,
        make_section(rng, measures, room),
        make_foramina(rng, measures, room),
        tables.FACET_LATERAL_MM[room.rank] * room.size,
        float(np.clip(0.92 + 0.16 * wear + rng.normal(0, 0.05), 0.85, 1.2)) * room.size,
    )


def _rudimentary(disc: Disc) -> Disc:
    """The disc of a vertebra that has joined the sacrum: low, small and without wedge."""
    return replace(
        disc,
        height_mm=0.35 * disc.height_mm,
        wedge=0.0,
        half_width_mm=0.85 * disc.half_width_mm,
        half_depth_mm=0.85 * disc.half_depth_mm,
    )


def _vertebrae(count: int, size: float, transition: Transition) -> tuple[Vertebra, ...]:
    widths = tables.with_lumbar(tables.CANAL_HALF_WIDTH_MM, count, FIRST_LUMBAR) * size
    pedicles = tables.with_lumbar(tables.PEDICLE_HALF_WIDTH_MM, count, FIRST_LUMBAR) * size
    vertebrae = []
    for index, (width, pedicle) in enumerate(zip(widths, pedicles, strict=True)):
        sacral, lumbar = index >= FIRST_LUMBAR + count, index >= FIRST_LUMBAR
        joined = transition == "sacralised" and index == FIRST_LUMBAR + count - 1
        roof = (17.0 if not sacral else 15.0 - 2.5 * (index - FIRST_LUMBAR - count)) * size
        wing = (52.0 - 9 * (index - FIRST_LUMBAR - count) if sacral else 47.0 if joined else 37.0) * size
        vertebrae.append(
            Vertebra(float(width), float(pedicle), roof, wing, sacral, lumbar, index <= FIRST_LUMBAR + count)
        )
    return tuple(vertebrae)
