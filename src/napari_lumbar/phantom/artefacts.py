"""What MR scanners add to an image: one small function per artefact, and one passage through k-space.

Artefacts of the object (fat that is shifted or not suppressed, flow, wrap-around, coil sensitivity) act on
the image; those of the acquisition (truncation, partial Fourier, motion, noise, point spread, edge filters)
are factors along the two axes of k-space, so that all of them cost one Fourier transform there and back.
Physics: Bernstein, King, Zhou, Handbook of MRI Pulse Sequences, 2004.

Images have shape (rows, columns) and are float32; ``axis`` 0 runs along rows' index, 1 along columns'.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.special import expit

from ..domain.geometry import FloatArray

Image: TypeAlias = npt.NDArray[np.float32]
KSpace: TypeAlias = npt.NDArray[np.complex64]
#: Wave vector (1/mm, LPS), phase and amplitude of a cosine.
Wave: TypeAlias = tuple[float, float, float, float, float]

NOISE_BANK = 1 << 21


@dataclass(frozen=True)
class Artefacts:
    """The artefacts of one series, the same in all its slices; 0 leaves one out.

    Parameters
    ----------
    phase_axis
        Axis whose lines are phase encoded: ghosts and wrap-around run along it, chemical shift across.
    acquired_rc
        Share of the k-space that was acquired along rows and columns; the rest is zero filled.
    partial
        Share of one half of the phase encoding that was left out.
    enhancement
        How much the reconstruction amplifies middle frequencies.
    ghost, ghost_px, sway_px
        Strength and distance of ghosts of a periodic motion; how far the body sways along the phase axis.
    fat_shift_px
        Chemical shift of fat along the frequency axis, signed.
    wrapped
        Share of the field of view that is folded over, along the phase axis.
    flow
        Signal lost where CSF flows.
    failure_mm, failure_lps_mm
        Fat suppression fails farther than this from the point; None where it works everywhere.
    bias
        Waves of the logarithm of the coil sensitivity.
    """

    phase_axis: int = 0
    acquired_rc: tuple[float, float] = (1.0, 1.0)
    partial: float = 0.0
    enhancement: float = 0.0
    ghost: float = 0.0
    ghost_px: float = 20.0
    sway_px: float = 0.0
    fat_shift_px: float = 0.0
    wrapped: float = 0.0
    flow: float = 0.0
    failure_mm: float | None = None
    failure_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    bias: tuple[Wave, ...] = ()


def draw_artefacts(rng: np.random.Generator) -> Artefacts:
    """Draw the artefacts of a series; most series have few."""

    def sometimes(share: float, low: float, high: float) -> float:
        value = float(rng.uniform(low, high))
        return value if rng.uniform() < share else 0.0

    acquired = [1 - sometimes(0.7, 0.02, 0.4) for _ in range(2)]
    return Artefacts(
        phase_axis=int(rng.integers(2)),
        acquired_rc=(acquired[0], acquired[1]),
        partial=sometimes(0.2, 0.2, 0.75),
        enhancement=sometimes(0.25, 0.15, 0.9),
        ghost=sometimes(0.15, 0.04, 0.22),
        ghost_px=float(rng.uniform(6, 70)),
        sway_px=sometimes(0.2, 0.1, 0.9),
        fat_shift_px=sometimes(0.5, 0.3, 2.2) * float(rng.choice((-1, 1))),
        wrapped=sometimes(0.08, 0.03, 0.16),
        flow=sometimes(0.25, 0.2, 0.7),
        failure_mm=sometimes(0.5, 50, 160) or None,
        failure_lps_mm=(float(rng.normal(0, 15)), float(rng.normal(-20, 20)), float(rng.normal(0, 30))),
        bias=draw_bias(rng, sometimes(0.75, 0.03, 0.22)),
    )


def draw_bias(rng: np.random.Generator, strength: float) -> tuple[Wave, ...]:
    """Three waves of 120 to 450 mm; ``strength`` is the standard deviation of each amplitude."""
    waves = []
    for _ in range(3 if strength else 0):
        direction = rng.normal(size=3)
        vector = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(120, 450)
        x, y, z = (float(value) for value in vector)
        waves.append((x, y, z, float(rng.uniform(0, 2 * np.pi)), float(rng.normal(0, strength))))
    return tuple(waves)


def bias_field(points_lps_mm: FloatArray, waves: tuple[Wave, ...]) -> FloatArray:
    """Sensitivity at points of shape (..., 3), around 1."""
    if not waves:
        return np.ones(points_lps_mm.shape[:-1])
    table = np.array(waves)
    phases = points_lps_mm @ table[:, :3].T + table[:, 3]
    return np.asarray(np.exp(np.cos(phases) @ table[:, 4]), dtype=np.float64)


def coil_falloff(points_lps_mm: FloatArray, falloff_mm: float) -> FloatArray:
    """Sensitivity of a coil under the back at points of shape (..., 3), 1 at the spine."""
    # Flat over the canal and the bodies, which lie within 45 mm in front of it.
    depth_mm = 25 - points_lps_mm[..., 1]
    fall = np.where(depth_mm > 0, np.clip(depth_mm - 45, 0, None), depth_mm) / falloff_mm
    return np.asarray(np.exp(-fall.clip(-0.6)), dtype=np.float64)


def saturation_band(points_lps_mm: FloatArray, front_y_mm: float) -> FloatArray:
    """Signal left at points of shape (..., 3) by a band in front of ``front_y_mm``."""
    return np.asarray(0.12 + 0.88 * expit((points_lps_mm[..., 1] - front_y_mm) / 5), dtype=np.float64)


def suppression_failure(points_lps_mm: FloatArray, artefacts: Artefacts) -> FloatArray:
    """Share of the fat, at points of shape (..., 3), that escapes its suppression."""
    if artefacts.failure_mm is None:
        return np.zeros(points_lps_mm.shape[:-1])
    distance_mm = np.linalg.norm(points_lps_mm - np.array(artefacts.failure_lps_mm), axis=-1)
    return np.asarray(expit((distance_mm - artefacts.failure_mm) / 12), dtype=np.float64)


def chemical_shift(fat: Image, shift_px: float, axis: int) -> Image:
    """Fat displaced along an axis by a fraction of a pixel or more; the edge repeats."""
    if not shift_px:
        return fat
    whole = int(np.floor(shift_px))
    far = np.float32(shift_px - whole)
    near = np.arange(fat.shape[axis]) - whole
    last = fat.shape[axis] - 1
    nearer, farther = (fat.take(np.clip(near - k, 0, last), axis=axis) for k in (0, 1))
    return np.asarray((1 - far) * nearer + far * farther, dtype=np.float32)


def flow_void(fluid: Image, field: Image, strength: float) -> Image:
    """Signal left where fluid (share of each pixel) flows; ``field`` is smooth, of unit variance."""
    return 1 - np.float32(strength) * fluid * np.clip(field, 0, 1)


def wrap_around(image: Image, share: float, axis: int) -> Image:
    """The body beyond one edge, taken to go on like its mirror image, folded onto the other edge."""
    count = int(share * image.shape[axis])
    if not count:
        return image
    result = np.moveaxis(image.copy(), axis, 0)
    fade = np.linspace(0.9, 0.0, count, dtype=np.float32)[:, None]
    result[:count] += fade * result[-1 : -count - 1 : -1]
    return np.moveaxis(result, 0, axis)


def truncation(frequencies: FloatArray, acquired: float, partial: float = 0.0) -> FloatArray:
    """1 on the acquired k-space lines, 0 on the others, a narrow slope between.

    ``frequencies`` are cycles per pixel; ``partial`` is the share of the negative half that is missing.
    """
    edge = 0.5 * acquired
    upper = (edge - frequencies) / 0.012
    lower = (frequencies + edge * (1 - partial)) / 0.012
    return np.clip(np.minimum(upper, lower) + 1, 0, 1)


def point_spread(frequencies: FloatArray, blur_px: float) -> FloatArray:
    """Spectrum of a Gaussian point spread of that standard deviation."""
    return np.asarray(np.exp(-2 * (np.pi * blur_px * frequencies) ** 2), dtype=np.float64)


def edge_enhancement(frequencies: FloatArray, strength: float) -> FloatArray:
    """A scanner's sharpening filter: 1 + ``strength`` at a quarter cycle per pixel."""
    relative = (frequencies / 0.25) ** 2
    return 1 + strength * relative * np.exp(1 - relative)


