"""The numbers of one patient's spine: sizes, positions, and what each severity does to them.

Adult sizes: vertebral bodies after Zhou et al., Eur Spine J 2000 (CT, 126 patients); distances between
discs after SPIDER's 29 segmented T2 SPACE volumes; canal and dural sac after Schizas et al., Spine 2010
and Mamisch et al., Eur Radiol 2012 (sac AP below 10 mm is stenosis).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..domain.spine import Condition, ConditionGroup, FindingKey, Level, Severity, Side
from .curve import SpineCurve

DISC_NAMES: Final = ("T11/T12", "T12/L1", *(level.value for level in Level), "S1/S2")
#: Disc centre to the next disc's centre, mm.
DISC_DISTANCES_MM: Final = (30.4, 32.9, 34.9, 36.0, 35.7, 35.2, 29.0)
DISC_HEIGHTS_MM: Final = (5.5, 7.0, 8.5, 9.5, 10.5, 11.0, 10.0, 3.0)
#: Tangent of the spine behind the vertical at each disc, degrees; then further down the sacrum.
DISC_ANGLES_DEG: Final = (-9.0, -14.5, -15.0, -12.0, -4.5, 9.5, 28.0, 44.0)
SACRUM_ANGLES_DEG: Final = (50.0, 42.0, 15.0)
SACRUM_STEPS_MM: Final = (25.0, 50.0, 80.0)
#: Bodies T11, T12, L1 .. L5, S1, S2: half width and half depth, mm.
BODY_HALF_WIDTHS_MM: Final = (17.5, 19.0, 20.5, 21.5, 22.5, 24.0, 25.5, 25.0, 19.0)
BODY_HALF_DEPTHS_MM: Final = (14.5, 15.5, 16.0, 16.8, 17.2, 17.4, 17.4, 15.0, 10.5)
#: Half width of the bony canal between the pedicles, mm, for the same bodies.
CANAL_HALF_WIDTHS_MM: Final = (10.5, 11.0, 11.5, 11.8, 12.3, 13.0, 14.5, 15.0, 11.0)
PEDICLE_HALF_WIDTHS_MM: Final = (3.5, 3.8, 3.8, 4.0, 4.6, 5.6, 7.5, 9.0, 8.0)
#: Where RSNA readers put the foramen, mm from the midline, L1/L2 .. L5/S1; and the lateral recess.
FORAMEN_LATERAL_MM: Final = (14.6, 15.2, 16.0, 17.0, 18.3)
RECESS_LATERAL_MM: Final = (8.8, 8.4, 8.0, 7.8, 8.2)
#: Foramen and recess behind the body's posterior wall; foramen above the disc, mm.
FORAMEN_BEHIND_MM: Final = (7.6, 6.8, 5.6, 3.4, 1.6)
FORAMEN_ABOVE_MM: Final = 6.0
RECESS_BEHIND_MM: Final = 4.2
#: Posterior wall of the bodies to the meeting point of the laminae.
CANAL_DEPTH_MM: Final = 18.5

#: AP diameter of the thecal sac at the disc (mm), opening of a foramen (fraction of its size), and
#: radius (mm) by which disc and facet fill a lateral recess: best and worst value of each severity.
SAC_AP_MM: Final = {
    Severity.NORMAL_MILD: (15.5, 11.2),
    Severity.MODERATE: (9.8, 7.6),
    Severity.SEVERE: (6.4, 3.6),
}
FORAMEN_OPENING: Final = {
    Severity.NORMAL_MILD: (1.0, 0.85),
    Severity.MODERATE: (0.70, 0.56),
    Severity.SEVERE: (0.34, 0.16),
}
RECESS_FILL_MM: Final = {
    Severity.NORMAL_MILD: (0.0, 1.8),
    Severity.MODERATE: (4.0, 5.4),
    Severity.SEVERE: (6.9, 8.4),
}


@dataclass(frozen=True)
class Body:
    """A vertebral body in spine coordinates, mm."""

    name: str
    top_mm: float
    bottom_mm: float
    half_width_mm: float
    half_depth_mm: float
    canal_half_width_mm: float
    pedicle_half_width_mm: float

    @property
    def height_mm(self) -> float:
        """Along the spine."""
        return self.bottom_mm - self.top_mm

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


@dataclass(frozen=True)
class LevelState:
    """What the severities did to one level.

    Parameters
    ----------
    sac_ap_mm
        AP diameter of the thecal sac at the disc.
    front_share
        How much of the sac's narrowing comes from the disc; the rest from the ligamenta flava.
    foramen_opening, recess_fill_mm
        Per side of the patient, see ``FORAMEN_OPENING`` and ``RECESS_FILL_MM``.
    """

    level: Level
    along_mm: float
    sac_ap_mm: float
    front_share: float
    foramen_opening: Mapping[Side, float]
    recess_fill_mm: Mapping[Side, float]


@dataclass(frozen=True, eq=False)
class SpineShape:
    """Everything the painter and the truth need to know about one patient's spine."""

    curve: SpineCurve
    bodies: tuple[Body, ...]
    discs: tuple[Disc, ...]
    levels: tuple[LevelState, ...]
    size: float

    def disc(self, level: Level) -> Disc:
        """The disc of a level."""
        return self.discs[2 + level.rank]


