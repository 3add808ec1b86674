"""Slices of one study to the series that they are read as, by headers alone. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .codes import Oddity
from .complaint import Note, counted, note
from .headers import SliceHeader
from .joining import joined
from .naming import series_ids
from .parts import divided, without_strays
from .repeats import LeftOut, without_repeats


@dataclass(frozen=True)
class SeriesGroup:
    """Slices that are read as one series, in no particular order."""

    series_id: str
    headers: tuple[SliceHeader, ...]


@dataclass(frozen=True)
class Arrangement:
    """The series of a study, the slices that belong to none with the reason, and what was odd."""

    groups: tuple[SeriesGroup, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()


def arranged(headers: Sequence[SliceHeader], laid_out: bool = False) -> Arrangement:
    """Arrange the slices of one study.

    Series of one image each are joined, single images that do not belong are left out, several contrasts,
    planes or stations in one series become several series, and of slices at one position the newest is used.

    Parameters
    ----------
    laid_out
        Tables name each series by its folder (``series_ids``).
    """
    headers, n_joined = joined(headers)
    notes = [counted(Oddity.JOINED_SERIES, n_joined)] if n_joined else []
    ids = series_ids(headers, laid_out)
    by_uid: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        by_uid[header.series_uid].append(header)
    groups: list[SeriesGroup] = []
    left_out: list[LeftOut] = []
    for uid in by_uid:
        slices, strays = without_strays(by_uid[uid])
        parts = divided(slices)
        if len(parts) > 1:
            notes.append(note(Oddity.SPLIT_SERIES, f"series {ids[uid]}", f"{len(parts)} parts"))
        left_out += strays
        for part, series_id in zip(parts, _part_ids(ids[uid], len(parts)), strict=True):
            kept, repeated = without_repeats(part)
            left_out += repeated
            if repeated:
                notes.append(note(Oddity.REPEATED, f"series {series_id}", f"{len(repeated)} left out"))
            groups.append(SeriesGroup(series_id, tuple(kept)))
    return Arrangement(tuple(groups), tuple(left_out), tuple(notes))


def _part_ids(series_id: str, count: int) -> list[str]:
    return [series_id] if count == 1 else [f"{series_id}-part{i}" for i in range(1, count + 1)]
