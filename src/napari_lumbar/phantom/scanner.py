"""From painted materials to images: partial volume, coil falloff, texture, blur, Rician noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import expit

from ..domain.geometry import SliceGeometry
from ..domain.study import PixelArray
from .contrast import SignalTable
from .curve import FloatMap
from .grid import SpineGrid
from .plan import SeriesPlan
from .tissue import TISSUE_OF_MATERIAL, LabelArray

#: Sub-samples of a voxel: place across the slice (fraction of its thickness), row and column (pixels).
SUBSAMPLES = ((-0.375, -0.12, -0.37), (-0.125, 0.37, -0.12), (0.125, -0.37, 0.12), (0.375, 0.12, 0.37))
#: Binary digits of the fraction in voxel coordinates.
FRACTION_BITS = 12
#: Order in which the sub-samples take their quarters, along x, y, z.
DITHER_ORDERS = ((0, 1, 2, 3), (0, 2, 1, 3), (2, 0, 3, 1))
HALF = 1 << (FRACTION_BITS - 1)
NOISE_BANK = 1 << 20


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
    falloff_mm
        Distance in front of the coil over which the signal drops to 1/e.
    shading
        Slopes of the remaining coil sensitivity per 100 mm along x, y, z.
    full_scale
        Stored value of brightness 1.
    saturated_y_mm
        In front of this patient y a saturation band hides the abdomen; None without a band.
    """

    noise: float
    blur_px: float
    texture: float
    falloff_mm: float
    shading: tuple[float, float, float]
    full_scale: float
    saturated_y_mm: float | None


def draw_scanner(rng: np.random.Generator, sagittal: bool) -> Scanner:
    """Draw the looks of one series; only sagittal ones have saturation bands."""
    saturated = sagittal and rng.uniform() < 0.6
    shading = rng.normal(0, 0.12, 3)
    return Scanner(
        noise=float(rng.uniform(0.012, 0.045)),
        blur_px=float(rng.uniform(0.35, 0.75)),
        texture=float(rng.uniform(0.03, 0.09)),
        falloff_mm=float(np.exp(rng.uniform(np.log(38), np.log(220)))),
        shading=(float(shading[0]), float(shading[1]), float(shading[2])),
        full_scale=float(rng.uniform(250, 1800)),
        saturated_y_mm=float(rng.uniform(-65, -38)) if saturated else None,
    )


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
    flat = np.zeros((geometry.rows, geometry.columns), dtype=np.int32)
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


def _stretch(count: int, nodes: int) -> FloatMap:
    """Linear interpolation from ``nodes`` to ``count`` samples, shape (count, nodes)."""
    place = np.linspace(0, nodes - 1, count)
    weights = 1 - np.abs(place[:, None] - np.arange(nodes))
    return np.clip(weights, 0, 1).astype(np.float32)


def smooth_field(shape_rc: tuple[int, int], nodes: int, rng: np.random.Generator) -> FloatMap:
    """A smooth random field of unit variance at its nodes, shape ``shape_rc``."""
    coarse = rng.standard_normal((nodes, nodes), dtype=np.float32)
    return _stretch(shape_rc[0], nodes) @ coarse @ _stretch(shape_rc[1], nodes).T


def sensitivity(scanner: Scanner, geometry: SliceGeometry) -> FloatMap:
    """Coil sensitivity over a slice, shape (rows, columns), near 1 at the spine."""
    nodes = 24
    pixel = np.stack(
        np.meshgrid(
            np.linspace(0, geometry.rows - 1, nodes),
            np.linspace(0, geometry.columns - 1, nodes),
            indexing="ij",
        ),
        axis=-1,
    )
    point = geometry.lps_from_pixel(pixel)
    # Flat over the canal and the bodies, which lie within 45 mm in front of it.
    depth_mm = 25 - point[..., 1]
    fall = np.where(depth_mm > 0, np.clip(depth_mm - 45, 0, None), depth_mm) / scanner.falloff_mm
    values = np.exp(-fall.clip(-0.6) + np.tanh(point / 100 @ np.array(scanner.shading)))
    if scanner.saturated_y_mm is not None:
        values *= 0.12 + 0.88 * expit((point[..., 1] - scanner.saturated_y_mm) / 5)
    return _stretch(geometry.rows, nodes) @ values.astype(np.float32) @ _stretch(geometry.columns, nodes).T


@cache
def _noise_bank() -> FloatMap:
    """Standard normal numbers, made once: drawing anew for each image would take half the time."""
    return np.random.default_rng(0).standard_normal(NOISE_BANK, dtype=np.float32)


def _noise(shape_rc: tuple[int, ...], rng: np.random.Generator) -> FloatMap:
    count = int(np.prod(shape_rc))
    start = int(rng.integers(0, NOISE_BANK))
    return _noise_bank().take(np.arange(start, start + count), mode="wrap").reshape(shape_rc)


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
    image = np.zeros((geometry.rows, geometry.columns), dtype=np.float32)
    for turn, (across, row, column) in enumerate(SUBSAMPLES):
        labels = sample(grid, geometry, (across * thickness_mm, row, column), turn)
        image += signals.take(labels)
    image /= len(SUBSAMPLES)
    shape_rc = image.shape
    grain = smooth_field(shape_rc, max(shape_rc) // 5, rng) + smooth_field(shape_rc, max(shape_rc) // 20, rng)
    image *= 1 + np.float32(scanner.texture) * grain
    image *= sensitivity(scanner, geometry)
    ndimage.gaussian_filter(image, scanner.blur_px, output=image, truncate=3)
    real, imaginary = (_noise(shape_rc, rng) * np.float32(scanner.noise) for _ in range(2))
    magnitude = np.sqrt((image + real) ** 2 + imaginary**2)
    return np.clip(np.rint(magnitude * scanner.full_scale), 0, 4095).astype(np.float32)


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
