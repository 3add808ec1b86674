"""Where the slices of each series lie: sagittal stacks, axial blocks along the discs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray, SliceGeometry, vector3
from ..domain.spine import Level
from ..domain.study import SeriesRole
from .config import Field, PhantomConfig
from .shape import SpineShape

#: Share of axial series that are one straight stack instead of a block per disc.
STRAIGHT_SHARE = 0.2
#: Shares of series whose InstanceNumber runs from the patient's left, and from below (RSNA tables).
REVERSED_SAGITTAL_SHARE = 0.36
REVERSED_AXIAL_SHARE = 0.125
#: Share of sagittal series that end just below L5/S1 or just above L1.
SHORT_FIELD_SHARE = 0.08
#: Foramina lie this far from the midline at most, mm.
FORAMINA_MM = 20.0

Slices: TypeAlias = tuple[SliceGeometry, ...]


@dataclass(frozen=True)
class SeriesPlan:
    """Slices of a series in the order of ``MRSeries``: stacks of parallel slices.

    Parameters
    ----------
    thickness_mm
        Of every slice.
    reversed_numbers
        Whether InstanceNumber runs against the spatial order.
    """

    role: SeriesRole
    stacks: tuple[Slices, ...]
    thickness_mm: float
    reversed_numbers: bool

    @property
    def geometries(self) -> Slices:
        """All slices, stack after stack."""
        return tuple(g for stack in self.stacks for g in stack)


def rotation(about_x: float, about_y: float, about_z: float) -> FloatArray:
    """Rotation matrix of three angles in degrees, applied x first, shape (3, 3)."""
    matrix = np.eye(3)
    for axis, angle in enumerate((about_x, about_y, about_z)):
        sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = cosine
        turn[i, j], turn[j, i] = -sine, sine
        matrix = turn @ matrix
    return matrix


@dataclass(frozen=True, eq=False)
class _Image:
    """Size and axes shared by a stack's slices."""

    along_row: FloatArray
    along_column: FloatArray
    spacing_rc_mm: tuple[float, float]
    size_rc: tuple[int, int]

    def at(self, point_lps_mm: npt.ArrayLike, pixel_rc: tuple[float, float]) -> SliceGeometry:
        """The slice that shows ``point_lps_mm`` at ``pixel_rc``."""
        row_step, column_step = self.spacing_rc_mm
        offset = pixel_rc[0] * row_step * self.along_column + pixel_rc[1] * column_step * self.along_row
        position = np.round(np.asarray(point_lps_mm) - offset, 6)
        return SliceGeometry(
            vector3(position),
            vector3(self.along_row),
            vector3(self.along_column),
            *self.spacing_rc_mm,
            *self.size_rc,
        )


def plan_sagittal(
    role: SeriesRole,
    shape: SpineShape,
    turn_deg: npt.ArrayLike,
    rng: np.random.Generator,
    config: PhantomConfig,
) -> SeriesPlan:
    """A stack of 12 to 24 slices from the patient's right to left, nearly sagittal.

    The stack follows the patient's rotation ``turn_deg`` about x, y, z, shape (3,).
    """
    matrix = rotation(*(np.asarray(turn_deg) + rng.normal(0, 0.5, 3)))
    rows, columns = _sagittal_size(rng, config)
    field_mm = np.clip(rng.uniform(240, 340) * np.sqrt(shape.size), 215 * shape.size, 360)
    row_mm = field_mm / min(rows, columns)
    image = _Image(
        np.round(matrix @ (0, 1, 0), 8), np.round(matrix @ (0, 0, -1), 8), (row_mm, row_mm), (rows, columns)
    )
    thickness = rng.uniform(3.5, 4.2)
    step = thickness * rng.uniform(1.08, 1.16)
    centre = _canal_point(shape, Level.L3_L4)
    sideways = [_canal_point(shape, level)[0] for level in Level]
    centre[0] = (min(sideways) + max(sideways)) / 2
    # Both rows of foramina are on the images, also where the spine is bent.
    least = int(np.ceil((max(sideways) - min(sideways) + 2 * FORAMINA_MM * shape.size) / step)) + 1
    count = max(int(np.clip(np.round(rng.normal(16.5, 2.4)), 12, 21)), least)
    place = (
        _sagittal_row(shape, rows, row_mm, rng, config.field),
        columns * np.clip(rng.normal(0.545, 0.04), 0.44, 0.64),
    )
    left = matrix @ (1.0, 0.0, 0.0)
    first = -(count - 1) / 2 + rng.normal(0, 0.3)
    slices = tuple(image.at(centre + (first + k) * step * left, place) for k in range(count))
    return SeriesPlan(role, (slices,), thickness, bool(rng.uniform() < REVERSED_SAGITTAL_SHARE))


