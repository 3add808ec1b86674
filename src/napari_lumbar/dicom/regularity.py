"""Whether the slices of a series lie as a scanner lays them: evenly, straight, and the usual way round. Pure.

Headers that were altered or typed wrongly still give every slice some place. What a scanner measures is more
regular than that, so a slice in a wrong place nearly always breaks one of these rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry, median_step_mm
from .stacks import Plane, common_plane, parallel, plane_of

Stack = Sequence[SliceGeometry]

#: Steps may differ by this share, or by this many mm, before a slice counts as missing or moved.
STEP_TOLERANCE, STEP_TOLERANCE_MM = 0.02, 0.1
#: Axes of one stack are written alike; positions run along the normal up to the rounding of headers.
_AXES_TOLERANCE_DEG, _NORMAL_TOLERANCE_DEG, _ROUNDING_MM = 0.02, 0.1, 0.02
#: Axes further than 60 degrees from the usual ones are another way round.
_USUAL_COSINE = 0.5
#: Centres of neighbouring discs are further apart than this.
_DISCS_APART_MM = 20.0
#: A series that is so much smaller than another was not measured so.
_LEAST_FIELD_SHARE = 0.2
#: How scanners store images: directions along a row and along a column, in LPS.
_USUAL_AXES = {
    Plane.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    Plane.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    Plane.AXIAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
}


def steps_differ(step_mm: float, other_mm: float) -> bool:
    """Whether two distances between slices are not the same distance."""
    return abs(step_mm - other_mm) > max(STEP_TOLERANCE_MM, STEP_TOLERANCE * step_mm)


def is_uneven(stacks: Sequence[Stack]) -> bool:
    """Whether a slice is off the even steps of its stack, in any direction, or two stacks' steps differ."""
    steps_mm = [step for stack in stacks if (step := median_step_mm(stack)) > 0]
    return any(map(_uneven_stack, stacks)) or any(steps_differ(steps_mm[0], step) for step in steps_mm[1:])


def is_skewed(stack: Stack) -> bool:
    """Whether the slices of a stack are turned against each other, or not straight above each other."""
    return _axes_differ(stack) or _leans(stack)


def is_scattered(stacks: Sequence[Stack]) -> bool:
    """Whether a slice stands alone beside whole stacks, or sagittal slices fall into several."""
    sizes = [len(stack) for stack in stacks]
    if len(stacks) == 1:
        return False
    sagittal = all(plane_of(stack[0]) is Plane.SAGITTAL for stack in stacks)
    return sagittal or min(sizes) == 1 < max(sizes) or _crowded(stacks)


def is_mixed(stacks: Sequence[Stack]) -> bool:
    """Whether the images of a series differ in size or in the size of their pixels."""
    slices = [geometry for stack in stacks for geometry in stack]
    sizes = np.array([(g.rows, g.columns, g.row_spacing_mm, g.column_spacing_mm) for g in slices])
    return not np.allclose(sizes, sizes[0], rtol=1e-3, atol=0)


def is_unusually_stored(stacks: Sequence[Stack]) -> bool:
    """Whether rows or columns of an image run another way than in the files of scanners."""
    slices = [geometry for stack in stacks for geometry in stack]
    # The series': an axial slice along a steep L5/S1 is nearer to coronal, and stored as an axial one.
    plane = common_plane(slices)
    return any(_another_way_round(g, plane_of(g) if plane is None else plane) for g in slices)


def numbers_cross(stacks: Sequence[Sequence[int]]) -> bool:
    """Whether InstanceNumbers, given in spatial order, go back and forth where all of them differ."""
    numbers = [number for stack in stacks for number in stack]
    if len(set(numbers)) < len(numbers):
        return False
    directions = {int(np.sign(step)) for stack in stacks for step in np.diff(stack)}
    return len(directions) > 1


def fields_are_apart(one: Stack, other: Stack) -> bool:
    """Whether two series' images share less than half of the shorter extent along an axis, or one is tiny."""
    (low, high), (other_low, other_high) = _extent(one), _extent(other)
    fields_mm = sorted((max(high - low), max(other_high - other_low)))
    if fields_mm[0] < _LEAST_FIELD_SHARE * fields_mm[1]:
        return True
    shared = np.minimum(high, other_high) - np.maximum(low, other_low)
    return bool((shared < np.minimum(high - low, other_high - other_low) / 2).any())


def _crowded(stacks: Sequence[Stack]) -> bool:
    """Whether single slices are alike in tilt or near each other; one for each disc would be neither."""
    if any(len(stack) > 1 for stack in stacks):
        return False
    pairs = combinations([stack[0] for stack in stacks], 2)
    return any(
        parallel(one, other) or math.dist(one.centre_lps_mm, other.centre_lps_mm) < _DISCS_APART_MM
        for one, other in pairs
    )


def _centres(stack: Stack) -> FloatArray:
    return np.stack([geometry.centre_lps_mm for geometry in stack])


def _uneven_stack(stack: Stack) -> bool:
    if len(stack) < 3:
        return False
    steps = np.diff(_centres(stack), axis=0)
    off_mm = np.linalg.norm(steps - np.median(steps, axis=0), axis=1)
    return bool((off_mm > max(STEP_TOLERANCE_MM, STEP_TOLERANCE * median_step_mm(stack))).any())


def _axes_differ(stack: Stack) -> bool:
    axes = np.array([(*geometry.along_row, *geometry.along_column) for geometry in stack])
    return bool(np.abs(axes - axes[0]).max() > np.radians(_AXES_TOLERANCE_DEG))


def _leans(stack: Stack) -> bool:
    way = _centres(stack)[-1] - _centres(stack)[0]
    along = float(way @ stack[0].normal)
    across = float(np.linalg.norm(way - along * stack[0].normal))
    return across > max(_ROUNDING_MM, np.tan(np.radians(_NORMAL_TOLERANCE_DEG)) * abs(along))


def _another_way_round(geometry: SliceGeometry, plane: Plane) -> bool:
    usual = np.array(_USUAL_AXES[plane])
    axes = np.array([geometry.along_row, geometry.along_column])
    return bool(((axes * usual).sum(axis=1) < _USUAL_COSINE).any())


def _extent(stack: Stack) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest coordinates of all corners, each of shape (3,)."""
    ends = [[-0.5, n - 0.5] for n in (stack[0].rows, stack[0].columns)]
    corners = np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 2)
    points = np.concatenate([geometry.lps_from_pixel(corners) for geometry in stack])
    return points.min(axis=0), points.max(axis=0)
