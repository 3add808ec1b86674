"""From painted materials to images: partial volume, coil falloff, texture, blur, Rician noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

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
    """

    noise: float
    blur_px: float
    texture: float
    falloff_mm: float
    shading: tuple[float, float, float]
    full_scale: float


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw the looks of one series."""
    shading = rng.normal(0, 0.12, 3)
    return Scanner(
        noise=float(rng.uniform(0.012, 0.045)),
        blur_px=float(rng.uniform(0.35, 0.75)),
        texture=float(rng.uniform(0.03, 0.09)),
        falloff_mm=float(np.exp(rng.uniform(np.log(38), np.log(220)))),
        shading=(float(shading[0]), float(shading[1]), float(shading[2])),
        full_scale=float(rng.uniform(250, 1800)),
    )


def sample(grid: SpineGrid, geometry: SliceGeometry, offset: tuple[float, float, float]) -> LabelArray:
    """Materials at the pixel centres of a slice, shape (rows, columns).

    Parameters
    ----------
    grid, geometry
        The grid must cover the whole slice.
    offset
        Shift of the sampling points: mm along the normal, then rows and columns in pixels.
    """
    start = geometry.lps_from_pixel(offset[1:]) + offset[0] * geometry.normal
    _, ny, nx = grid.materials.shape
    scale = (1 << FRACTION_BITS) / grid.voxel_mm
    flat = np.zeros((geometry.rows, geometry.columns), dtype=np.int32)
    for axis, stride in ((2, ny * nx), (1, nx), (0, 1)):
        per_row, per_column = geometry.steps_lps_mm[:, axis] * scale
        first = (start[axis] - grid.origin_lps_mm[axis]) * scale + (1 << (FRACTION_BITS - 1))
        rows = np.rint(first + per_row * np.arange(geometry.rows)).astype(np.int32)
        columns = np.rint(per_column * np.arange(geometry.columns)).astype(np.int32)
        flat += ((rows[:, None] + columns) >> FRACTION_BITS) * np.int32(stride)
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
    fall = np.clip(point[..., 1] - 25, -200, 30) / scanner.falloff_mm
    # Flat over the spine: bodies are seen as well as the canal.
    fall = np.where(fall < 0, fall + np.minimum(40 / scanner.falloff_mm, -fall), fall)
    values = np.exp(fall + np.tanh(point / 100 @ np.array(scanner.shading)))
    return _stretch(geometry.rows, nodes) @ values.astype(np.float32) @ _stretch(geometry.columns, nodes).T


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
    for across, row, column in SUBSAMPLES:
        image += signals.take(sample(grid, geometry, (across * thickness_mm, row, column)))
    image /= len(SUBSAMPLES)
    shape_rc = image.shape
    grain = smooth_field(shape_rc, max(shape_rc) // 5, rng) + smooth_field(shape_rc, max(shape_rc) // 20, rng)
    image *= 1 + np.float32(scanner.texture) * grain
    image *= sensitivity(scanner, geometry)
    ndimage.gaussian_filter(image, scanner.blur_px, output=image, truncate=3)
    real, imaginary = rng.standard_normal((2, *shape_rc), dtype=np.float32) * np.float32(scanner.noise)
    magnitude = np.hypot(image + real, imaginary)
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
