"""Brightness of each material from the signal equation, water and fat apart.

    S = PD (1 - exp(-TR/T1)) exp(-TE/T2)                     spin echo
    S = PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2)     inversion recovery

T1 and T2 at 1.5 T: fat, marrow, muscle, kidney (as abdomen) from de Bazelaire et al., Radiology 2004;
cord, nerve, blood from Stanisz et al., Magn Reson Med 2005; discs from Marinelli et al., Spine 2009 and
Stelzeneder et al., Eur J Radiol 2012; CSF from Rooney et al., Magn Reson Med 2007. Fat carries a longer T2
than measured with single echoes: echo trains leave it bright (Henkelman et al., Magn Reson Med 1994).
Cortex and ligaments have T2 of a few milliseconds or less. T1 grows about as the third root of the field
(Bottomley et al., Med Phys 1984). Marrow turns to fat with age (Ishijima et al., Radiology 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray
from .tissue import BOWEL_MATERIAL, N_BOWEL_KINDS, N_NUCLEI, NUCLEUS_MATERIAL, TISSUE_OF_MATERIAL, Tissue

#: (T1 ms, T2 ms, proton density, share of fat) at 1.5 T; relaxation is that of the water.
RELAXATION: Final[dict[Tissue, tuple[float, float, float, float]]] = {
    Tissue.AIR: (1000, 10, 0.0, 0),
    Tissue.SKIN: (900, 35, 0.7, 0.1),
    Tissue.FAT: (300, 95, 0.92, 1),
    Tissue.MUSCLE: (880, 38, 0.8, 0.03),
    Tissue.VERTEBRA: (900, 55, 0.72, 0.45),
    Tissue.CORTEX: (800, 4, 0.25, 0),
    Tissue.DISC_ANNULUS: (900, 38, 0.6, 0),
    Tissue.DISC_NUCLEUS: (1250, 110, 0.85, 0),
    Tissue.CSF: (3800, 1500, 1.0, 0),
    Tissue.CORD: (750, 76, 0.8, 0),
    Tissue.ROOTS: (820, 76, 0.8, 0),
    Tissue.EPIDURAL_FAT: (300, 95, 0.92, 1),
    Tissue.FORAMINAL_FAT: (300, 95, 0.92, 1),
    Tissue.NERVE_ROOT: (850, 70, 0.75, 0),
    Tissue.LIGAMENTUM_FLAVUM: (900, 22, 0.5, 0),
    Tissue.FACET: (900, 25, 0.45, 0.35),
    Tissue.JOINT_FLUID: (2500, 400, 0.9, 0),
    Tissue.VESSEL: (1450, 30, 0.35, 0),
    Tissue.ABDOMEN: (970, 80, 0.8, 0),
    Tissue.BOWEL: (900, 70, 0.8, 0),
    Tissue.BOWEL_GAS: (1000, 10, 0.03, 0),
    Tissue.LIGAMENT: (900, 10, 0.4, 0),
    Tissue.SACRUM: (900, 55, 0.72, 0.5),
}
FAT_TISSUES: Final = (Tissue.FAT, Tissue.EPIDURAL_FAT, Tissue.FORAMINAL_FAT)
MARROW_TISSUES: Final = (Tissue.VERTEBRA, Tissue.SACRUM, Tissue.FACET)
#: Field strengths in tesla and how often patients lie in them.
FIELDS: Final = ((0.5, 0.04), (1.0, 0.08), (1.5, 0.58), (3.0, 0.3))
#: Share of T1 series with inversion (dark CSF) and of T2 series with fat suppression.
T1_FLAIR_SHARE: Final = 0.15
FAT_SUPPRESSED_SHARE: Final = 0.12
#: Spread of the logarithm of each tissue's brightness, and how much of a decisive contrast stays at least.
TISSUE_SPREAD: Final = 0.35
CONTRAST_KEPT: Final = (0.4, 0.8)
#: Pairs of neighbours whose contrast carries a grade: the second one gives way.
DECISIVE: Final = (
    (Tissue.CSF, Tissue.VERTEBRA),
    (Tissue.CSF, Tissue.ROOTS),
    (Tissue.CSF, Tissue.CORD),
    (Tissue.CSF, Tissue.DISC_ANNULUS),
    (Tissue.CSF, Tissue.DISC_NUCLEUS),
    (Tissue.CSF, Tissue.LIGAMENTUM_FLAVUM),
    (Tissue.CSF, Tissue.LIGAMENT),
    (Tissue.FORAMINAL_FAT, Tissue.NERVE_ROOT),
    (Tissue.FORAMINAL_FAT, Tissue.DISC_ANNULUS),
    (Tissue.FORAMINAL_FAT, Tissue.FACET),
    (Tissue.EPIDURAL_FAT, Tissue.LIGAMENTUM_FLAVUM),
    (Tissue.VERTEBRA, Tissue.CORTEX),
)
_TISSUE = np.minimum(TISSUE_OF_MATERIAL, len(Tissue) - 1)
_DARKEST = 0.01


@dataclass(frozen=True)
class Sequence:
    """Timing of a sequence in milliseconds.

    Parameters
    ----------
    tr_ms, te_ms
        Repetition and echo time.
    ti_ms
        Inversion time, None without inversion.
    fat_left
        Share of the fat signal left by fat suppression or Dixon separation; 1 without.
    """

    tr_ms: float
    te_ms: float
    ti_ms: float | None = None
    fat_left: float = 1.0


@dataclass(frozen=True, eq=False)
class SignalTable:
    """Brightness of each material, arrays of shape (256,), the brightest common tissue near 1.

    Parameters
    ----------
    water, fat
        The two signals; fat before suppression.
    patches
        Standard deviation of the brightness from place to place: fatty patches in marrow and muscle.
    fat_left
        Share of ``fat`` left where suppression works.
    """

    water: npt.NDArray[np.float32]
    fat: npt.NDArray[np.float32]
    patches: npt.NDArray[np.float32]
    fat_left: float

    @property
    def total(self) -> npt.NDArray[np.float32]:
        """Brightness where fat suppression works, shape (256,)."""
        return np.asarray(self.water + self.fat_left * self.fat, dtype=np.float32)


def signal(
    sequence: Sequence, t1_ms: npt.ArrayLike, t2_ms: npt.ArrayLike, density: npt.ArrayLike
) -> FloatArray:
    """The signal equation; the three arrays share a shape."""
    t1, t2 = np.asarray(t1_ms, dtype=np.float64), np.asarray(t2_ms, dtype=np.float64)
    recovered = np.exp(-sequence.tr_ms / t1)
    if sequence.ti_ms is None:
        longitudinal = 1 - recovered
    else:
        longitudinal = np.abs(1 - 2 * np.exp(-sequence.ti_ms / t1) + recovered)
    return np.asarray(density) * longitudinal * np.exp(-sequence.te_ms / t2)


def material_properties(rng: np.random.Generator, wear: tuple[float, ...]) -> FloatArray:
    """(T1, T2, density, share of fat, its patchiness) of one patient's materials, shape (256, 5).

    Parameters
    ----------
    rng
        Draws the patient's age, the magnet, and a little jitter of every tissue.
    wear
        0 to 1 for each disc; a worn nucleus has lost its water.
    """
    tissues = np.array([RELAXATION[t] for t in Tissue], dtype=np.float64)
    tissues[:, :3] *= np.clip(rng.normal(1, (0.06, 0.08, 0.04), (len(Tissue), 3)), 0.7, 1.3)
    _set_field(tissues, float(rng.choice([f for f, _ in FIELDS], p=[p for _, p in FIELDS])))
    for tissue in FAT_TISSUES:
        tissues[tissue] = tissues[Tissue.FAT]
    tissues = np.column_stack([tissues, np.zeros(len(Tissue))])
    _age(tissues, 30 + 45 * float(np.mean(wear)), rng)
    table = tissues[_TISSUE]
    for index, worn in enumerate(wear[:N_NUCLEI]):
        table[NUCLEUS_MATERIAL + index, 1] *= 1 - 0.62 * worn
        table[NUCLEUS_MATERIAL + index, 2] *= 1 - 0.3 * worn
    bowel = np.arange(BOWEL_MATERIAL, BOWEL_MATERIAL + N_BOWEL_KINDS)
    table[bowel, :3] *= rng.uniform(0.6, 1.6, (bowel.size, 3))
    return table


def _set_field(tissues: FloatArray, field_tesla: float) -> None:
    """Carry T1 and T2 over from 1.5 T; fat changes less than water, free water hardly."""
    relative = field_tesla / 1.5
    powers = np.full(len(Tissue), 0.3)
    powers[[*FAT_TISSUES]] = 0.12
    powers[[Tissue.CSF, Tissue.JOINT_FLUID]] = 0.03
    tissues[:, 0] *= relative**powers
    tissues[:, 1] *= relative**-0.08


def _age(tissues: FloatArray, mean_age: float, rng: np.random.Generator) -> None:
    """Fat in marrow and muscle grows with the age and differs between people of one age."""
    age = float(np.clip(rng.normal(mean_age, 12), 18, 92))
    marrow = np.clip(0.22 + 0.0045 * age + rng.normal(0, 0.1), 0.08, 0.85)
    tissues[MARROW_TISSUES, 3] += marrow - tissues[Tissue.VERTEBRA, 3]
    tissues[MARROW_TISSUES, 3] = np.clip(tissues[MARROW_TISSUES, 3], 0.05, 0.9)
    tissues[MARROW_TISSUES, 4] = rng.uniform(0.02, 0.2)
    infiltrated = max(0.0, (age - 20) / 70 * rng.uniform(0, 0.3))
    tissues[Tissue.MUSCLE, 3:] += infiltrated


def draw_t1(rng: np.random.Generator) -> Sequence:
    """A T1-weighted spin echo, sometimes with an inversion that darkens CSF."""
    if rng.uniform() < T1_FLAIR_SHARE:
        return Sequence(rng.uniform(1700, 2600), rng.uniform(8, 25), rng.uniform(650, 900))
    return Sequence(rng.uniform(400, 800), rng.uniform(7, 20))


def draw_t2(rng: np.random.Generator) -> Sequence:
    """A T2-weighted fast spin echo, sometimes with fat suppression or Dixon separation."""
    suppressed = rng.uniform() < FAT_SUPPRESSED_SHARE
    left = float(rng.uniform(0.03, 0.3)) if suppressed else 1.0
    return Sequence(rng.uniform(2500, 6000), rng.uniform(70, 130), fat_left=left)


def draw_stir(rng: np.random.Generator, fat_t1_ms: float) -> Sequence:
    """A STIR whose inversion time nulls fat, nearly."""
    ti_ms = float(fat_t1_ms * np.log(2) * rng.uniform(0.85, 1.08))
    return Sequence(rng.uniform(2800, 6000), rng.uniform(25, 80), ti_ms)


def signal_table(
    sequence: Sequence, properties: FloatArray, rng: np.random.Generator, randomize: bool
) -> SignalTable:
    """Brightness of each material in a sequence.

    ``randomize`` moves every tissue far from the signal equation, yet keeps enough of the contrasts that
    carry a grade, and bends the grey scale.
    """
    t1, t2, density, share, patchiness = properties.T
    water = signal(sequence, t1, t2, density)
    fat = density * signal(sequence, t1[Tissue.FAT], t2[Tissue.FAT], 1.0)
    patches = patchiness * (sequence.fat_left * fat - water)
    parts = np.stack([(1 - share) * water, share * fat, patches])
    total = parts[0] + sequence.fat_left * parts[1]
    if randomize:
        everything = np.ones(len(Tissue), dtype=np.bool_)
        parts *= random_gains(total[: len(Tissue)], everything, rng)[_TISSUE]
        total = parts[0] + sequence.fat_left * parts[1]
        bend = rng.uniform(0.7, 1.35)
        parts *= np.maximum(total / total.max(), _DARKEST) ** (bend - 1)
        total = parts[0] + sequence.fat_left * parts[1]
    water, fat, patches = (parts / np.percentile(total[: len(Tissue)], 95)).astype(np.float32)
    return SignalTable(water, fat, patches, sequence.fat_left)


def random_gains(
    brightness: FloatArray, present: npt.NDArray[np.bool_], rng: np.random.Generator
) -> FloatArray:
    """Factor of each tissue's brightness; all arrays of shape (tissues,).

    Of a decisive contrast between tissues that are present, whichever of the two is brighter, a random share
    of its logarithm stays.
    """
    physical = np.log(np.maximum(brightness, _DARKEST * brightness.max()))
    moved = rng.normal(0, TISSUE_SPREAD, len(Tissue))
    # All fat looks alike but for a little.
    moved[[*FAT_TISSUES]] = moved[Tissue.FAT] + rng.normal(0, 0.08, len(FAT_TISSUES))
    randomized = physical + moved
    kept = rng.uniform(*CONTRAST_KEPT, len(DECISIVE)) * [physical[a] - physical[b] for a, b in DECISIVE]
    for (anchor, yielding), contrast in zip(DECISIVE, kept, strict=True):
        if not (present[anchor] and present[yielding]):
            continue
        limit = randomized[anchor] - contrast
        bound = min if contrast > 0 else max
        randomized[yielding] = bound(randomized[yielding], limit)
    return np.exp(randomized - physical)
