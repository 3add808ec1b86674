"""The trunk around the spine: skin, fat, muscles, vessels and bowel, as fields of the patient frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...domain.geometry import FloatArray
from ..tissue import LabelArray, Tissue
from .materials import BOWEL, MUSCLE_FAT, SLOW_VESSEL
from .plane import Slab
from .section import Floats
from .spine import Spine

#: Sine waves in a texture.
N_WAVES: Final = 12


@dataclass(frozen=True, eq=False)
class Trunk:
    """One patient's trunk; lengths in mm.

    Parameters
    ----------
    half_width_mm, back_mm, front_mm
        Of the body's outline; back and front count from the spine's axis at L3/L4.
    fat_back_mm, fat_front_mm
        Fat under the skin.
    streaks
        How much fat the muscles hold, 0 .. 1.
    coarse, fine
        Wave vectors (1/mm) and phases of two textures, shape (n, 4).
    axis_xy
        Polynomials of the spine's x and y (mm) in its height (dm), highest power first, shape (2, 7).
    axis_range_mm
        Heights between which they hold.
    bifurcation_mm
        Height at which aorta and vena cava divide.
    """

    half_width_mm: float
    back_mm: float
    front_mm: float
    fat_back_mm: float
    fat_front_mm: float
    streaks: float
    slow_veins: bool
    coarse: FloatArray
    fine: FloatArray
    axis_xy: FloatArray
    axis_range_mm: tuple[float, float]
    bifurcation_mm: float


def make_trunk(rng: np.random.Generator, spine: Spine) -> Trunk:
    """Draw a patient's trunk."""
    heavy = float(rng.beta(2, 2.6))
    axis = np.stack([d.frame.origin_mm for d in spine.discs])
    return Trunk(
        half_width_mm=150 + 45 * heavy,
        back_mm=70 + 8 * spine.size + 32 * heavy,
        front_mm=95 + 75 * heavy,
        fat_back_mm=7 + 30 * heavy,
        fat_front_mm=8 + 32 * heavy,
        streaks=float(rng.beta(1.6, 3)),
        slow_veins=bool(rng.uniform() < 0.4),
        coarse=_waves(rng, 30, 90),
        fine=_waves(rng, 5, 22),
        axis_xy=np.stack([np.polyfit(axis[:, 2] / 100, axis[:, k], 6) for k in (0, 1)]),
        axis_range_mm=(float(axis[-1, 2]), float(axis[0, 2])),
        bifurcation_mm=float(spine.discs[spine.last - 1].frame.origin_mm[2] + rng.normal(8, 8)),
    )


