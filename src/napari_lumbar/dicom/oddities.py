"""What is odd about the series of a study as they are read, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from ..domain.geometry import SliceGeometry, median_step_mm
from ..domain.study import SeriesRole
from .codes import Oddity
from .complaint import Note, note
from .facts import series_facts
from .headers import SliceHeader
from .regularity import (
    fields_are_apart,
    is_mixed,
    is_scattered,
    is_skewed,
    is_uneven,
    is_unusually_stored,
    numbers_cross,
    steps_differ,
)
from .stacks import Plane, stack_order
from .weighting import Weighting, weighting_of

#: An axial block longer than this spans three discs, of which the lowest is tilted by 20 degrees or more.
LONGEST_BLOCK_MM = 80.0


def series_notes(series_id: str, headers: Sequence[SliceHeader]) -> Iterator[Note]:
    """Notes on the positions of one series' slices, given in any order."""
    orders = stack_order([header.geometry for header in headers])
    stacks = [[headers[i].geometry for i in order] for order in orders]
    subject = f"series {series_id}"
    found = {
        Oddity.UNEVEN: is_uneven(stacks),
        Oddity.SKEWED: any(map(is_skewed, stacks)),
        Oddity.SCATTERED: is_scattered(stacks),
        Oddity.MIXED_SIZES: is_mixed(stacks),
        Oddity.UNUSUAL_STORAGE: is_unusually_stored(stacks),
        Oddity.FRAMES_OF_FILES: _share_numbers([h for h in headers if h.frame is not None]),
        Oddity.CROSSED_NUMBERS: numbers_cross([[headers[i].instance_number for i in o] for o in orders]),
    }
    for oddity, met in found.items():
        if met:
            yield note(oddity, subject)
    stated = {header.stated_step_mm for header in headers if header.stated_step_mm}
    measured = [step for stack in stacks if (step := median_step_mm(stack)) > 0]
    if stated and measured and all(steps_differ(step, s) for step in measured for s in stated):
        yield note(Oddity.STEP_CONTRADICTED, subject, f"{min(stated):g} mm against {measured[0]:.2f} mm")
    axial = series_facts(series_id, headers).plane is Plane.AXIAL
    if axial and max(_length_mm(stack) for stack in stacks) > LONGEST_BLOCK_MM:
        yield note(Oddity.OBLIQUE_DISCS, subject)


def study_notes(
    series: Sequence[Sequence[SliceHeader]], roles: Sequence[SeriesRole | None]
) -> Iterator[Note]:
    """Notes on how the series of a study fit together.

    Parameters
    ----------
    series, roles
        The headers of each series, and its role, in the same order.
    """
    frames = {header.frame_of_reference_uid for headers in series for header in headers}
    if len(frames) > 1:
        sentence = (
            f"{len(frames)} {Oddity.FRAMES_OF_REFERENCE.sentence}; their coordinates are taken to agree"
        )
        yield Note(Oddity.FRAMES_OF_REFERENCE, f"{sentence}, check the position lines")
    if _any_apart(series, roles):
        yield Note(Oddity.FIELDS_APART, Oddity.FIELDS_APART.sentence)
    for headers, role in zip(series, roles, strict=True):
        if role is SeriesRole.SAGITTAL_T1 and weighting_of(headers[0])[0] is Weighting.T1_CONTRAST:
            yield Note(Oddity.CONTRAST_AGENT, Oddity.CONTRAST_AGENT.sentence)


def _share_numbers(frames: Sequence[SliceHeader]) -> bool:
    return len({header.instance_number for header in frames}) < len(frames)


def _any_apart(series: Sequence[Sequence[SliceHeader]], roles: Sequence[SeriesRole | None]) -> bool:
    """Whether two series in use miss each other; axial ones may each show levels of their own."""
    used = [
        (role, [header.geometry for header in headers])
        for headers, role in zip(series, roles, strict=True)
        if role is not None
    ]
    return any(
        fields_are_apart(one, other)
        for (role, one), (other_role, other) in combinations(used, 2)
        if not role is other_role is SeriesRole.AXIAL_T2
    )


def _length_mm(stack: Sequence[SliceGeometry]) -> float:
    return abs(float(stack[0].signed_distance_mm(stack[-1].centre_lps_mm)))
