"""Which slices of a sagittal series are looked at together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..domain.study import MRSeries, SliceStack

#: Slices of one grid lie this well behind each other (mm).
_ASIDE_MM = 1.0


def sagittal_stack(series: MRSeries) -> tuple[int, SliceStack]:
    """The slices of a sagittal series that lie side by side, and the ``slice_index`` of the first of them.

    Where slices are missing a series is divided into stacks; parts that continue each other are one again,
    for a foramen may lie on the smaller one. Else it is the stack with most slices.
    """
    together = SliceStack(series.slices)
    if len(series.stacks) > 1 and _continue_each_other(together):
        return 0, together
    sizes = [len(stack.slices) for stack in series.stacks]
    largest = int(np.argmax(sizes))
    return sum(sizes[:largest]), series.stacks[largest]


def _continue_each_other(stack: SliceStack) -> bool:
    """Whether slices of one shape follow each other in one direction, without repeating a place."""
    grids = [s.geometry for s in stack.slices]
    first = grids[0]
    shape = first.rows, first.columns, first.row_spacing_mm, first.column_spacing_mm
    offsets = np.array([g.position_lps_mm for g in grids]) - np.array(first.position_lps_mm)
    heights = offsets @ first.normal
    aside = np.linalg.norm(offsets - heights[:, None] * first.normal, axis=1)
    steps = [after - before for before, after in pairwise(heights)]
    return (
        all((g.rows, g.columns, g.row_spacing_mm, g.column_spacing_mm) == shape for g in grids)
        and all(np.allclose(g.normal, first.normal, atol=1e-3) for g in grids)
        and bool(aside.max() <= _ASIDE_MM)
        and (min(steps) > 0 or max(steps) < 0)
    )