def _waves(rng: np.random.Generator, shortest_mm: float, longest_mm: float) -> FloatArray:
    lengths = np.exp(rng.uniform(np.log(shortest_mm), np.log(longest_mm), N_WAVES))
    directions = rng.standard_normal((N_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.column_stack([directions * (2 * np.pi / lengths)[:, None], rng.uniform(0, 2 * np.pi, N_WAVES)])


def wave_field(slab: Slab, waves: FloatArray) -> Floats:
    """Sum of sine waves at a slab's pixels, roughly within -2 .. 2, shape (rows, columns)."""
    vectors, phases = waves[:, :3], waves[:, 3]
    along_rows = (
        phases + vectors @ slab.origin_mm + np.outer(np.arange(slab.rows), vectors @ slab.row_step_mm)
    )
    along_columns = np.outer(vectors @ slab.column_step_mm, np.arange(slab.columns))
    rows, columns = np.exp(1j * along_rows), np.exp(1j * along_columns)
    total = (rows.astype(np.complex64) @ columns.astype(np.complex64)).imag
    return np.asarray(total * np.float32(np.sqrt(2 / len(waves))))


@dataclass(frozen=True, eq=False)
class _Field:
    """Places of a slab's pixels, mm, each of shape (rows, columns).

    ``x`` and ``y`` count from the spine; ``under`` is the depth under the skin, negative outside.
    """

    x: Floats
    y: Floats
    z: Floats
    under: Floats
    coarse: Floats
    fine: Floats


def trunk_materials(slab: Slab, trunk: Trunk, fine: Floats) -> LabelArray:
    """Materials of the trunk at a slab's pixels, shape (rows, columns); the spine is painted over it.

    ``fine`` is the field of ``trunk.fine``.
    """
    field = _field(slab.middle, trunk, fine)
    materials = np.zeros(field.x.shape, dtype=np.uint8)
    _paint_layers(materials, field, trunk)
    _paint_muscles(materials, field, trunk)
    _paint_vessels(materials, field, trunk)
    return materials


def _field(middle: Slab, trunk: Trunk, fine: Floats) -> _Field:
    x, y, z = (middle.along(axis, np.zeros(3), middle.whole)[0] for axis in np.eye(3))
    low, high = trunk.axis_range_mm
    height = (np.clip(z, low, high) / 100).astype(np.float32)
    to_left, to_back = (_polynomial(coefficients, height) for coefficients in trunk.axis_xy)
    coarse = wave_field(middle, trunk.coarse)
    # Skin follows the spine only in part.
    under = _depth_under_skin(x - to_left / 2, y - np.float32(0.75) * to_back, trunk)
    return _Field(x - to_left, y - to_back, z, under, coarse, fine)


def _polynomial(coefficients: FloatArray, at: Floats) -> Floats:
    total = np.full_like(at, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * at + np.float32(coefficient)
    return total


def _depth_under_skin(x: Floats, y: Floats, trunk: Trunk) -> Floats:
    half_depth, middle = (trunk.back_mm + trunk.front_mm) / 2, (trunk.back_mm - trunk.front_mm) / 2
    across, along = np.square(x / trunk.half_width_mm), np.square((y - middle) / half_depth)
    outline = np.square(across + along) - np.float32(1.1) * across * along
    return np.asarray((1 - np.sqrt(np.sqrt(outline))) * half_depth)


def _paint_layers(materials: LabelArray, field: _Field, trunk: Trunk) -> None:
    """Skin, fat, the belly's wall, kidneys and bowel."""
    to_front = np.clip((40 - field.y) / 100, 0, 1)
    inner = field.under - trunk.fat_back_mm - (trunk.fat_front_mm - trunk.fat_back_mm) * to_front
    materials[field.under > 0] = Tissue.SKIN
    materials[field.under > 1.8] = Tissue.FAT
    materials[(inner > 0) & (inner < 9) & (field.y < 25)] = Tissue.MUSCLE
    cavity = inner >= 9
    loops = np.clip((field.coarse + 1.65) * 1.8, 0, 5).astype(np.uint8)
    kinds = np.array([BOWEL, BOWEL + 1, Tissue.FAT, BOWEL + 2, BOWEL + 3, Tissue.BOWEL_GAS], dtype=np.uint8)
    front = cavity & (field.y < -34 - 3 * field.coarse)
    materials[front] = kinds[loops[front]]
    x, y, z = (np.abs(field.x) - 64) / 26, (field.y - 2) / 24, (field.z - 85) / 48
    materials[(x * x + y * y + z * z < 1) & cavity] = Tissue.ABDOMEN


def _paint_muscles(materials: LabelArray, field: _Field, trunk: Trunk) -> None:
    x, y = np.abs(field.x), field.y
    deep = field.under - trunk.fat_back_mm - 2
    posterior = (np.square((x - 27) / 31) + np.square((y - 37) / 29) < 1) & (deep > 0) & (x > 2)
    grow = np.clip((110 - field.z) / 150, 0.15, 1)
    psoas = np.square((x - 29) / grow - 14) / 17**2 + np.square((y + 3) / grow) / 23**2 < 1
    quadratus = np.square((x - 68) / 18) + np.square((y - 20) / 9) < 1
    materials[(posterior | psoas | quadratus) & (materials == Tissue.FAT)] = Tissue.MUSCLE
    # Fat gathers between the bundles, close to the spine and at its lower end.
    threshold = 1.7 - 1.5 * trunk.streaks - 0.5 * (field.z < -40) + 0.02 * x
    materials[posterior & (field.fine + 0.3 * field.coarse > threshold)] = MUSCLE_FAT
    materials[posterior & (np.abs(x - 15 - 0.22 * (y - 20) - 2 * field.coarse) < 0.4 + 0.4 * field.fine)] = (
        Tissue.FAT
    )
    between = (x < 2) & (y > 24) & (deep > -1)
    materials[between] = np.where((field.fine > -0.1) | (deep < 3), Tissue.LIGAMENT, MUSCLE_FAT)[between]


def _paint_vessels(materials: LabelArray, field: _Field, trunk: Trunk) -> None:
    x, y = field.x, field.y
    # Below the bifurcation each goes on as a pair.
    down = np.maximum(trunk.bifurcation_mm - field.z, 0)
    width = 9 - 3 * np.minimum(down / 10, 1)
    aorta = np.square(np.abs(x - 6) - 0.55 * down) + np.square(y + 32 - 0.1 * down) < np.square(width)
    vein = np.square((np.abs(x + 13) - 0.45 * down) / 10) + np.square((y + 29 - 0.2 * down) / 7) < 1
    inner = field.under > 20
    materials[aorta & inner] = Tissue.VESSEL
    materials[vein & inner] = SLOW_VESSEL if trunk.slow_veins else Tissue.VESSEL
