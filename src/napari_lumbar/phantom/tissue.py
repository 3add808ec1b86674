"""Tissues, and the materials the anatomy is painted with.

A material is a tissue with its own brightness: each disc's nucleus ages on its own, bowel loops differ.
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


#: First material of the discs' nuclei (one per disc, cranial to caudal) and of the kinds of bowel.
NUCLEUS_MATERIAL: Final = 40
BOWEL_MATERIAL: Final = 60
N_NUCLEI: Final = 8
N_BOWEL_KINDS: Final = 4


def _tissue_of_material() -> LabelArray:
    table = np.arange(256, dtype=np.uint8)
    table[NUCLEUS_MATERIAL : NUCLEUS_MATERIAL + N_NUCLEI] = Tissue.DISC_NUCLEUS
    table[BOWEL_MATERIAL : BOWEL_MATERIAL + N_BOWEL_KINDS] = Tissue.BOWEL
    return table


#: Look-up table from material to tissue, shape (256,).
TISSUE_OF_MATERIAL: Final = _tissue_of_material()
