"""Headers and pixels of one study to its series in spatial order, with their roles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..domain.study import MRSeries, MRSlice, PixelArray, SliceStack
from .contrast import t2_evidence
from .facts import series_facts
from .headers import SliceHeader
from .roles import RoleChoice, SeriesFacts, choose_roles, needs_pixels
from .stacks import stack_order


@dataclass(frozen=True, eq=False)
class LoadedSlice:
    """A header with its pixels, shape (rows, columns)."""

    header: SliceHeader
    pixels: PixelArray


def series_without_role(loaded: Sequence[LoadedSlice], series_id: str) -> MRSeries:
    """Put one series' slices, in any order, into spatial order."""
    # By UID first, so that slices at one position come in the same order whatever the files are called.
    loaded = sorted(loaded, key=lambda item: (item.header.sop_instance_uid, item.header.frame or 0))
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
        window=_median_window([item.header for item in loaded]),
    )


def _median_window(headers: Sequence[SliceHeader]) -> tuple[float, float] | None:
    """One window for the series: scanners propose another for every slice."""
    windows = [header.window for header in headers if header.window is not None]
    if not windows:
        return None
    centres, widths = zip(*windows, strict=True)
    return median(centres), median(widths)


def with_roles(series: Sequence[MRSeries], headers: Sequence[Sequence[SliceHeader]]) -> tuple[MRSeries, ...]:
    """Return the series with their roles, the best of each role first.

    Parameters
    ----------
    series, headers
        The series of one study, and the headers of each in the same order.
    """
    facts = [series_facts(s.series_id, of_series) for s, of_series in zip(series, headers, strict=True)]
    open_ids = {f.series_id for f in needs_pixels(facts)}
    facts = [
        replace(f, t2_evidence=t2_evidence(s.slices)) if f.series_id in open_ids else f
        for f, s in zip(facts, series, strict=True)
    ]
    choices = choose_roles(facts)
    chosen = [_with_choice(s, f, choices[s.series_id]) for s, f in zip(series, facts, strict=True)]
    return tuple(sorted(chosen, key=lambda s: choices[s.series_id].rank))


def _slice(item: LoadedSlice) -> MRSlice:
    header = item.header
    return MRSlice(header.geometry, item.pixels, header.sop_instance_uid, header.instance_number)


def _with_choice(series: MRSeries, facts: SeriesFacts, choice: RoleChoice) -> MRSeries:
    return replace(
        series,
        weighting=facts.weighting.value,
        role=choice.role,
        role_reason=choice.reason,
        candidate_role=choice.candidate,
        role_score=choice.score,
        role_assumed=choice.assumed,
    )
