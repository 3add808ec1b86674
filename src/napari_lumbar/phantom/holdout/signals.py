"""Signals from relaxation times: every material is a water pool and a fat pool.

Water at 3 T: Stanisz et al., Magn Reson Med 2005; Gold et al., AJR 2004; de Bazelaire et al., Radiology
2004; discs: Marinelli et al., Spine 2010. At 1.5 T the longitudinal times are shorter. The train of a fast
spin echo keeps fat bright, so its T2 is longer here than in a single echo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...domain.geometry import FloatArray
from ...domain.study import SeriesRole
from ..tissue import Tissue
from .materials import BOWEL, FATTY_MARROW, MUSCLE_FAT, N_NUCLEI, NUCLEUS, SLOW_VESSEL, VEIN

#: Water density, T1 and T2 (ms) of the water, fat density.
POOLS: Final = {
    Tissue.AIR: (0.0, 1000, 40, 0.0),
    Tissue.SKIN: (0.55, 1000, 32, 0.12),
    Tissue.FAT: (0.08, 1100, 40, 0.92),
    Tissue.MUSCLE: (0.78, 1420, 34, 0.04),
    Tissue.VERTEBRA: (0.42, 1150, 52, 0.38),
    Tissue.SACRUM: (0.42, 1150, 52, 0.38),
    Tissue.CORTEX: (0.08, 700, 8, 0.03),
    Tissue.DISC_ANNULUS: (0.55, 950, 36, 0.02),
    Tissue.DISC_NUCLEUS: (0.75, 1250, 90, 0.01),
    Tissue.CSF: (1.0, 4000, 900, 0.0),
    Tissue.CORD: (0.76, 990, 78, 0.0),
    Tissue.ROOTS: (0.76, 1050, 74, 0.02),
    Tissue.EPIDURAL_FAT: (0.12, 1100, 45, 0.84),
    Tissue.FORAMINAL_FAT: (0.12, 1100, 45, 0.84),
    Tissue.NERVE_ROOT: (0.78, 1100, 76, 0.03),
    Tissue.LIGAMENTUM_FLAVUM: (0.45, 900, 24, 0.05),
    Tissue.FACET: (0.33, 1100, 46, 0.3),
    Tissue.JOINT_FLUID: (0.9, 2600, 300, 0.0),
    Tissue.VESSEL: (0.05, 1900, 60, 0.01),
    Tissue.ABDOMEN: (0.82, 1250, 62, 0.03),
    Tissue.BOWEL: (0.7, 1200, 60, 0.05),
    Tissue.BOWEL_GAS: (0.01, 1000, 20, 0.0),
    Tissue.LIGAMENT: (0.28, 900, 16, 0.05),
}
_OTHERS: Final = {
    BOWEL: (0.75, 1300, 55, 0.04),
    BOWEL + 1: (0.65, 900, 48, 0.12),
    BOWEL + 2: (0.85, 1800, 120, 0.03),
    BOWEL + 3: (0.6, 700, 42, 0.1),
    MUSCLE_FAT: (0.4, 1400, 36, 0.5),
    VEIN: (0.7, 1500, 95, 0.22),
    FATTY_MARROW: (0.25, 1150, 52, 0.66),
    SLOW_VESSEL: (0.75, 1800, 130, 0.0),
}
_FAT_T1_MS: Final = {1.5: 290.0, 3.0: 375.0}
_WATER_T1_AT_1_5: Final = 0.8


@dataclass(frozen=True, eq=False)
class Body:
    """One patient's materials in one magnet, arrays over material numbers of shape (256,); times in ms."""

    water: FloatArray
    t1_ms: FloatArray
    t2_ms: FloatArray
    fat: FloatArray
    fat_t1_ms: float
    fat_t2_ms: float


