"""Headers and pixels of one series to an ``MRSeries`` and the facts its role rests on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..domain.study import MRSeries, MRSlice, PixelArray, SliceStack
from .contrast import t2_evidence
from .headers import SliceHeader
from .roles import RoleChoice, SeriesFacts, choose_roles, needs_pixels
from .stacks import common_plane, stack_order
from .weighting import is_derived, is_localiser, weighting_of


@dataclass(frozen=True, eq=False)
class LoadedSlice:
    """A header with its pixels, shape (rows, columns)."""

    header: SliceHeader
    pixels: PixelArray


def series_without_role(loaded: Sequence[LoadedSlice], series_id: str) -> MRSeries:
    """Put one series' slices, in any order, into spatial order."""
    # By UID first, so that slices at one position come in the same order whatever the files are called.
    loaded = sorted(loaded, key=lambda item: item.header.sop_instance_uid)
    order = stack_order([item.header.geometry for item in loaded])
    first = loaded[0].header
    return MRSeries(
        series_id=series_id,
        series_uid=first.series_uid,
        stacks=tuple(SliceStack(tuple(_slice(loaded[i]) for i in indices)) for indices in order),
        role=None,
        role_reason="",
        description=first.description,
        frame_of_reference_uid=first.frame_of_reference_uid,
    )


def with_roles(series: Sequence[MRSeries], headers: Sequence[SliceHeader]) -> tuple[MRSeries, ...]:
    """Return the series with their roles, the best of each role first.

    Parameters
    ----------
    series, headers
        The series of one study, and one header of each in the same order.
    """
    facts = [_facts(s, header) for s, header in zip(series, headers, strict=True)]
    open_uids = {f.series_uid for f in needs_pixels(facts)}
    facts = [
        replace(f, t2_evidence=t2_evidence(s.slices)) if f.series_uid in open_uids else f
        for f, s in zip(facts, series, strict=True)
    ]
    choices = choose_roles(facts)
    chosen = [_with_choice(s, choices[s.series_uid]) for s in series]
    return tuple(sorted(chosen, key=lambda s: choices[s.series_uid].rank))


def study_notes(series: Sequence[MRSeries], n_odd: int) -> tuple[str, ...]:
    """Sentences on what was odd but did not keep anything out."""
    notes = [note for s in series for note in _position_notes(s)]
    frames = {s.frame_of_reference_uid for s in series}
    if len(frames) > 1:
        notes.append(
            f"the series name {len(frames)} different frames of reference; their coordinates are taken "
            "to agree, check the position lines"
        )
    if n_odd:
        notes.append(f"{n_odd} headers break rules of DICOM; they were read as far as they make sense")
    return tuple(notes)


def _slice(item: LoadedSlice) -> MRSlice:
    header = item.header
    return MRSlice(header.geometry, item.pixels, header.sop_instance_uid, header.instance_number)


def _with_choice(series: MRSeries, choice: RoleChoice) -> MRSeries:
    return replace(series, role=choice.role, role_reason=choice.reason)


def _facts(series: MRSeries, header: SliceHeader) -> SeriesFacts:
    geometries = [s.geometry for s in series.slices]
    return SeriesFacts(
        series_uid=series.series_uid,
        plane=common_plane(geometries),
        weighting=weighting_of(header),
        n_slices=len(geometries),
        step_mm=max(stack.step_mm for stack in series.stacks),
        pixel_mm=float(np.mean([g.spacing_rc_mm for g in geometries])),
        localiser=is_localiser(header),
        derived=is_derived(header),
    )


def _position_notes(series: MRSeries) -> list[str]:
    positions = Counter(s.geometry for s in series.slices)
    repeated = sum(count - 1 for count in positions.values())
    notes = (
        [f"series {series.series_id}: {repeated} slices repeat the position of another"] if repeated else []
    )
    if any(_uneven(stack) for stack in series.stacks):
        notes.append(
            f"series {series.series_id}: the distance between slices is uneven; a slice may be missing"
        )
    return notes


def _uneven(stack: SliceStack) -> bool:
    first = stack.slices[0].geometry
    depths = [float(first.signed_distance_mm(s.geometry.centre_lps_mm)) for s in stack.slices]
    steps = np.abs(np.diff(depths))
    return bool((np.abs(steps - stack.step_mm) > max(0.1, 0.02 * stack.step_mm)).any())
