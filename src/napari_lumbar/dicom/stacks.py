"""Order slices in space: by orientation, then along the normal, split where a block ends. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from itertools import combinations, pairwise

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry, Vector3

#: Axial slices through L5/S1 are tilted by 40 degrees and more; a localiser's planes are 90 degrees apart.
LARGEST_TILT_DEG = 60.0
#: Discs rise to the back at L5/S1 and fall to it above; what falls more than any disc lies along the sacrum.
STEEPEST_FALL_DEG = 35.0
#: Slices of one stack may differ by this angle, in the normal and in the plane.
ANGLE_TOLERANCE_DEG = 0.5
_LONGEST_CHORD = 2 * math.sin(math.radians(ANGLE_TOLERANCE_DEG) / 2)
#: Relative difference of spacings within one stack.
SPACING_TOLERANCE = 1e-3
#: A gap of more than this many median steps ends a block (2 steps are one missing slice).
LARGEST_GAP_STEPS = 2.1
#: A slice this many steps off the block's lattice starts a new block: blocks planned one by one at equal
#: tilt are shifted against each other, while a missing slice leaves its neighbours on the lattice.
OFF_LATTICE_STEPS = 0.25
#: Slices whose centres lie within this of one line along the normal are above each other.
SAME_COLUMN_MM = 0.5


class Plane(Enum):
    """Anatomical plane nearest to a slice; the value is the patient axis its normal is nearest to."""

    SAGITTAL = 0
    CORONAL = 1
    AXIAL = 2


#: The way slices are counted: right to left, front to back, head to feet.
_FORWARD: dict[Plane, Vector3] = {
    Plane.SAGITTAL: (1.0, 0.0, 0.0),
    Plane.CORONAL: (0.0, 1.0, 0.0),
    Plane.AXIAL: (0.0, 0.0, -1.0),
}


def plane_of(geometry: SliceGeometry) -> Plane:
    """The plane whose axis the slice's normal is nearest to.

    Axial, too, for a slice along a steep L5/S1; coronal for one along the sacrum, as for sacroiliac joints.
    """
    nearest = Plane(int(np.argmax(np.abs(geometry.normal))))
    if nearest is Plane.CORONAL and _is_steep_axial(geometry):
        return Plane.AXIAL
    if nearest is Plane.AXIAL and _fall_to_back_deg(geometry) > STEEPEST_FALL_DEG:
        return Plane.CORONAL
    return nearest


def _fall_to_back_deg(geometry: SliceGeometry) -> float:
    """How steeply a plane goes down to the patient's back; negative where it rises."""
    _, to_back, to_head = geometry.normal
    return math.degrees(math.atan(to_back / to_head)) if to_head else 90.0


def _is_steep_axial(geometry: SliceGeometry) -> bool:
    """Whether a slice between axial and coronal is stored as an axial one.

    The columns of axial slices run to the back, along a steep L5/S1 also up; those of coronal ones run down.
    """
    upright = math.cos(math.radians(LARGEST_TILT_DEG))
    across = abs(geometry.along_row[0]) >= upright
    back_and_up = geometry.along_column[1] > 0 and geometry.along_column[2] > 0
    return abs(float(geometry.normal[Plane.AXIAL.value])) >= upright and across and back_and_up


def common_plane(geometries: Sequence[SliceGeometry]) -> Plane | None:
    """The plane of most slices, or None where a slice is tilted out of it by over ``LARGEST_TILT_DEG``."""
    planes = [plane_of(g) for g in geometries]
    plane = max(Plane, key=planes.count)
    upright = np.cos(np.radians(LARGEST_TILT_DEG))
    return plane if all(abs(g.normal[plane.value]) >= upright for g in geometries) else None


