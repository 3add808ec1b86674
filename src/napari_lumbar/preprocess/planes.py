"""Which planes each condition group is graded from, and the size of their crops, in the embedded bundle.

Networks of other bundles say both in their configuration; what theirs does not say is as here.
Deviation from the published system: the foramen is graded without its axial crop. On synthetic studies of
another generator than they were trained on, networks with it read narrow from normal with an AUROC of 0.86,
the sagittal crops alone with 0.96: the axial slice through the disc passes below the root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..domain.errors import BundleError
from ..domain.spine import ConditionGroup

#: In the order in which the networks take their bags.
PLANES: Mapping[ConditionGroup, tuple[str, ...]] = {
    ConditionGroup.CANAL: ("sagittal", "axial"),
    ConditionGroup.FORAMINAL: ("sagittal",),
    ConditionGroup.SUBARTICULAR: ("axial",),
}

#: (height, width) of the ``tiny`` preset: about half of the published 128 x 224 and 256 x 256.
PLANE_SHAPES: Mapping[str, tuple[int, int]] = {"sagittal": (64, 112), "axial": (96, 96)}


def plane_shapes(planes: Sequence[str], shapes: Sequence[Sequence[int]] | None) -> dict[str, tuple[int, int]]:
    """(height, width) of each plane's crops as a network's configuration gives them, or as they are here.

    Raises
    ------
    BundleError
        If a plane is unknown, or there is not one shape of two numbers for each plane.
    """
    unknown = [plane for plane in planes if plane not in PLANE_SHAPES]
    if unknown:
        raise BundleError(f"planes {unknown} are none of {sorted(PLANE_SHAPES)}")
    if shapes is None:
        return {plane: PLANE_SHAPES[plane] for plane in planes}
    if len(shapes) != len(planes) or any(len(shape) != 2 for shape in shapes):
        raise BundleError(f"shapes {shapes} must name (height, width) for each of the planes {planes}")
    return {plane: (int(h), int(w)) for plane, (h, w) in zip(planes, shapes, strict=True)}
