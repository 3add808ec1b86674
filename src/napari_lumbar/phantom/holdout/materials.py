"""What tissues are made of: a tissue may come in several materials that look different."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..tissue import LabelArray, Tissue

#: Nucleus of each disc from here on, by the disc's index.
NUCLEUS: Final = 40
N_NUCLEI: Final = 24
#: Bowel contents, loose fat in muscle, the vertebra's vein, marrow that turned to fat beside worn discs.
BOWEL: Final = 70
N_BOWEL: Final = 4
MUSCLE_FAT: Final = 80
VEIN: Final = 81
FATTY_MARROW: Final = 82
SLOW_VESSEL: Final = 83


def _tissues() -> LabelArray:
    table = np.arange(256, dtype=np.uint8)
    table[NUCLEUS : NUCLEUS + N_NUCLEI] = Tissue.DISC_NUCLEUS
    table[BOWEL : BOWEL + N_BOWEL] = Tissue.BOWEL
    table[MUSCLE_FAT] = Tissue.MUSCLE
    table[VEIN] = table[FATTY_MARROW] = Tissue.VERTEBRA
    table[SLOW_VESSEL] = Tissue.VESSEL
    return table


#: Look-up table from material to tissue, shape (256,).
TISSUE_OF: Final = _tissues()
