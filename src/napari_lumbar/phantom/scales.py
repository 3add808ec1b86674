"""What a severity means in millimetres: the measure of each condition group and its borders.

============  ==========================================================  ==========  =========
group         measure                                                     moderate    severe
============  ==========================================================  ==========  =========
canal         cross-section of the thecal sac at the disc                 < 100 mm2   < 60 mm2
foraminal     fat around the root in the foramen's middle sagittal plane  < 50 mm2    < 20 mm2
subarticular  open depth of the lateral recess, disc to facet             < 5.0 mm    < 3.0 mm
============  ==========================================================  ==========  =========

Sources. Canal: Schonstrom et al., Spine 1985 (100 mm2 relative, 75 mm2 absolute stenosis) and Schizas et al.,
Spine 2010 (grades C and D, no fluid left, begin near 60 mm2: the roots alone fill about 40 mm2). Foraminal:
Lee et al., AJR 2010 (grade 2: fat lost all around the root; 3: root deformed). Subarticular: Ciric et al.,
J Neurosurg 1980 (above 5 mm normal, 3 mm and less stenosis).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ..domain.geometry import FloatArray
from ..domain.spine import ConditionGroup

#: Narrowness in grades at which the measures below are given; linear in between, constant outside.
KNOTS_GRADES: Final = (-6.0, -3.0, -1.0, 0.0, 1.0, 2.0, 4.0)
#: mm2, mm2 and mm.
MEASURES: Final[Mapping[ConditionGroup, tuple[float, ...]]] = {
    ConditionGroup.CANAL: (260.0, 205.0, 142.0, 100.0, 60.0, 38.0, 22.0),
    ConditionGroup.FORAMINAL: (170.0, 140.0, 86.0, 50.0, 20.0, 7.0, 0.0),
    ConditionGroup.SUBARTICULAR: (9.5, 8.4, 6.6, 5.0, 3.0, 1.6, 0.4),
}


def measure_of(group: ConditionGroup, narrowness: float | Sequence[float] | FloatArray) -> FloatArray:
    """The measure in mm2 or mm of a narrowness in grades; same shape."""
    return np.asarray(np.interp(narrowness, KNOTS_GRADES, MEASURES[group]), dtype=np.float64)


def narrowness_of(group: ConditionGroup, measure: float | Sequence[float] | FloatArray) -> FloatArray:
    """Inverse of ``measure_of``."""
    return np.asarray(np.interp(measure, MEASURES[group][::-1], KNOTS_GRADES[::-1]), dtype=np.float64)
