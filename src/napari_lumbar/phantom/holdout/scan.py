"""Where the slices of each series lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from ...domain.geometry import FloatArray, SliceGeometry, vector3
from ...domain.spine import Level
from ...domain.study import SeriesRole
from .config import TestPhantomConfig
from .frames import Frame, turned
from .narrow import CANAL_MIDDLE_MM
from .spine import Spine

Stack: TypeAlias = tuple[SliceGeometry, ...]
Levels: TypeAlias = tuple[Level, ...]

#: Shares of series whose InstanceNumber runs against the spatial order (RSNA tables).
REVERSED_SAGITTAL_SHARE: Final = 0.36
REVERSED_AXIAL_SHARE: Final = 0.125
#: How many of the axial series come in how many stacks.
STACK_SHARES: Final = (0.2, 0.12, 0.12, 0.56)
#: A sagittal stack reaches this far beside the canal; an axial one this far beyond its outer discs.
SIDE_MM: Final = 24.0
END_MM: Final = 9.0
#: In a thoracolumbar field the canal at L5/S1 lies this far below the image.
BELOW_FIELD_MM: Final = 15.0


@dataclass(frozen=True)
class Scan:
    """Slices of a series in the order of ``MRSeries``."""

    role: SeriesRole
    stacks: tuple[Stack, ...]
    thickness_mm: float
    reversed_numbers: bool


@dataclass(frozen=True, eq=False)
class Patient:
    """A spine and how it lies in the scanner: ``pose`` is the patient frame in patient space (LPS)."""

    spine: Spine
    pose: Frame

    def lps(self, level: Level, place_mm: tuple[float, float, float]) -> FloatArray:
        """A point of a disc's frame, counted behind the posterior wall, in LPS mm, shape (3,)."""
        disc = self.spine.at(level)
        x, behind, z = place_mm
        return self.pose.outer(disc.frame.outer((x, disc.half_depth_mm + behind, z)))

    def canal(self, level: Level) -> FloatArray:
        """Middle of the canal at a disc, LPS mm, shape (3,)."""
        return self.lps(level, (0.0, CANAL_MIDDLE_MM * self.spine.size, 0.0))

    def canal_y_mm(self, z_mm: float) -> float:
        """How far back the canal lies at a height of patient space."""
        canals = np.stack([self.canal(level) for level in reversed(Level)])
        return float(np.interp(z_mm, canals[:, 2], canals[:, 1]))


def covered_levels(config: TestPhantomConfig) -> Levels:
    """The levels that the images show."""
    return tuple(Level)[:-1] if config.field == "thoracolumbar" else tuple(Level)


def _image(
    centre_lps_mm: FloatArray, axes: FloatArray, spacing_mm: float, place_rc: FloatArray
) -> FloatArray:
    """Position of pixel (0, 0) so that a point appears at ``place_rc``; ``axes``: along row, along column."""
    along_row, along_column = axes
    return centre_lps_mm - spacing_mm * (place_rc[0] * along_column + place_rc[1] * along_row)


def _stack(
    places_lps_mm: FloatArray,
    axes: FloatArray,
    spacing_mm: float,
    size_rc: tuple[int, int],
    place_rc: FloatArray,
) -> Stack:
    axes = np.round(axes, 8)
    along_row, along_column = vector3(axes[0]), vector3(axes[1])
    return tuple(
        SliceGeometry(
            vector3(np.round(_image(place, axes, spacing_mm, place_rc), 5)),
            along_row,
            along_column,
            spacing_mm,
            spacing_mm,
            *size_rc,
        )
        for place in places_lps_mm
    )


