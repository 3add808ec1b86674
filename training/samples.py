"""What one training image of the sagittal network knows about itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Values of ``SagittalSample.mask``.
MASK_VERTEBRA, MASK_DISC, MASK_CANAL, MASK_SACRUM = 1, 2, 3, 4


@dataclass(frozen=True, eq=False)
class SagittalSample:
    """One sagittal slice at 1.5 mm per pixel between its neighbours, with its truth.

    Parameters
    ----------
    images
        0..255, shape (3, rows, columns): the slice to the right, this one, the one to the left (at an end of
        the stack the last one again); columns to posterior, rows to caudal.
    masks
        0 other, 1 vertebra, 2 disc, 3 canal, 4 sacrum; same shape.
    named_rc
        Disc centres by name in pixels of the slice.
    other_discs_rc
        Centres of further discs, shape (n, 2).
    foramina_rcd
        Foramina as (row, column, distance from this slice in mm), shape (n, 3); None where nobody knows, and
        then nobody knows the sacrum either (real slices).
    """

    images: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.uint8]
    named_rc: Mapping[str, tuple[float, float]]
    other_discs_rc: npt.NDArray[np.float32]
    foramina_rcd: npt.NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class SagittalStack:
    """Slices of one series with their truth; see ``SagittalSample``.

    Parameters
    ----------
    images, masks
        Shape (n, rows, columns).
    named_rc, other_discs_rc, foramina_rcd
        Per slice.
    """

    images: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.uint8]
    named_rc: Sequence[Mapping[str, tuple[float, float]]]
    other_discs_rc: Sequence[npt.NDArray[np.float32]]
    foramina_rcd: Sequence[npt.NDArray[np.float32] | None]

    def samples(self, step: int) -> list[SagittalSample]:
        """Every slice between those ``step`` before and after it."""
        return [
            SagittalSample(*parts)
            for parts in zip(
                with_neighbours(self.images, step),
                with_neighbours(self.masks, step),
                self.named_rc,
                self.other_discs_rc,
                self.foramina_rcd,
                strict=True,
            )
        ]


def with_neighbours(stack: npt.NDArray[np.uint8], step: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Each slice of a stack (n, rows, columns) between those ``step`` before and after it, as views."""
    padded = np.pad(stack, ((step, step), (0, 0), (0, 0)), mode="edge")
    return (padded[i : i + 2 * step + 1 : step] for i in range(len(stack)))
