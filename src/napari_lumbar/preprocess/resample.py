"""Sampling one slice on another grid of the same plane."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..domain.geometry import FloatArray
from ..domain.study import PixelArray

Box = tuple[float, float, float, float]


def sample_box(pixels: PixelArray, box_rc: Box, shape: tuple[int, int]) -> PixelArray:
    """Sample the inside of a box on a regular grid; outside the image is 0.

    Parameters
    ----------
    pixels
        Image, shape (rows, columns).
    box_rc
        (top, left, bottom, right): the **outer borders** in pixel coordinates, so that pixel (r, c) covers
        r - 0.5 .. r + 0.5. ``left > right`` mirrors the result.
    shape
        (height, width) of the result. Where it is coarser than the image, the image is smoothed first.
    """
    top, left, bottom, right = box_rc
    steps = (bottom - top) / shape[0], (right - left) / shape[1]
    rows = np.asarray(top + (np.arange(shape[0]) + 0.5) * steps[0], dtype=np.float64)
    columns = np.asarray(left + (np.arange(shape[1]) + 0.5) * steps[1], dtype=np.float64)
    return sample_grid(pixels, rows, columns, (abs(steps[0]), abs(steps[1])))


def sample_grid(
    pixels: PixelArray, rows: FloatArray, columns: FloatArray, steps_px: tuple[float, float]
) -> PixelArray:
    """Sample at the crossings of ``rows`` and ``columns`` (pixel coordinates), linear, 0 outside.

    ``steps_px`` is the distance of the samples in source pixels; steps above 1 are anti-aliased.
    """
    # Half the extra step as Gaussian sigma is the usual compromise between blur and aliasing.
    sigma = [max(0.0, (step - 1) / 2) for step in steps_px]
    source, corner = _window(pixels, rows, columns, margin=4 + int(4 * max(sigma)))
    if max(sigma) > 0:
        source = ndimage.gaussian_filter(source, sigma)
    grid = np.meshgrid(rows - corner[0], columns - corner[1], indexing="ij")
    return ndimage.map_coordinates(source, np.stack(grid), order=1, mode="constant").astype(np.float32)


def _window(
    pixels: PixelArray, rows: FloatArray, columns: FloatArray, margin: int
) -> tuple[PixelArray, tuple[int, int]]:
    """The part of the image that the samples touch, as float32, and its corner."""
    top, left = (max(0, int(np.floor(v.min())) - margin) for v in (rows, columns))
    bottom, right = (int(np.ceil(v.max())) + margin + 1 for v in (rows, columns))
    part = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    if part.size == 0:  # the box lies wholly outside
        return np.zeros((1, 1), np.float32), (top, left)
    return part.astype(np.float32), (top, left)


def resample_to_mm(pixels: PixelArray, spacing_rc_mm: FloatArray, target_mm: float) -> PixelArray:
    """Resample a whole slice to square pixels of ``target_mm``.

    Pixel (0, 0) keeps its place: result index times ``target_mm`` / spacing = source index.
    """
    steps = target_mm / spacing_rc_mm
    counts = [int(np.floor((n - 1) / step)) + 1 for n, step in zip(pixels.shape, steps, strict=True)]
    rows, columns = (np.arange(n) * step for n, step in zip(counts, steps, strict=True))
    return sample_grid(pixels, rows, columns, (float(steps[0]), float(steps[1])))
