"""The numbers of one patient's spine: sizes and positions of its bones and discs.

Adult sizes: vertebral bodies after Zhou et al., Eur Spine J 2000 (CT, 126 patients); distances between
discs after SPIDER's 29 segmented T2 SPACE volumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..domain.geometry import FloatArray
from ..domain.spine import FindingKey, Level
from .curve import SpineCurve
from .levels import LevelState, Room, draw_level
from .variants import Variants

THORACIC_DISCS: Final = ("T4/T5", "T5/T6", "T6/T7", "T7/T8", "T8/T9", "T9/T10", "T10/T11", "T11/T12")
DISC_NAMES: Final = (*THORACIC_DISCS, "T12/L1", *(level.value for level in Level), "S1/S2")
BODY_NAMES: Final = (
    *(f"T{number}" for number in range(4, 13)),
    *(f"L{number}" for number in range(1, 6)),
    "S1",
    "S2",
)
#: Disc centre to the next disc's centre, mm.
DISC_DISTANCES_MM: Final = (
    23.0,
    23.6,
    24.2,
    25.0,
    26.0,
    27.2,
    28.6,
    30.4,
    32.9,
    34.9,
    36.0,
    35.7,
    35.2,
    29.0,
)
DISC_HEIGHTS_MM: Final = (3.6, 3.7, 3.8, 4.0, 4.3, 4.7, 5.0, 5.5, 7.0, 8.5, 9.5, 10.5, 11.0, 10.0, 10.0)
#: Tangent of the spine behind the vertical at each disc, degrees; then further down the sacrum.
DISC_ANGLES_DEG: Final = (
    26.0,
    23.0,
    19.0,
    15.0,
    10.0,
    4.0,
    -3.0,
    -9.0,
    -14.5,
    -15.0,
    -12.0,
    -4.5,
    9.5,
    28.0,
    44.0,
)
SACRUM_ANGLES_DEG: Final = (50.0, 42.0, 15.0)
SACRUM_STEPS_MM: Final = (25.0, 50.0, 80.0)
#: Of ``BODY_NAMES``: half width and half depth, mm.
BODY_HALF_WIDTHS_MM: Final = (
    12.6,
    12.8,
    13.1,
    13.5,
    14.2,
    15.0,
    16.2,
    17.5,
    19.0,
    20.5,
    21.5,
    22.5,
    24.0,
    25.5,
    25.0,
    19.0,
)
BODY_HALF_DEPTHS_MM: Final = (
    11.6,
    12.2,
    12.6,
    13.0,
    13.4,
    13.8,
    14.2,
    14.5,
    15.5,
    16.0,
    16.8,
    17.2,
    17.4,
    17.4,
    15.0,
    10.5,
)
#: Half width of the bony canal between the pedicles, and of a pedicle, mm, for the same bodies.
CANAL_HALF_WIDTHS_MM: Final = (
    8.3,
    8.3,
    8.4,
    8.6,
    8.8,
    9.2,
    9.8,
    10.5,
    11.0,
    11.5,
    11.8,
    12.3,
    13.0,
    14.5,
    15.0,
    11.0,
)
PEDICLE_HALF_WIDTHS_MM: Final = (
    2.6,
    2.6,
    2.7,
    2.8,
    2.9,
    3.0,
    3.2,
    3.5,
    3.8,
    3.8,
    4.0,
    4.6,
    5.6,
    7.5,
    9.0,
    8.0,
)
#: Posterior wall of the bodies to the meeting point of the laminae, and from flavum to that point.
CANAL_DEPTH_MM: Final = 18.5
LAMINA_BEHIND_FLAVUM_MM: Final = 2.4
#: A disc flatter than this is no more than a line.
LEAST_DISC_MM: Final = 0.8
#: A pedicle's upper and lower border as shares of its body's height.
PEDICLE_TOP, PEDICLE_BOTTOM = 0.03, 0.57


@dataclass(frozen=True)
class Body:
    """A vertebral body in spine coordinates, mm; ``canal_depth_mm`` reaches to the laminae."""

    name: str
    top_mm: float
    bottom_mm: float
    half_width_mm: float
    half_depth_mm: float
    canal_half_width_mm: float
    pedicle_half_width_mm: float
    canal_depth_mm: float

    @property
    def height_mm(self) -> float:
        """Along the spine."""
        return self.bottom_mm - self.top_mm

    @property
    def middle_mm(self) -> float:
        """Halfway between the endplates."""
        return (self.top_mm + self.bottom_mm) / 2

    @property
    def is_sacral(self) -> bool:
        """S1 and S2 have no free posterior elements."""
        return self.name.startswith("S")


@dataclass(frozen=True)
class Disc:
    """A disc in spine coordinates, mm; ``wear`` 0 (young) to 1 (dark and flat)."""

    name: str
    centre_mm: float
    height_mm: float
    half_width_mm: float
    half_depth_mm: float
    wear: float

    @property
    def is_present(self) -> bool:
        """Whether there is more of it than a line."""
        return self.height_mm > LEAST_DISC_MM


@dataclass(frozen=True, eq=False)
class SpineShape:
    """Everything the painter and the truth need to know about one patient's spine."""

    curve: SpineCurve
    bodies: tuple[Body, ...]
    discs: tuple[Disc, ...]
    levels: tuple[LevelState, ...]
    variants: Variants

    @property
    def size(self) -> float:
        """Lengths relative to a mean adult's."""
        return self.variants.size

    def disc(self, level: Level) -> Disc:
        """The disc of a level."""
        return self.discs[DISC_NAMES.index(level.value)]

    def body(self, name: str) -> Body:
        """The vertebra of a name."""
        return self.bodies[BODY_NAMES.index(name)]


