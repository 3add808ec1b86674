"""What is odd about the series of a study as they are read, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..domain.geometry import SliceGeometry, median_step_mm
from ..domain.study import SeriesRole
from .codes import Oddity
from .complaint import Note, note
from .facts import series_facts
from .headers import SliceHeader
from .stacks import Plane, stack_order
from .weighting import Weighting, weighting_of

#: Steps may differ by this share, or by this many mm, before a slice counts as missing.
STEP_TOLERANCE, STEP_TOLERANCE_MM = 0.02, 0.1
#: An axial block longer than this spans three discs, of which the lowest is tilted by 20 degrees or more.
LONGEST_BLOCK_MM = 80.0


def series_notes(series_id: str, headers: Sequence[SliceHeader]) -> Iterator[Note]:
    """Notes on the positions of one series' slices, given in any order."""
    geometries = [header.geometry for header in headers]
    stacks = [[geometries[i] for i in order] for order in stack_order(geometries)]
    subject = f"series {series_id}"
    if any(_uneven(stack) for stack in stacks):
        yield note(Oddity.UNEVEN, subject)
    stated = {header.stated_step_mm for header in headers if header.stated_step_mm}
    measured = [step for stack in stacks if (step := median_step_mm(stack)) > 0]
    if stated and measured and all(_differ(step, s) for step in measured for s in stated):
        yield note(Oddity.STEP_CONTRADICTED, subject, f"{min(stated):g} mm against {measured[0]:.2f} mm")
    axial = series_facts(series_id, headers).plane is Plane.AXIAL
    if axial and max(_length_mm(stack) for stack in stacks) > LONGEST_BLOCK_MM:
        yield note(Oddity.OBLIQUE_DISCS, subject)


def study_notes(headers: Sequence[SliceHeader], roles: Sequence[SeriesRole | None]) -> Iterator[Note]:
    """Notes on how the series of a study fit together.

    Parameters
    ----------
    headers, roles
        One header of each series, and its role, in the same order.
    """
    frames = {header.frame_of_reference_uid for header in headers}
    if len(frames) > 1:
        sentence = (
            f"{len(frames)} {Oddity.FRAMES_OF_REFERENCE.sentence}; their coordinates are taken to agree"
        )
        yield Note(Oddity.FRAMES_OF_REFERENCE, f"{sentence}, check the position lines")
    for header, role in zip(headers, roles, strict=True):
        if role is SeriesRole.SAGITTAL_T1 and weighting_of(header)[0] is Weighting.T1_CONTRAST:
            yield Note(Oddity.CONTRAST_AGENT, Oddity.CONTRAST_AGENT.sentence)


def _depths_mm(stack: Sequence[SliceGeometry]) -> list[float]:
    return [float(stack[0].signed_distance_mm(geometry.centre_lps_mm)) for geometry in stack]


def _length_mm(stack: Sequence[SliceGeometry]) -> float:
    return abs(_depths_mm(stack)[-1])


def _uneven(stack: Sequence[SliceGeometry]) -> bool:
    step_mm = median_step_mm(stack)
    return any(_differ(step_mm, step) for step in np.abs(np.diff(_depths_mm(stack))))


def _differ(step_mm: float, other_mm: float) -> bool:
    return abs(step_mm - other_mm) > max(STEP_TOLERANCE_MM, STEP_TOLERANCE * step_mm)
