"""Which planes each condition group is graded from, and the size of their crops."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.spine import ConditionGroup

#: In the order in which the networks take their bags.
PLANES: Mapping[ConditionGroup, tuple[str, ...]] = {
    ConditionGroup.CANAL: ("sagittal", "axial"),
    ConditionGroup.FORAMINAL: ("sagittal", "axial"),
    ConditionGroup.SUBARTICULAR: ("axial",),
}

#: (height, width) of the ``tiny`` preset: about half of the published 128 x 224 and 256 x 256.
PLANE_SHAPES: Mapping[str, tuple[int, int]] = {"sagittal": (64, 112), "axial": (96, 96)}