def make_shape(
    rng: np.random.Generator, narrowness: Mapping[FindingKey, float], variants: Variants
) -> SpineShape:
    """Draw one patient's spine with these narrow places (grades)."""
    discs = _discs(rng, narrowness, variants)
    wide = rng.normal(0, 0.8) + rng.normal(0, 0.4, len(BODY_NAMES))
    pedicle = rng.normal(0, 0.5, len(BODY_NAMES))
    bodies = _bodies(discs, variants, wide, pedicle)
    levels = []
    for level in Level:
        index = DISC_NAMES.index(level.value)
        upper, lower = bodies[index], bodies[index + 1]
        bottom = lower.top_mm + PEDICLE_TOP * lower.height_mm
        between = bottom - upper.top_mm - PEDICLE_BOTTOM * upper.height_mm
        room = Room(variants.size, between, float(wide[index]), float(pedicle[index]), variants.front_fat)
        levels.append(draw_level(rng, level, discs[index].centre_mm, narrowness, room))
    deep = _deepened(bodies, tuple(levels))
    return SpineShape(_curve(rng, discs, variants), deep, discs, tuple(levels), variants)


def _discs(
    rng: np.random.Generator, narrowness: Mapping[FindingKey, float], variants: Variants
) -> tuple[Disc, ...]:
    count, size = len(DISC_NAMES), variants.size
    distances = np.array(DISC_DISTANCES_MM) * size * rng.normal(1, 0.03, count - 1)
    wear = np.clip(rng.uniform(0, 0.9) + rng.normal(0, 0.25, count) + _strain(narrowness), 0, 1)
    full = np.array(DISC_HEIGHTS_MM) * size * rng.normal(1, 0.06, count)
    heights = full * (1.05 - 0.5 * wear * rng.uniform(0.5, 1, count))
    depths = _between(BODY_HALF_DEPTHS_MM) * size
    heights[-1] = full[-1] * variants.rudiment
    depths[-1] *= 0.6 + 0.4 * min(variants.rudiment / 0.5, 1)
    if variants.transitional == "sacralised":
        heights[-2] = full[-2] * rng.uniform(0.22, 0.5)
        distances[-2] *= 0.88
    if variants.transitional == "l6":
        heights[-2] = full[-2] * rng.uniform(0.6, 0.9)
        heights[-1] = min(heights[-1], 1.5)
    centres = np.concatenate([[0.0], np.cumsum(distances)])
    centres -= centres[DISC_NAMES.index("L3/L4")]
    widths = _between(BODY_HALF_WIDTHS_MM) * size
    return tuple(
        Disc(name, *(float(v) for v in values))
        for name, *values in zip(DISC_NAMES, centres, heights, widths, depths, wear, strict=True)
    )