def _sagittal_row(
    shape: SpineShape, rows: int, row_mm: float, rng: np.random.Generator, field: Field
) -> float:
    """The row that L3/L4 lies on."""
    middle = _canal_point(shape, Level.L3_L4)[2]
    up_mm = _canal_point(shape, Level.L1_L2)[2] - middle
    down_mm = middle - _canal_point(shape, Level.L5_S1)[2]
    height_mm = rows * row_mm
    wanted_mm = height_mm * rng.normal(0.53, 0.04)
    drawn, cut_mm = rng.uniform(), rng.uniform(0, 1)
    if field == "thoracolumbar":
        return float((height_mm + 14 + 10 * cut_mm - down_mm) / row_mm)
    if drawn < SHORT_FIELD_SHARE / 2:
        return float((height_mm - 20 - 8 * cut_mm - down_mm) / row_mm)
    if drawn < SHORT_FIELD_SHARE:
        return float((up_mm + 26 + 12 * cut_mm) / row_mm)
    spare_mm = min(30.0, (height_mm - up_mm - down_mm) / 2)
    return float(np.clip(wanted_mm, up_mm + spare_mm, height_mm - down_mm - spare_mm) / row_mm)


def _sagittal_size(rng: np.random.Generator, config: PhantomConfig) -> tuple[int, int]:
    size = int(rng.choice(config.sagittal_matrices))
    taller = rng.uniform() < 0.15
    return (int(size * 1.1) if taller else size), size


def _canal_point(shape: SpineShape, level: Level) -> FloatArray:
    disc = shape.disc(level)
    return np.array(shape.curve.point_lps_mm(disc.centre_mm, disc.half_depth_mm + 8))


@dataclass(frozen=True, eq=False)
class _AxialFrame:
    """What all stacks of an axial series share; ``place_rc`` is where the canal lies on the images."""

    matrix: FloatArray
    spacing_mm: float
    size: int
    place_rc: tuple[float, float]
    step_mm: float

    def stack(self, tilt_rad: float, offsets_mm: FloatArray, centre_lps_mm: FloatArray) -> Slices:
        """Slices tilted back by an angle, at distances below ``centre_lps_mm``."""
        sine, cosine = np.sin(tilt_rad), np.cos(tilt_rad)
        image = _Image(
            np.round(self.matrix @ (1, 0, 0), 8),
            np.round(self.matrix @ (0, cosine, sine), 8),
            (self.spacing_mm, self.spacing_mm),
            (self.size, self.size),
        )
        down = self.matrix @ (0, sine, -cosine)
        return tuple(image.at(centre_lps_mm + offset * down, self.place_rc) for offset in offsets_mm)

    def offsets(self, count: int) -> FloatArray:
        """Distances of ``count`` slices from their middle."""
        return np.asarray((np.arange(count) - (count - 1) / 2) * self.step_mm, dtype=np.float64)


def plan_axial(
    shape: SpineShape, turn_deg: npt.ArrayLike, rng: np.random.Generator, config: PhantomConfig
) -> SeriesPlan:
    """Tilted blocks, one along each disc, or one straight stack; cranial to caudal."""
    size = int(rng.choice(config.axial_matrices))
    thickness = rng.uniform(3.2, 4.0)
    frame = _AxialFrame(
        rotation(*np.asarray(turn_deg)),
        rng.uniform(160, 205) * shape.size / size,
        size,
        (size * rng.normal(0.535, 0.03), size * rng.normal(0.5, 0.015)),
        thickness * rng.uniform(1.05, 1.15),
    )
    reversed_numbers = bool(rng.uniform() < REVERSED_AXIAL_SHARE)
    straight = rng.uniform() < STRAIGHT_SHARE
    # Higher up, what the sagittal images do not show nobody plans slices on.
    levels = tuple(Level)[: 4 if config.field == "thoracolumbar" else 5]
    stacks = (_straight(shape, levels, frame, rng),) if straight else _blocks(shape, levels, frame, rng)
    return SeriesPlan(SeriesRole.AXIAL_T2, stacks, thickness, reversed_numbers)


def _straight(
    shape: SpineShape, levels: tuple[Level, ...], frame: _AxialFrame, rng: np.random.Generator
) -> Slices:
    top, bottom = _canal_point(shape, levels[0]), _canal_point(shape, levels[-1])
    count = int(np.ceil((top[2] - bottom[2] + 30) / frame.step_mm))
    return frame.stack(np.radians(rng.normal(3, 3)), frame.offsets(count), (top + bottom) / 2)


def _blocks(
    shape: SpineShape, levels: tuple[Level, ...], frame: _AxialFrame, rng: np.random.Generator
) -> tuple[Slices, ...]:
    count = int(rng.integers(5, 8))
    blocks = []
    for level in levels:
        tilt = shape.curve.angle_rad(shape.disc(level).centre_mm) + np.radians(rng.normal(0, 2))
        centre = _canal_point(shape, level) + rng.normal(0, (2, 3, 0))
        blocks.append(frame.stack(tilt, frame.offsets(count) + rng.normal(0, 1), centre))
    return tuple(blocks)