def _within(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    best, worst = bounds
    return float(best + (worst - best) * rng.beta(1.6, 1.6))


def _discs(rng: np.random.Generator, size: float) -> tuple[Disc, ...]:
    distances = np.array(DISC_DISTANCES_MM) * size * rng.normal(1, 0.03, len(DISC_DISTANCES_MM))
    centres = np.concatenate([[0.0], np.cumsum(distances)])
    centres -= centres[4]  # L3/L4
    age = rng.uniform(0, 1)
    wear = np.clip(age + rng.normal(0, 0.25, len(centres)), 0, 1)
    heights = np.array(DISC_HEIGHTS_MM) * size * (1.05 - 0.45 * wear)
    widths = np.interp(np.arange(8) + 0.5, np.arange(9), BODY_HALF_WIDTHS_MM) * size
    depths = np.interp(np.arange(8) + 0.5, np.arange(9), BODY_HALF_DEPTHS_MM) * size
    return tuple(
        Disc(name, *(float(v) for v in values))
        for name, *values in zip(DISC_NAMES, centres, heights, widths, depths, wear, strict=True)
    )


def _bodies(discs: tuple[Disc, ...], size: float) -> tuple[Body, ...]:
    first, last = discs[0], discs[-1]
    tops = [first.centre_mm - 29 * size, *(d.centre_mm + d.height_mm / 2 for d in discs)]
    bottoms = [*(d.centre_mm - d.height_mm / 2 for d in discs), last.centre_mm + 26 * size]
    names = ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2")
    return tuple(
        Body(name, top, bottom, hw * size, hd * size, canal * size, pedicle * size)
        for name, top, bottom, hw, hd, canal, pedicle in zip(
            names,
            tops,
            bottoms,
            BODY_HALF_WIDTHS_MM,
            BODY_HALF_DEPTHS_MM,
            CANAL_HALF_WIDTHS_MM,
            PEDICLE_HALF_WIDTHS_MM,
            strict=True,
        )
    )


def _curve(rng: np.random.Generator, discs: tuple[Disc, ...]) -> SpineCurve:
    knots = np.array([d.centre_mm for d in discs])
    knots = np.concatenate([knots, knots[-1] + np.array(SACRUM_STEPS_MM)])
    angles = np.array([*DISC_ANGLES_DEG, *SACRUM_ANGLES_DEG])
    middle = angles[:8].mean()
    angles = middle + (angles - middle) * rng.uniform(0.65, 1.2) + rng.normal(0, 5.5)
    angles[:8] += rng.normal(0, 2.5, 8)
    amplitude = abs(rng.normal(0, 1.5))
    return SpineCurve.through(knots, angles, amplitude, rng.uniform(0, 2 * np.pi))


def _level(
    rng: np.random.Generator, disc: Disc, severities: Mapping[FindingKey, Severity], size: float
) -> LevelState:
    level = Level(disc.name)

    def of(group: ConditionGroup, side: Side | None = None) -> Severity:
        return severities[FindingKey(Condition.of(group, side), level)]

    return LevelState(
        level,
        disc.centre_mm,
        _within(rng, SAC_AP_MM[of(ConditionGroup.CANAL)]) * size,
        float(rng.uniform(0.35, 0.65)),
        {side: _within(rng, FORAMEN_OPENING[of(ConditionGroup.FORAMINAL, side)]) for side in Side},
        {side: _within(rng, RECESS_FILL_MM[of(ConditionGroup.SUBARTICULAR, side)]) * size for side in Side},
    )


def make_shape(rng: np.random.Generator, severities: Mapping[FindingKey, Severity]) -> SpineShape:
    """Draw one patient's spine with these severities."""
    size = float(np.clip(rng.normal(1.0, 0.06), 0.85, 1.15))
    discs = _discs(rng, size)
    levels = tuple(_level(rng, disc, severities, size) for disc in discs[2:7])
    return SpineShape(_curve(rng, discs), _bodies(discs, size), discs, levels, size)