def _between(of_bodies: tuple[float, ...]) -> FloatArray:
    values = np.array(of_bodies)
    return np.asarray((values[1:] + values[:-1]) / 2, dtype=np.float64)


def _strain(narrowness: Mapping[FindingKey, float]) -> FloatArray:
    """How much more a disc is worn where its level is narrow, shape of ``DISC_NAMES``."""
    strain = np.zeros(len(DISC_NAMES))
    for key, value in narrowness.items():
        strain[DISC_NAMES.index(key.level.value)] += 0.05 * np.clip(value + 1, 0, 3)
    return strain


def _bodies(
    discs: tuple[Disc, ...], variants: Variants, wide_mm: FloatArray, pedicle_mm: FloatArray
) -> tuple[Body, ...]:
    first, last, size = discs[0], discs[-1], variants.size
    tops = [first.centre_mm - 24 * size, *(d.centre_mm + d.height_mm / 2 for d in discs)]
    bottoms = [*(d.centre_mm - d.height_mm / 2 for d in discs), last.centre_mm + 26 * size]
    columns = (
        np.array(tops),
        np.array(bottoms),
        np.array(BODY_HALF_WIDTHS_MM) * size,
        np.array(BODY_HALF_DEPTHS_MM) * size,
        np.array(CANAL_HALF_WIDTHS_MM) * size + wide_mm,
        np.maximum(np.array(PEDICLE_HALF_WIDTHS_MM) * size + pedicle_mm, 2.4),
        np.full(len(BODY_NAMES), CANAL_DEPTH_MM * size),
    )
    return tuple(
        Body(name, *(float(v) for v in values)) for name, *values in zip(BODY_NAMES, *columns, strict=True)
    )


def _deepened(bodies: tuple[Body, ...], levels: tuple[LevelState, ...]) -> tuple[Body, ...]:
    """A wide sac needs laminae that stand farther back: those of the vertebra above its disc."""
    backs = {level.level.value.split("/")[0]: level.canal.back_mm for level in levels}
    return tuple(
        replace(b, canal_depth_mm=max(b.canal_depth_mm, backs.get(b.name, 0.0) + LAMINA_BEHIND_FLAVUM_MM))
        for b in bodies
    )


def _curve(rng: np.random.Generator, discs: tuple[Disc, ...], variants: Variants) -> SpineCurve:
    knots = np.array([d.centre_mm for d in discs])
    knots = np.concatenate([knots, knots[-1] + np.array(SACRUM_STEPS_MM)])
    angles = np.array([*DISC_ANGLES_DEG, *SACRUM_ANGLES_DEG])
    if variants.transitional == "l6":
        # The lowest mobile segment stands where the sacrum would begin.
        angles[9:14] = 0.5 * angles[9:14] + 0.5 * angles[10:15]
    middle = angles[7:15].mean()
    angles = middle + (angles - middle) * variants.lordosis + rng.normal(0, 5.5)
    angles[:15] += rng.normal(0, 2.5, 15)
    slip = variants.slip
    step = (0.0, 1.0, 0.0)
    if slip is not None:
        disc = discs[DISC_NAMES.index(slip.level.value)]
        step = disc.centre_mm, max(disc.height_mm / 2, 2.0), slip.step_mm
    return SpineCurve.through(knots, angles, step, variants.swing)