@dataclass(frozen=True)
class Sequence:
    """A spin-echo sequence, times in ms.

    Parameters
    ----------
    name
        "T1", "T2", "STIR" or "T2 FS".
    inversion_ms
        0 without inversion.
    fat_left
        Share of the fat's signal that a fat suppression leaves.
    """

    name: str
    repetition_ms: float
    echo_ms: float
    inversion_ms: float = 0.0
    fat_left: float = 1.0


def draw_body(rng: np.random.Generator, wears: FloatArray) -> Body:
    """One patient's relaxation times; ``wears`` (0 .. 1) ages the nucleus of each disc."""
    table = np.zeros((256, 4))
    table[:, 1:3] = 1000, 40
    for pools in (POOLS, _OTHERS):
        for material, values in pools.items():
            table[int(material)] = values
    worn = np.resize(wears, N_NUCLEI)
    table[NUCLEUS : NUCLEUS + N_NUCLEI] = np.stack(
        [0.85 - 0.25 * worn, 1350 - 350 * worn, 125 * np.exp(-1.25 * worn), np.full(N_NUCLEI, 0.01)], axis=1
    )
    table *= np.exp(rng.normal(0, 0.06, table.shape))
    _age_marrow(rng, table)
    tesla = float(rng.choice([1.5, 3.0], p=[0.6, 0.4]))
    shorter = _WATER_T1_AT_1_5 if tesla < 2 else 1.0
    fat_t1 = _FAT_T1_MS[tesla] * float(np.exp(rng.normal(0, 0.04)))
    return Body(
        table[:, 0], table[:, 1] * shorter, table[:, 2], table[:, 3], fat_t1, float(rng.uniform(105, 165))
    )


def _age_marrow(rng: np.random.Generator, table: npt.NDArray[np.float64]) -> None:
    """Red marrow of the young has half the fat of yellow marrow."""
    fat = float(rng.uniform(0.22, 0.56))
    for bone in (Tissue.VERTEBRA, Tissue.SACRUM):
        table[bone, 3], table[bone, 0] = fat, 0.8 - 0.85 * fat
    table[Tissue.FACET, 3], table[Tissue.FACET, 0] = 0.8 * fat, 0.62 - 0.7 * fat


def draw_sequence(rng: np.random.Generator, role: SeriesRole, body: Body) -> Sequence:
    """A protocol for a role."""
    if role is SeriesRole.SAGITTAL_T1:
        return Sequence("T1", float(rng.uniform(450, 800)), float(rng.uniform(7, 14)))
    if role is SeriesRole.AXIAL_T2:
        return Sequence("T2", float(rng.uniform(2800, 5500)), float(rng.uniform(85, 125)))
    kind = float(rng.uniform())
    if kind < 0.17:
        null = body.fat_t1_ms * np.log(2) * float(rng.normal(1, 0.04))
        return Sequence("STIR", float(rng.uniform(3500, 6000)), float(rng.uniform(45, 75)), float(null))
    fat_left = float(rng.uniform(0.04, 0.14)) if kind < 0.27 else 1.0
    name = "T2 FS" if kind < 0.27 else "T2"
    return Sequence(name, float(rng.uniform(2500, 5000)), float(rng.uniform(85, 122)), 0.0, fat_left)


def signals(body: Body, sequence: Sequence) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Signal of the water and of the fat of every material, shape (256,) each."""
    water = body.water * _relaxed(sequence, body.t1_ms) * np.exp(-sequence.echo_ms / body.t2_ms)
    fat_echo = float(np.exp(-sequence.echo_ms / body.fat_t2_ms))
    fat = body.fat * float(_relaxed(sequence, np.array(body.fat_t1_ms))) * fat_echo * sequence.fat_left
    return water.astype(np.float32), fat.astype(np.float32)


def _relaxed(sequence: Sequence, t1_ms: FloatArray) -> FloatArray:
    recovered = np.exp(-sequence.repetition_ms / t1_ms)
    if not sequence.inversion_ms:
        return np.asarray(1 - recovered)
    return np.asarray(np.abs(1 - 2 * np.exp(-sequence.inversion_ms / t1_ms) + recovered))