def motion(
    frequencies: FloatArray, artefacts: Artefacts, rng: np.random.Generator
) -> npt.NDArray[np.complex128]:
    """Errors of the phase-encoding lines: breathing modulates them periodically, swaying shifts them."""
    breath = np.cos(2 * np.pi * artefacts.ghost_px * frequencies + rng.uniform(0, 2 * np.pi))
    sway = np.interp(frequencies, np.linspace(-0.5, 0.5, 9), rng.normal(0, artefacts.sway_px, 9))
    return (1 + artefacts.ghost * breath) * np.exp(-2j * np.pi * frequencies * sway)


@cache
def _noise_bank() -> npt.NDArray[np.float32]:
    """Standard normal numbers, made once: drawing anew for each image would take half the time."""
    return np.random.default_rng(0).standard_normal(NOISE_BANK, dtype=np.float32)


def noise(shape_rc: tuple[int, ...], rng: np.random.Generator) -> KSpace:
    """Complex white noise, each part of unit variance."""
    count = 2 * int(np.prod(shape_rc))
    start = int(rng.integers(0, NOISE_BANK))
    values = _noise_bank().take(np.arange(start, start + count), mode="wrap")
    return values.view(np.complex64).reshape(shape_rc)


def acquire(
    image: Image, artefacts: Artefacts, blur_px: float, noise_sd: float, rng: np.random.Generator
) -> Image:
    """Magnitude image after a passage through k-space.

    Parameters
    ----------
    image
        What a perfect scanner would show.
    artefacts
        Those of the acquisition are applied here.
    blur_px
        Standard deviation of the point spread, pixels.
    noise_sd
        Standard deviation of each of the two channels before filtering, in units of the image.
    """
    rows, columns = image.shape
    # Odd sizes are transformed slowly: they grow to the next good one.
    grown = [(0, fft.next_fast_len(count) - count) for count in image.shape]
    k_space = fft.fft2(np.pad(image, grown, mode="edge") if np.any(grown) else image, norm="ortho")
    along_rows, along_columns = (fft.fftfreq(count) for count in k_space.shape)
    if artefacts.ghost or artefacts.sway_px:
        lines = motion((along_rows, along_columns)[artefacts.phase_axis], artefacts, rng)
        k_space *= lines.astype(np.complex64).reshape((-1, 1) if artefacts.phase_axis == 0 else (1, -1))
    k_space += np.float32(noise_sd) * noise(k_space.shape, rng)
    row_factor = passage(along_rows, artefacts, 0, blur_px)
    k_space *= np.outer(row_factor, passage(along_columns, artefacts, 1, blur_px))
    return np.abs(fft.ifft2(k_space, norm="ortho", overwrite_x=True))[:rows, :columns]


def passage(frequencies: FloatArray, artefacts: Artefacts, axis: int, blur_px: float) -> Image:
    """What is left of each k-space line of an axis: truncation, point spread and edge filter."""
    partial = artefacts.partial if axis == artefacts.phase_axis else 0.0
    factor = truncation(frequencies, artefacts.acquired_rc[axis], partial)
    factor *= point_spread(frequencies, blur_px) * edge_enhancement(frequencies, artefacts.enhancement)
    return factor.astype(np.float32)
