"""Random geometry and random appearance for slices; everything follows from the generator passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch.nn import functional

from ..domain.geometry import FloatArray
from ..phantom import Tissue
from ..phantom.contrast import random_gains

Image = npt.NDArray[np.float32]
#: (top, left, bottom, right) of the part of an image that was not blackened.
Kept = tuple[int, int, int, int]
#: Fewer pixels of a tissue say nothing about its brightness.
_FEWEST_PIXELS = 12


@dataclass(frozen=True)
class Affine:
    """Maps canvas pixels to source pixels: ``source = matrix @ (canvas - canvas_centre) + source_centre``."""

    matrix: FloatArray
    canvas_centre: FloatArray
    source_centre: FloatArray

    def centred(self, source_centre: FloatArray) -> Affine:
        """Return the same turn and scale about another source pixel."""
        return replace(self, source_centre=source_centre)

    def to_canvas(self, points_rc: npt.NDArray[np.floating]) -> FloatArray:
        """Map source points, shape (n, 2), to the canvas."""
        points = np.asarray(points_rc, dtype=np.float64).reshape(-1, 2)
        return (points - self.source_centre) @ np.linalg.inv(self.matrix).T + self.canvas_centre

    def warp(self, images: npt.NDArray[np.number], shape: tuple[int, int], order: Literal[0, 1]) -> Image:
        """Sample source images (..., rows, columns) on a canvas of ``shape``; outside is 0."""
        rows, columns = images.shape[-2:]
        source = torch.from_numpy(np.ascontiguousarray(images, np.float32)).reshape(1, -1, rows, columns)
        sampled = functional.grid_sample(
            source,
            torch.from_numpy(self._grid((rows, columns), shape))[None],
            mode="bilinear" if order else "nearest",
            align_corners=True,
        )
        return sampled.reshape(*images.shape[:-2], *shape).numpy()

    def _grid(self, source_shape: tuple[int, int], shape: tuple[int, int]) -> Image:
        """Where each canvas pixel comes from, as torch wants it: (x, y) from -1 to 1, shape (*shape, 2)."""
        down = np.arange(shape[0]) - self.canvas_centre[0]
        across = np.arange(shape[1]) - self.canvas_centre[1]
        row, column = (
            m[0] * down[:, None] + m[1] * across + centre
            for m, centre in zip(self.matrix, self.source_centre, strict=True)
        )
        scale = [2 / max(n - 1, 1) for n in source_shape]
        return np.stack([column * scale[1] - 1, row * scale[0] - 1], axis=-1).astype(np.float32)


def random_affine(
    rng: np.random.Generator,
    source_shape: tuple[int, ...],
    canvas_shape: tuple[int, int],
    max_shift_px: tuple[float, float],
    max_degrees: float = 20.0,
    max_log_scale: float = 0.25,
) -> Affine:
    """Rotate, scale (each axis a little apart) and shift about the centre."""
    angle = np.deg2rad(rng.uniform(-max_degrees, max_degrees))
    scale = np.exp(rng.uniform(-max_log_scale, max_log_scale) + rng.uniform(-0.07, 0.07, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.uniform(-1, 1, 2) * max_shift_px
    return Affine(
        matrix=turn * scale,
        canvas_centre=(np.array(canvas_shape) - 1) / 2,
        source_centre=(np.array(source_shape[:2]) - 1) / 2 + shift,
    )


def random_appearance(
    rng: np.random.Generator, image: Image, fold_share: float = 0.25, strength: float = 1.0
) -> Image:
    """Change contrast, shading, sharpness and noise of an image in 0..1.

    ``fold_share`` of the intensity curves are not monotonic: bright and dark tissues change places.
    ``strength`` below 1 keeps curves nearer to a straight line and noise lower.
    """
    if rng.random() < 0.6:
        image = _curve(rng, image, fold_share, strength)
    if rng.random() < 0.5:
        image = image ** np.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.6:
        image = image * _shading(rng, image.shape)
    if rng.random() < 0.4:
        sigma = rng.uniform(0.2, 1.0)
        image = ndimage.gaussian_filter(image, [0] * (image.ndim - 2) + [sigma, sigma])
    if rng.random() < 0.7:
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        image = image + noise * np.float32(rng.uniform(0.005, 0.06) * strength)
    top = float(np.percentile(image, 99.5))
    return np.clip(image / max(top, 1e-3), 0, 1).astype(np.float32)


def random_tissue_contrast(
    rng: np.random.Generator, image: Image, mask: npt.NDArray[np.integer], labels: int
) -> Image:
    """Scale the intensity of each labelled tissue on its own: real T2 slices come to look like T1."""
    factors = np.exp(rng.uniform(-1.2, 0.7, labels + 1))
    factors[0] = 1.0
    field = factors[mask].astype(np.float32)
    return (image * ndimage.gaussian_filter(field, [0] * (image.ndim - 2) + [0.6, 0.6])).astype(np.float32)


def tissue_gains(
    rng: np.random.Generator, image: npt.NDArray[np.number], tissues: npt.NDArray[np.uint8]
) -> Image:
    """Random factor per tissue of a phantom's slice, shape (tissues,), that leaves its window as it is.

    The contrasts that carry a grade stay recognisable (see ``phantom.contrast``), all others do as they like.
    """
    labels = tissues.ravel()
    counts = np.bincount(labels, minlength=len(Tissue))
    sums = np.bincount(labels, weights=image.ravel(), minlength=len(Tissue))
    present = counts >= _FEWEST_PIXELS
    brightness = np.where(present, sums / np.maximum(counts, 1), sums.sum() / labels.size)
    gains = random_gains(brightness, present, rng)
    before, after = np.percentile(image, 99), np.percentile(image * gains[tissues], 99)
    return np.asarray(gains * before / max(float(after), 1e-3), np.float32)


def black_border(rng: np.random.Generator, image: Image) -> tuple[Image, Kept]:
    """Blacken random margins, as a smaller field of view would; also return what is kept."""
    height, width = image.shape[-2:]
    top, bottom = (int(height * rng.uniform(0, 0.3) * (rng.random() < 0.5)) for _ in range(2))
    left, right = (int(width * rng.uniform(0, 0.2) * (rng.random() < 0.3)) for _ in range(2))
    return keep_part(image, (top, left, height - bottom, width - right))


def keep_part(image: Image, kept: Kept) -> tuple[Image, Kept]:
    """Blacken all but (top, left, bottom, right) of the last two axes."""
    top, left, bottom, right = kept
    result = np.zeros_like(image)
    result[..., top:bottom, left:right] = image[..., top:bottom, left:right]
    return result, kept


def _curve(rng: np.random.Generator, image: Image, fold_share: float, strength: float) -> Image:
    knots = np.linspace(0, 1, 6)
    values = rng.random(6)
    if rng.random() >= fold_share:
        values = np.sort(values)
    values = strength * values + (1 - strength) * knots
    return np.interp(image, knots, values).astype(np.float32)


def _shading(rng: np.random.Generator, shape: tuple[int, ...]) -> Image:
    coarse = rng.normal(0, 0.35, (3, 3))
    plane = shape[-2:]  # a volume is shaded alike in every slice
    zoomed = ndimage.zoom(coarse, [n / 3 for n in plane], order=1, grid_mode=True, mode="nearest")
    return np.exp(zoomed).astype(np.float32)
