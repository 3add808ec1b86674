"""From painted materials to images: partial volume, texture, coil, and a scanner's artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.study import PixelArray
from .artefacts import (
    Artefacts,
    Image,
    acquire,
    bias_field,
    chemical_shift,
    coil_falloff,
    draw_artefacts,
    flow_void,
    saturation_band,
    suppression_failure,
    wrap_around,
)
from .contrast import SignalTable
from .grid import SpineGrid
from .plan import SeriesPlan
from .tissue import TISSUE_OF_MATERIAL, LabelArray, Tissue

#: Sub-samples of a voxel: place across the slice (fraction of its thickness), row and column (pixels).
SUBSAMPLES = ((-0.375, -0.12, -0.37), (-0.125, 0.37, -0.12), (0.125, -0.37, 0.12), (0.375, 0.12, 0.37))
#: Binary digits of the fraction in voxel coordinates.
FRACTION_BITS = 12
#: Order in which the sub-samples take their quarters, along x, y, z.
DITHER_ORDERS = ((0, 1, 2, 3), (0, 2, 1, 3), (2, 0, 3, 1))
HALF = 1 << (FRACTION_BITS - 1)


@dataclass(frozen=True)
class Scanner:
    """How one series looks.

    Parameters
    ----------
    noise
        Standard deviation of the two noise channels; fat is about 1.
    blur_px
        Standard deviation of the point spread, pixels.
    texture
        Relative variation within a tissue.
    patch_mm
        Extent along rows and columns of fatty patches in marrow and muscle.
    falloff_mm
        Distance in front of the coil over which the signal drops to 1/e.
    full_scale
        Stored value of brightness 1.
    ceiling
        Brightness at which the window ends.
    saturated_y_mm
        In front of this patient y a saturation band hides the abdomen; None without a band.
    artefacts
        All else.
    """

    noise: float
    blur_px: float
    texture: float
    patch_mm: tuple[float, float]
    falloff_mm: float
    full_scale: float
    ceiling: float
    saturated_y_mm: float | None
    artefacts: Artefacts


def draw_scanner(rng: np.random.Generator, sagittal: bool) -> Scanner:
    """Draw the looks of one series; sagittal ones have saturation bands more often."""
    saturated = rng.uniform() < (0.6 if sagittal else 0.12)
    ceiling = float(rng.uniform(1.0, 1.4) if rng.uniform() < 0.2 else rng.uniform(1.6, 4))
    eight_bits = rng.uniform() < 0.12
    return Scanner(
        noise=_log_uniform(rng, 0.006, 0.06),
        blur_px=float(rng.uniform(0.3, 0.75)),
        texture=float(rng.uniform(0.02, 0.09)),
        patch_mm=(float(rng.uniform(2.5, 9)), float(rng.uniform(2.5, 9))),
        falloff_mm=_log_uniform(rng, 42, 400),
        full_scale=255 / ceiling if eight_bits else _log_uniform(rng, 150, 2500),
        ceiling=ceiling,
        saturated_y_mm=float(rng.uniform(-65, -38)) if saturated else None,
        artefacts=draw_artefacts(rng),
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def sample(
    grid: SpineGrid, geometry: SliceGeometry, offset: tuple[float, float, float], turn: int | None = None
) -> LabelArray:
    """Materials at the pixel centres of a slice, shape (rows, columns).

    Parameters
    ----------
    grid, geometry
        The grid must cover the whole slice.
    offset
        Shift of the sampling points: mm along the normal, then rows and columns in pixels.
    turn
        None takes the nearest voxel. The rank of a sub-sample chooses among the eight voxels around a
        point as often as linear interpolation weighs them.
    """
    start = geometry.lps_from_pixel(offset[1:]) + offset[0] * geometry.normal
    _, ny, nx = grid.materials.shape
    scale = (1 << FRACTION_BITS) / grid.voxel_mm
    flat = np.zeros((geometry.rows, geometry.columns), dtype=np.intp)
    for axis, stride in ((2, ny * nx), (1, nx), (0, 1)):
        per_row, per_column = geometry.steps_lps_mm[:, axis] * scale
        first = (start[axis] - grid.origin_lps_mm[axis]) * scale
        rows = np.rint(first + per_row * np.arange(geometry.rows)).astype(np.int32)
        columns = np.rint(per_column * np.arange(geometry.columns)).astype(np.int32)
        place = rows[:, None] + columns
        place += HALF if turn is None else _dither(geometry.rows, geometry.columns, axis, turn)
        place >>= FRACTION_BITS
        place *= np.int32(stride)
        flat += place
    return grid.materials.reshape(-1).take(flat)


def tissues_of(grid: SpineGrid, geometry: SliceGeometry) -> LabelArray:
    """Tissue labels on the slice's mid-plane, shape (rows, columns)."""
    return TISSUE_OF_MATERIAL[sample(grid, geometry, (0.0, 0.0, 0.0))]


@lru_cache(maxsize=64)
def _stretch(count: int, nodes: int) -> Image:
    """Linear interpolation from ``nodes`` to ``count`` samples, shape (count, nodes)."""
    place = np.linspace(0, nodes - 1, count)
    weights = 1 - np.abs(place[:, None] - np.arange(nodes))
    return np.clip(weights, 0, 1).astype(np.float32)


def smooth_field(shape_rc: tuple[int, int], nodes_rc: tuple[int, int], rng: np.random.Generator) -> Image:
    """A smooth random field of unit variance at its nodes, shape ``shape_rc``."""
    coarse = rng.standard_normal(nodes_rc, dtype=np.float32)
    return _spread(coarse, shape_rc)


