"""Slices of one series at one position: the newest complete set is used, the others are listed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .codes import Exclusion
from .complaint import Complaint
from .headers import SliceHeader

#: A slice and why it is not used.
LeftOut = tuple[SliceHeader, Complaint]


def place_of(header: SliceHeader) -> tuple[object, ...]:
    """Equal for slices that show the same pixels of the patient, to a hundredth of a millimetre."""
    geometry = header.geometry
    axes = (*geometry.along_row, *geometry.along_column)
    return (
        geometry.rows,
        geometry.columns,
        *(round(v, 2) + 0.0 for v in geometry.position_lps_mm),
        *(round(v, 3) + 0.0 for v in axes),
    )


def without_repeats(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[LeftOut]]:
    """Return one slice for each position, and the others with what keeps each out.

    Whole acquisitions are preferred: the one with most positions, and of several the newest. A slice of
    another acquisition is used only where the preferred one has none.
    """
    used: dict[tuple[object, ...], SliceHeader] = {}
    left_out: list[LeftOut] = []
    for acquisition in _by_preference(headers):
        for header in sorted(acquisition, key=_age, reverse=True):
            newest = used.setdefault(place_of(header), header)
            if newest is not header:
                detail = f"{newest.sop_instance_uid} is used"
                left_out.append((header, Complaint(Exclusion.REPEATED_POSITION, detail)))
    return list(used.values()), left_out


def _by_preference(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    acquisitions: dict[int, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        acquisitions[header.acquisition.number].append(header)

    def merit(slices: list[SliceHeader]) -> tuple[object, ...]:
        return len({place_of(h) for h in slices}), max(_age(h) for h in slices)

    return sorted(acquisitions.values(), key=merit, reverse=True)


def _age(header: SliceHeader) -> tuple[object, ...]:
    # Where no time is given, scanners count on.
    frame = -1 if header.frame is None else header.frame
    number = header.acquisition.number, header.instance_number
    return (header.acquisition.time, *number, header.sop_instance_uid, frame)
