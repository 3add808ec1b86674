"""Which of several stations along the spine is meant, where names do not tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Lowest and highest place of a series along the patient's axis, in mm.
Span = tuple[float, float]

#: Middles of series of one station lie nearer to each other than this; stations overlap by far less.
STATION_MM = 100.0


def station_places(spans_mm: Mapping[str, Span], axial_mm: Sequence[Span]) -> dict[str, int]:
    """The place of each series' station in the order in which they are preferred, 0 first.

    Axial series are planned where the complaint is, so the station that shows most of them is meant; where
    stations show equally much, the lowest one. Series whose middles lie within 100 mm are of one station.
    """
    stations: list[list[str]] = []
    for name in sorted(spans_mm, key=lambda one: (middle_mm(spans_mm[one]), one)):
        if stations and middle_mm(spans_mm[name]) - middle_mm(spans_mm[stations[-1][-1]]) <= STATION_MM:
            stations[-1].append(name)
        else:
            stations.append([name])
    # The sort keeps the order of those that show equally much: from below.
    stations.sort(key=lambda names: -max(_shown_share(spans_mm[name], axial_mm) for name in names))
    return {name: place for place, names in enumerate(stations) for name in names}


def middle_mm(span_mm: Span) -> float:
    """The height of a series' middle."""
    return (span_mm[0] + span_mm[1]) / 2


def _shown_share(span_mm: Span, axial_mm: Sequence[Span]) -> float:
    """How much of the axial series a series shows, to the nearest tenth: less is no reason to prefer it."""
    shown = sum(max(0.0, min(span_mm[1], high) - max(span_mm[0], low)) for low, high in axial_mm)
    whole = sum(high - low for low, high in axial_mm)
    return round(shown / whole, 1) if whole else 0.0
