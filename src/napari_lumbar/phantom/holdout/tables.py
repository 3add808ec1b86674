"""Adult sizes, from T5/T6 down to the sacrum; one row per disc, or per vertebra below it.

Bodies: Zhou et al., Eur Spine J 2000. Pedicles: Zindrick et al., Spine 1987. Discs: Bach et al., J Anat 2018.
Distances and angles were chosen so that the canal points step down the image as in the RSNA 2024 tables.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ...domain.geometry import FloatArray

N_THORACIC: Final = 7
N_LUMBAR: Final = 5

#: Disc centre to the next one's (mm): 7 thoracic, T12/L1, L1/L2 .. L5/S1, 3 sacral.
STEP_MM: Final = (
    22.5,
    23.0,
    24.0,
    25.5,
    27.5,
    29.5,
    31.5,
    33.5,
    35.2,
    36.2,
    36.0,
    34.5,
    29.0,
    23.0,
    19.0,
    17.0,
)
#: Sagittal angle of each disc; positive where the back is higher.
ANGLE_DEG: Final = (14, 11, 8, 4, -1, -6, -10.5, -14, -14.5, -12, -5, 8.5, 27, 43, 50, 42, 20)
HEIGHT_MM: Final = (4, 4, 4.2, 4.5, 5, 5.5, 6.2, 7.4, 8.8, 10.0, 11.0, 11.4, 9.8, 2.6, 1.6, 1.0, 1.0)
#: How much taller a disc is in front than at the back, as a share of its height.
WEDGE: Final = (0, 0, 0, 0, 0, 0, 0, 0.05, 0.12, 0.15, 0.18, 0.26, 0.34, 0, 0, 0, 0)
HALF_WIDTH_MM: Final = (
    14, 14.5, 15, 15.5, 16.5, 17.5, 19, 20.2, 21.4, 22.5, 23.6, 24.8, 24.6, 21, 15, 12, 9,
)  # fmt: skip
HALF_DEPTH_MM: Final = (
    12, 12.5, 13, 13.5, 14, 14.8, 15.3, 15.8, 16.5, 17, 17.3, 17.3, 16.4, 10.5, 7.5, 6, 5,
)  # fmt: skip
#: Half width of the bony canal between the pedicles, and of the pedicles.
CANAL_HALF_WIDTH_MM: Final = (
    8.5, 8.5, 8.5, 8.5, 9, 9.5, 10.5, 11.2, 11.6, 12.2, 13, 15, 15.5, 12, 9, 7,
)  # fmt: skip
PEDICLE_HALF_WIDTH_MM: Final = (3, 3, 3, 3.2, 3.5, 3.8, 4.0, 4.0, 4.2, 4.8, 5.7, 7.8, 9, 8, 7, 6)

#: L1/L2 .. L5/S1: where readers place the foramen beside the midline, and behind the posterior wall.
FORAMEN_LATERAL_MM: Final = (14.6, 15.2, 16.0, 17.0, 18.3)
FORAMEN_BEHIND_MM: Final = (7.4, 6.7, 5.5, 3.5, 1.8)
#: The same readers' lateral recess, beside the midline.
RECESS_LATERAL_MM: Final = (8.8, 8.4, 8.1, 7.9, 8.3)
#: Facet joints beside the midline.
FACET_LATERAL_MM: Final = (14.2, 14.8, 15.8, 17.6, 20.0)


def with_lumbar(values: tuple[float, ...], count: int, first: int) -> FloatArray:
    """A table in which the five lumbar rows from ``first`` on are stretched to ``count`` rows."""
    table = np.asarray(values, dtype=np.float64)
    rows = np.linspace(0, N_LUMBAR - 1, count)
    lumbar = np.interp(rows, np.arange(N_LUMBAR), table[first : first + N_LUMBAR])
    return np.concatenate([table[:first], lumbar, table[first + N_LUMBAR :]])