def stack_order(geometries: Sequence[SliceGeometry]) -> list[list[int]]:
    """Sort slices into stacks.

    Parameters
    ----------
    geometries
        Slices of one series in any order; at least one.

    Returns
    -------
    list of list of int
        Indices into ``geometries``: stacks in spatial order, the slices of each along its normal. Sagittal
        slices run from the patient's right to left, axial ones cranial to caudal, coronal ones front to back.
    """
    common = common_plane(geometries)
    placed: list[tuple[int, float, list[int]]] = []
    for group in _parallel_groups(geometries):
        plane = common or plane_of(geometries[group[0]])
        centres = np.stack([geometries[i].centre_lps_mm for i in group])
        for block in _blocks(centres, _forward_normal(geometries[group[0]], plane)):
            along = float(centres[block].mean(axis=0) @ np.array(_FORWARD[plane]))
            placed.append((plane.value, along, [group[i] for i in block]))
    return [stack for _, _, stack in sorted(placed)]


def parallel(a: SliceGeometry, b: SliceGeometry) -> bool:
    """Whether two slices may be of one stack: alike in direction, spacing and size."""
    if (a.rows, a.columns) != (b.rows, b.columns):
        return False
    spacings = (a.row_spacing_mm, b.row_spacing_mm), (a.column_spacing_mm, b.column_spacing_mm)
    if not all(math.isclose(x, y, rel_tol=SPACING_TOLERANCE) for x, y in spacings):
        return False
    # The chord of two unit vectors stays exact for small angles, where arccos of a rounded cosine does not.
    pairs = (a.along_row, b.along_row), (a.normal, b.normal)
    return all(math.dist(u, v) < _LONGEST_CHORD for u, v in pairs)


def _forward_normal(geometry: SliceGeometry, plane: Plane) -> FloatArray:
    normal = geometry.normal
    return normal if normal @ np.array(_FORWARD[plane]) >= 0 else -normal


def _parallel_groups(geometries: Sequence[SliceGeometry]) -> list[list[int]]:
    # Fixed order first, so that the result does not depend on the order of the files.
    fixed = sorted(range(len(geometries)), key=lambda i: geometries[i].position_lps_mm)
    groups: list[list[int]] = []
    for index in fixed:
        for group in groups:
            if parallel(geometries[group[0]], geometries[index]):
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _blocks(centres: FloatArray, normal: FloatArray) -> list[list[int]]:
    columns = _abreast(centres, normal)
    if columns is not None:
        return [[c[i] for i in block] for c in columns for block in _blocks(centres[c], normal)]
    order = np.argsort(centres @ normal, kind="stable")
    bounds = [0, *_cuts(centres[order], normal), len(order)]
    return [[int(i) for i in order[start:stop]] for start, stop in pairwise(bounds)]


def _abreast(centres: FloatArray, normal: FloatArray) -> list[list[int]] | None:
    """Blocks of equal tilt that lie beside each other, or None where there is one column of slices.

    Their slices alternate along the normal, so that no cut separates them; but the slices of each lie
    straight above each other.
    """
    across = centres - np.outer(centres @ normal, normal)
    columns: list[list[int]] = []
    for index, place in enumerate(across):
        near = [c for c in columns if np.linalg.norm(across[c[0]] - place) < SAME_COLUMN_MM]
        if near:
            near[0].append(index)
        else:
            columns.append([index])
    depths = [centres[c] @ normal for c in columns]
    overlap = any(min(a.max(), b.max()) > max(a.min(), b.min()) for a, b in combinations(depths, 2))
    return columns if overlap and min(map(len, columns)) > 1 else None


def _cuts(centres: FloatArray, normal: FloatArray) -> list[int]:
    steps = np.diff(centres, axis=0)
    gaps = steps @ normal
    moved = gaps > 1e-2  # repeated positions say nothing of the step
    if not moved.any():
        return []
    step = np.median(steps[moved], axis=0)
    step_mm = float(np.median(gaps[moved]))
    multiples = np.clip(np.round(gaps / step_mm), 0, None)
    off_lattice = np.linalg.norm(steps - multiples[:, None] * step, axis=1) > OFF_LATTICE_STEPS * step_mm
    return [int(i) + 1 for i in np.flatnonzero(off_lattice | (gaps > LARGEST_GAP_STEPS * step_mm))]
