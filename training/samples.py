"""What one training image of the sagittal network knows about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Values of ``SagittalSample.mask``.
MASK_VERTEBRA, MASK_DISC, MASK_CANAL = 1, 2, 3


@dataclass(frozen=True, eq=False)
class SagittalSample:
    """One sagittal slice at 1.5 mm per pixel with its truth.

    Parameters
    ----------
    image
        0..255, shape (rows, columns), columns to posterior, rows to caudal.
    mask
        0 other, 1 vertebra, 2 disc, 3 canal; same shape.
    named_rc
        Disc centres by name in pixels of ``image``.
    other_discs_rc, foramina_rc
        Shape (n, 2). ``foramina_rc`` is None where nobody knows (real slices).
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]
    named_rc: Mapping[str, tuple[float, float]]
    other_discs_rc: npt.NDArray[np.float32]
    foramina_rc: npt.NDArray[np.float32] | None
