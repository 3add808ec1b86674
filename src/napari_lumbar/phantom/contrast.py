"""Brightness of each material from the spin-echo signal equation.

    S = PD (1 - exp(-TR/T1)) exp(-TE/T2)                     spin echo
    S = PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2)     inversion recovery

T1 and T2 at 1.5 T: fat, marrow, muscle, kidney (as abdomen) from de Bazelaire et al., Radiology 2004;
cord, nerve, blood from Stanisz et al., Magn Reson Med 2005; discs from Marinelli et al., Spine 2009 and
Stelzeneder et al., Eur J Radiol 2012; CSF from Rooney et al., Magn Reson Med 2007. Fat and marrow carry
a longer T2 than measured with single echoes: echo trains leave fat bright (Henkelman et al., Magn Reson
Med 1994). Cortex and ligaments have T2 of a few milliseconds or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .tissue import BOWEL_MATERIAL, N_BOWEL_KINDS, N_NUCLEI, NUCLEUS_MATERIAL, TISSUE_OF_MATERIAL, Tissue

SignalTable = npt.NDArray[np.float32]

#: (T1 ms, T2 ms, proton density).
RELAXATION: Final[dict[Tissue, tuple[float, float, float]]] = {
    Tissue.AIR: (1000, 10, 0.0),
    Tissue.SKIN: (900, 35, 0.7),
    Tissue.FAT: (300, 95, 0.92),
    Tissue.MUSCLE: (860, 38, 0.8),
    Tissue.VERTEBRA: (500, 72, 0.68),
    Tissue.CORTEX: (800, 4, 0.25),
    Tissue.DISC_ANNULUS: (900, 38, 0.6),
    Tissue.DISC_NUCLEUS: (1250, 110, 0.85),
    Tissue.CSF: (3800, 1500, 1.0),
    Tissue.CORD: (750, 76, 0.8),
    Tissue.ROOTS: (820, 76, 0.8),
    Tissue.EPIDURAL_FAT: (300, 95, 0.92),
    Tissue.FORAMINAL_FAT: (300, 95, 0.92),
    Tissue.NERVE_ROOT: (850, 70, 0.75),
    Tissue.LIGAMENTUM_FLAVUM: (900, 22, 0.5),
    Tissue.FACET: (650, 28, 0.45),
    Tissue.JOINT_FLUID: (2500, 400, 0.9),
    Tissue.VESSEL: (1450, 30, 0.35),
    Tissue.ABDOMEN: (970, 80, 0.8),
    Tissue.BOWEL: (900, 70, 0.8),
    Tissue.BOWEL_GAS: (1000, 10, 0.03),
    Tissue.LIGAMENT: (900, 10, 0.4),
}
FAT_TISSUES: Final = (Tissue.FAT, Tissue.EPIDURAL_FAT, Tissue.FORAMINAL_FAT)


@dataclass(frozen=True)
class Sequence:
    """Timing of a sequence in milliseconds; ``ti_ms`` is None without inversion."""

    tr_ms: float
    te_ms: float
    ti_ms: float | None = None


def signal(
    sequence: Sequence, t1_ms: npt.ArrayLike, t2_ms: npt.ArrayLike, density: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """The signal equation; the three arrays share a shape."""
    t1, t2 = np.asarray(t1_ms, dtype=np.float64), np.asarray(t2_ms, dtype=np.float64)
    recovered = np.exp(-sequence.tr_ms / t1)
    if sequence.ti_ms is None:
        longitudinal = 1 - recovered
    else:
        longitudinal = np.abs(1 - 2 * np.exp(-sequence.ti_ms / t1) + recovered)
    return np.asarray(density) * longitudinal * np.exp(-sequence.te_ms / t2)


def material_properties(rng: np.random.Generator, wear: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """(T1, T2, density) of one patient's materials, shape (256, 3).

    Parameters
    ----------
    rng
        Jitters every tissue a little.
    wear
        0 to 1 for each disc; a worn nucleus has lost its water.
    """
    tissues = np.array([RELAXATION[t] for t in Tissue])
    tissues *= np.clip(rng.normal(1, (0.06, 0.08, 0.04), tissues.shape), 0.7, 1.3)
    for tissue in FAT_TISSUES:
        tissues[tissue] = tissues[Tissue.FAT]
    table = tissues[np.minimum(TISSUE_OF_MATERIAL, len(Tissue) - 1)]
    for index, worn in enumerate(wear[:N_NUCLEI]):
        table[NUCLEUS_MATERIAL + index, 1] *= 1 - 0.62 * worn
        table[NUCLEUS_MATERIAL + index, 2] *= 1 - 0.3 * worn
    bowel = np.arange(BOWEL_MATERIAL, BOWEL_MATERIAL + N_BOWEL_KINDS)
    table[bowel] *= rng.uniform(0.6, 1.6, (bowel.size, 3))
    return table


def draw_t1(rng: np.random.Generator) -> Sequence:
    """A T1-weighted spin echo."""
    return Sequence(rng.uniform(430, 700), rng.uniform(8, 15))


def draw_t2(rng: np.random.Generator) -> Sequence:
    """A T2-weighted fast spin echo."""
    return Sequence(rng.uniform(3000, 5500), rng.uniform(80, 122))


def draw_stir(rng: np.random.Generator, fat_t1_ms: float) -> Sequence:
    """A STIR whose inversion time nulls fat, nearly."""
    ti_ms = float(fat_t1_ms * np.log(2) * rng.uniform(0.9, 1.05))
    return Sequence(rng.uniform(3000, 5000), rng.uniform(40, 75), ti_ms)


def signal_table(
    sequence: Sequence, properties: npt.NDArray[np.float64], rng: np.random.Generator, randomize: bool
) -> SignalTable:
    """Brightness of each material, shape (256,), the brightest common tissue near 1."""
    table = signal(sequence, properties[:, 0], properties[:, 1], properties[:, 2])
    if randomize:
        jitter = np.exp(rng.normal(0, 0.22, len(Tissue)))
        table = table * jitter[np.minimum(TISSUE_OF_MATERIAL, len(Tissue) - 1)]
        table = (table / table.max()) ** rng.uniform(0.75, 1.3)
    return np.asarray(table / np.percentile(table[: len(Tissue)], 95), dtype=np.float32)