def plan_sagittal(
    role: SeriesRole, patient: Patient, rng: np.random.Generator, config: TestPhantomConfig
) -> Scan:
    """A stack from the patient's right to left, set up along the spine up to a degree or so."""
    size = int(rng.choice(config.sagittal_matrices))
    rows = round(size * 1.12 / 2) * 2 if rng.uniform() < 0.12 else size
    spacing = round(float(rng.triangular(250, 285, 330)) / size, 5)
    axes = turned(*rng.normal(0, 1.0, 3)) @ patient.pose.axes
    left, back, up = axes.T
    canals = np.stack([patient.canal(level) for level in covered_levels(config)])
    step = float(rng.uniform(3.5, 4.5))
    reach = np.ptp((canals - canals.mean(axis=0)) @ left) + 2 * SIDE_MM - 4
    count = max(int(np.clip(round(rng.normal(16.3, 2.3)), 12, 21)), int(np.ceil(reach / step)) + 1)
    middle = canals[:, :].mean(axis=0)
    middle = patient.canal(Level.L3_L4) + ((middle - patient.canal(Level.L3_L4)) @ left) * left
    offsets = (np.arange(count) - (count - 1) / 2 + rng.normal(0, 0.25)) * step
    place = np.array([rows * rng.normal(0.53, 0.035), size * rng.normal(0.545, 0.045)])
    if config.field == "thoracolumbar":
        to_lowest = (patient.canal(Level.L5_S1) - middle) @ -up
        place[0] = rows - (to_lowest - BELOW_FIELD_MM) / spacing
    stack = _stack(middle + offsets[:, None] * left, np.stack([back, -up]), spacing, (rows, size), place)
    thickness = step * float(rng.uniform(0.82, 0.97))
    return Scan(role, (stack,), thickness, bool(rng.uniform() < REVERSED_SAGITTAL_SHARE))


def _groups(levels: Levels, kind: int) -> tuple[Levels, ...]:
    """The levels that share a stack: all; the upper three and the rest; those and one each; one each."""
    if kind == 0:
        return (levels,)
    if kind == 1:
        return levels[:3], levels[3:]
    singles = tuple((level,) for level in levels)
    return (levels[:3], *singles[3:]) if kind == 2 else singles


def plan_axial(patient: Patient, rng: np.random.Generator, config: TestPhantomConfig) -> Scan:
    """Stacks from cranial to caudal, each tilted like the discs that it covers."""
    size = int(rng.choice(config.axial_matrices))
    spacing = round(float(rng.uniform(150, 210)) / size, 5)
    step = float(rng.uniform(3.5, 4.5))
    place = np.array([size * rng.normal(0.545, 0.03), size * rng.normal(0.5, 0.02)])
    per_disc = int(rng.integers(4, 7))
    error = turned(*rng.normal(0, 1.0, 3)) @ patient.pose.axes
    kind = int(rng.choice(len(STACK_SHARES), p=STACK_SHARES))
    stacks = []
    for group in _groups(covered_levels(config), kind):
        angles = [_sagittal_angle(patient.spine.at(level).frame) for level in group]
        axes = error @ turned(float(np.mean(angles)) + float(rng.normal(0, 2.5)), 0, 0)
        places = _places(patient, group, axes, step, per_disc)
        places = places + rng.normal(0, 1.0) * axes[:, 2] + axes @ rng.normal(0, (1.5, 2, 0))
        stacks.append(_stack(places, np.stack([axes[:, 0], axes[:, 1]]), spacing, (size, size), place))
    thickness = step * float(rng.uniform(0.82, 0.97))
    return Scan(SeriesRole.AXIAL_T2, tuple(stacks), thickness, bool(rng.uniform() < REVERSED_AXIAL_SHARE))


def _sagittal_angle(frame: Frame) -> float:
    return float(np.degrees(np.arctan2(frame.axes[2, 1], frame.axes[1, 1])))


def _places(patient: Patient, group: Levels, axes: FloatArray, step_mm: float, per_disc: int) -> FloatArray:
    """Centres of a stack's slices from cranial to caudal, following the canal, shape (n, 3)."""
    top, bottom = patient.canal(group[0]), patient.canal(group[-1])
    down = -axes[:, 2]
    length = (bottom - top) @ down
    count = per_disc if len(group) == 1 else int(np.ceil((length + 2 * END_MM) / step_mm)) + 1
    offsets = (np.arange(count) - (count - 1) / 2) * step_mm
    return np.asarray((top + bottom) / 2 + offsets[:, None] * down)
