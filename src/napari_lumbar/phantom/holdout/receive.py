"""From signals to an image: coil, saturation, fat shift, k-space with its limits, noise, magnitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from ...domain.geometry import SliceGeometry
from ...domain.study import PixelArray
from .section import Floats


@dataclass(frozen=True, eq=False)
class Receiver:
    """What one series has in common.

    Parameters
    ----------
    phase_axis
        0 where phase is encoded along the rows' index, 1 along the columns'.
    acquired
        Share of the matrix that was measured along phase and frequency; the rest is filled with zeros.
    taper
        How far k-space is faded out towards its border, 0 .. 1.
    fat_shift_px
        Chemical shift along the frequency axis.
    noise
        Standard deviation as a share of the gain.
    ghost, ghost_period
        Strength and period (lines) of what breathing modulates.
    shading
        Coefficients of x, y, x^2, y^2, xy over the image (-1 .. 1).
    falloff_mm
        Depth at which the coil in the table is half as sensitive.
    band_mm, band_left
        Distance in front of the image's reference from where on a saturation band leaves only this share.
    gain
        Stored value of the brightest tissues.
    """

    phase_axis: int
    acquired: tuple[float, float]
    taper: float
    fat_shift_px: float
    noise: float
    ghost: float
    ghost_period: float
    shading: npt.NDArray[np.float32]
    falloff_mm: float
    band_mm: float
    band_left: float
    gain: float


def draw_receiver(rng: np.random.Generator, *, sagittal: bool) -> Receiver:
    """Draw how a series was measured."""
    has_band = rng.uniform() < (0.6 if sagittal else 0.4)
    return Receiver(
        phase_axis=int(rng.uniform() < 0.3) if sagittal else int(rng.uniform() < 0.5),
        acquired=(float(rng.uniform(0.58, 0.88)), float(rng.uniform(0.78, 1.0))),
        taper=float(rng.choice([0.0, rng.uniform(0.05, 0.4)])),
        fat_shift_px=float(rng.uniform(0.6, 2.0) * rng.choice([-1, 1])),
        noise=float(np.exp(rng.uniform(np.log(0.012), np.log(0.045)))),
        ghost=float(rng.choice([0.0, rng.uniform(0.01, 0.05)])),
        ghost_period=float(rng.uniform(4, 9)),
        shading=rng.normal(0, (0.1, 0.1, 0.08, 0.08, 0.05)).astype(np.float32),
        falloff_mm=float(np.exp(rng.uniform(np.log(90), np.log(700)))),
        band_mm=float(rng.uniform(58, 80)) if has_band else np.inf,
        band_left=float(rng.uniform(0.06, 0.3)),
        gain=float(rng.uniform(180, 700)),
    )


def weights(receiver: Receiver, geometry: SliceGeometry, reference_y_mm: float) -> Floats:
    """Sensitivity over the image, shape (rows, columns); ``reference_y_mm`` is the canal's patient y."""
    v = np.linspace(-1, 1, geometry.rows, dtype=np.float32)[:, None]
    u = np.linspace(-1, 1, geometry.columns, dtype=np.float32)
    a, b, c, d, e = receiver.shading
    shading = np.exp(a * u + b * v + c * u * u + d * v * v + e * u * v)
    row_step, column_step = geometry.steps_lps_mm[:, 1].astype(np.float32)
    back = geometry.position_lps_mm[1] - reference_y_mm
    back = back + row_step * np.arange(geometry.rows, dtype=np.float32)[:, None]
    back = back + column_step * np.arange(geometry.columns, dtype=np.float32)
    coil = 1 / (1 + np.maximum(60 - back, 0) / receiver.falloff_mm)
    if np.isfinite(receiver.band_mm):
        edge = 1 / (1 + np.exp(np.clip((-back - receiver.band_mm) / 3, -30, 30)))
        shading = shading * (receiver.band_left + (1 - receiver.band_left) * edge)
    return np.asarray(shading * coil, dtype=np.float32)


def _shifted(image: Floats, pixels: float, axis: int) -> Floats:
    """An image moved by a fraction of a pixel, with linear interpolation."""
    whole = int(np.floor(pixels))
    part = np.float32(pixels - whole)
    return np.asarray((1 - part) * np.roll(image, whole, axis) + part * np.roll(image, whole + 1, axis))


def _window(size: int, acquired: float, taper: float) -> Floats:
    """Which lines of k-space were measured and how they count, in FFT order, shape (size,)."""
    distance = np.abs(np.fft.fftfreq(size)) * 2 / acquired
    faded = 0.5 + 0.5 * np.cos(np.pi * np.clip((distance - 1 + taper) / max(taper, 1e-6), 0, 1))
    return np.where(distance <= 1, faded if taper else 1.0, 0.0).astype(np.float32)


def expose(water: Floats, fat: Floats, receiver: Receiver, rng: np.random.Generator) -> Floats:
    """The magnitude image of one slice.

    Parameters
    ----------
    water, fat
        Signals weighted by the coil and scaled so that bright tissue is about 1, shape (rows, columns).

    Returns
    -------
    array
        Shape (rows, columns), not yet scaled to stored values.
    """
    phase = receiver.phase_axis
    together = water + _shifted(fat, receiver.fat_shift_px, 1 - phase)
    space = fft.fft2(together)
    shares = receiver.acquired if phase == 0 else receiver.acquired[::-1]
    rows, columns = (
        _window(n, share, receiver.taper) for n, share in zip(together.shape, shares, strict=True)
    )
    measured = np.ix_(np.flatnonzero(rows), np.flatnonzero(columns))
    lines_measured = measured[0].size, measured[1].size
    sigma = np.float32(receiver.noise * together.size / np.sqrt(np.prod(lines_measured)))
    noise = rng.standard_normal((*lines_measured, 2), dtype=np.float32) * sigma
    space[measured] += noise.view(np.complex64)[..., 0]
    lines = np.arange(together.shape[phase])
    breathing = 1 + receiver.ghost * np.cos(2 * np.pi * lines / receiver.ghost_period + rng.uniform(0, 6))
    ghost = breathing.astype(np.float32)
    rows, columns = (rows * ghost, columns) if phase == 0 else (rows, columns * ghost)
    space *= rows[:, None] * columns
    return np.asarray(np.abs(fft.ifft2(space)), dtype=np.float32)


def stored(image: Floats, gain: float) -> PixelArray:
    """Whole numbers as a scanner stores them."""
    return np.round(np.clip(image * gain, 0, 4095)).astype(np.float32)
