"""Tissues, and the materials the anatomy is painted with.

A material is a tissue with its own brightness: each disc's nucleus ages on its own, bowel loops differ,
marrow changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

LabelArray = npt.NDArray[np.uint8]


class Tissue(IntEnum):
    """What a voxel is made of; the integer is the label in ``PhantomStudy.tissues``."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    VERTEBRA = 4
    CORTEX = 5
    DISC_ANNULUS = 6
    DISC_NUCLEUS = 7
    CSF = 8
    CORD = 9
    ROOTS = 10
    EPIDURAL_FAT = 11
    FORAMINAL_FAT = 12
    NERVE_ROOT = 13
    LIGAMENTUM_FLAVUM = 14
    FACET = 15
    JOINT_FLUID = 16
    VESSEL = 17
    ABDOMEN = 18
    BOWEL = 19
    BOWEL_GAS = 20
    LIGAMENT = 21
    SACRUM = 22


#: First material of the discs' nuclei (one per disc, cranial to caudal) and of the kinds of bowel.
NUCLEUS_MATERIAL: Final = 40
BOWEL_MATERIAL: Final = 60
N_NUCLEI: Final = 15
N_BOWEL_KINDS: Final = 4
#: Materials of marrow that is not as it should be: Modic types 1 to 3, haemangiomas, veins in the bodies.
MODIC_MATERIAL: Final = 70
HAEMANGIOMA_MATERIAL: Final = 73
VEIN_MATERIAL: Final = 74
#: Their T1, T2, proton density and share of fat relative to healthy marrow's.
MARROW_FACTORS: Final = {
    MODIC_MATERIAL: (1.7, 1.8, 1.15, 0.3),
    MODIC_MATERIAL + 1: (0.9, 1.1, 1.1, 1.8),
    MODIC_MATERIAL + 2: (1.5, 0.35, 0.5, 0.4),
    HAEMANGIOMA_MATERIAL: (1.0, 1.9, 1.25, 1.5),
    VEIN_MATERIAL: (1.7, 2.2, 1.1, 0.2),
}


def _tissue_of_material() -> LabelArray:
    table = np.arange(256, dtype=np.uint8)
    table[NUCLEUS_MATERIAL : NUCLEUS_MATERIAL + N_NUCLEI] = Tissue.DISC_NUCLEUS
    table[BOWEL_MATERIAL : BOWEL_MATERIAL + N_BOWEL_KINDS] = Tissue.BOWEL
    table[list(MARROW_FACTORS)] = Tissue.VERTEBRA
    return table


#: Look-up table from material to tissue, shape (256,).
TISSUE_OF_MATERIAL: Final = _tissue_of_material()