def _spread(coarse: Image, shape_rc: tuple[int, int]) -> Image:
    """Values at evenly spaced nodes interpolated linearly to an image."""
    rows, columns = (_stretch(n, k) for n, k in zip(shape_rc, coarse.shape, strict=True))
    return np.asarray(rows @ coarse @ columns.T, dtype=np.float32)


def _node_points(geometry: SliceGeometry) -> FloatArray:
    """Points of a slice at which smooth maps are computed, LPS mm, shape (24, 24, 3)."""
    rows, columns = (np.linspace(0, count - 1, 24) for count in (geometry.rows, geometry.columns))
    return geometry.lps_from_pixel(np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1))


def sensitivity(scanner: Scanner, points_lps_mm: FloatArray) -> FloatArray:
    """Signal that coil and saturation band leave at points of shape (..., 3), near 1 at the spine."""
    values = coil_falloff(points_lps_mm, scanner.falloff_mm)
    values *= bias_field(points_lps_mm, scanner.artefacts.bias)
    if scanner.saturated_y_mm is not None:
        values *= saturation_band(points_lps_mm, scanner.saturated_y_mm)
    return values


@lru_cache(maxsize=64)
def _dither(rows: int, columns: int, axis: int, turn: int) -> npt.NDArray[np.int32]:
    """A fraction of a voxel per pixel, shape (rows, columns).

    ``turn`` counts the sub-samples, whose fractions at a pixel are a quarter apart. Added before rounding
    down, they turn nearest-neighbour sampling into linear interpolation on average, so that surfaces
    nearly parallel to a slice leave no stairs.
    """
    fraction = np.random.default_rng(axis).uniform(size=(rows, columns))
    fraction += DITHER_ORDERS[axis][turn] / len(SUBSAMPLES)
    return ((fraction % 1) * (1 << FRACTION_BITS)).astype(np.int32)


def expose(
    grid: SpineGrid,
    geometry: SliceGeometry,
    thickness_mm: float,
    signals: SignalTable,
    scanner: Scanner,
    rng: np.random.Generator,
) -> PixelArray:
    """One image in stored values (whole numbers), shape (rows, columns)."""
    image = _object(grid, geometry, thickness_mm, signals, scanner, rng)
    artefacts = scanner.artefacts
    image = wrap_around(image, artefacts.wrapped, artefacts.phase_axis)
    image = acquire(image, artefacts, scanner.blur_px, scanner.noise, rng)
    stored = np.clip(image, 0, scanner.ceiling) * scanner.full_scale
    return np.rint(stored.clip(0, 4095)).astype(np.float32)


def _object(
    grid: SpineGrid,
    geometry: SliceGeometry,
    thickness_mm: float,
    signals: SignalTable,
    scanner: Scanner,
    rng: np.random.Generator,
) -> Image:
    """What a perfect scanner would show, shape (rows, columns)."""
    shape_rc, artefacts = (geometry.rows, geometry.columns), scanner.artefacts
    # Water is the real, fat the imaginary part: one look into the table serves both.
    table = ((signals.water + 1j * signals.fat) / len(SUBSAMPLES)).astype(np.complex64)
    both = np.zeros(shape_rc, dtype=np.complex64)
    for turn, (across, row, column) in enumerate(SUBSAMPLES):
        labels = sample(grid, geometry, (across * thickness_mm, row, column), turn)
        both += table.take(labels, mode="clip")  # faster; no label is beyond the table
    water, fat = both.real, both.imag
    points = _node_points(geometry)
    if artefacts.flow:
        fluid = (labels == Tissue.CSF).astype(np.float32)
        water = water * flow_void(fluid, _field(geometry, (6.0, 6.0), rng), artefacts.flow)
    if signals.fat_left < 1:
        left = signals.fat_left + (1 - signals.fat_left) * suppression_failure(points, artefacts)
        fat = fat * _spread(left.astype(np.float32), shape_rc)
    image = water + chemical_shift(fat, artefacts.fat_shift_px, 1 - artefacts.phase_axis)
    # Patches are rather a few bright ones than as many dark ones.
    patches = np.exp(0.7 * _field(geometry, scanner.patch_mm, rng)) - np.float32(1.28)
    image += signals.patches.take(labels, mode="clip") * patches
    image *= 1 + np.float32(scanner.texture) * _grain(shape_rc, rng)
    image *= _spread(sensitivity(scanner, points).astype(np.float32), shape_rc)
    return image


def _field(geometry: SliceGeometry, extent_mm: tuple[float, float], rng: np.random.Generator) -> Image:
    """A smooth random field whose nodes lie ``extent_mm`` apart along rows and columns."""
    size_mm = np.array((geometry.rows, geometry.columns)) * geometry.spacing_rc_mm
    rows, columns = (int(n) for n in np.maximum(size_mm / extent_mm, 2))
    return smooth_field((geometry.rows, geometry.columns), (rows, columns), rng)


def _grain(shape_rc: tuple[int, int], rng: np.random.Generator) -> Image:
    """Fine and coarse texture, shape ``shape_rc``."""
    fine, coarse = max(shape_rc) // 5, max(shape_rc) // 20
    return smooth_field(shape_rc, (fine, fine), rng) + smooth_field(shape_rc, (coarse, coarse), rng)


def covered_box(plans: tuple[SeriesPlan, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Low and high corner of the box, in LPS mm, that all slices with their thickness lie in."""
    corners = [
        g.lps_from_pixel([[r, c] for r in (-1, g.rows) for c in (-1, g.columns)])
        + side * plan.thickness_mm * g.normal
        for plan in plans
        for g in plan.geometries
        for side in (-0.5, 0.5)
    ]
    stacked = np.concatenate(corners)
    return stacked.min(axis=0), stacked.max(axis=0)
