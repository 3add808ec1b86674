"""Files that carry one SOPInstanceUID: copies are read once, a series that contradicts itself not at all."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from .codes import Exclusion
from .complaint import Complaint
from .headers import FileHeaders

_SeriesKey = tuple[str, str]


def without_duplicates(
    folder: Path, files: Mapping[str, FileHeaders]
) -> tuple[dict[str, FileHeaders], dict[str, Complaint]]:
    """Return the files to use, and the others with what keeps each out; by path relative to ``folder``.

    UIDs are compared within a series: RSNA's files repeat those of one series in the others.
    """
    first: dict[tuple[str, ...], str] = {}
    refused: dict[str, Complaint] = {}
    conflicts: dict[_SeriesKey, int] = defaultdict(int)
    for name, headers in files.items():
        key = (*_series(headers), headers.slices[0].sop_instance_uid)
        original = first.setdefault(key, name)
        if original == name:
            continue
        refused[name] = Complaint(Exclusion.DUPLICATE)
        if not _equal(folder / original, folder / name):
            conflicts[_series(headers)] += 1
    for name, headers in files.items():
        if _series(headers) in conflicts:
            detail = f"{conflicts[_series(headers)]} such images; which is right cannot be known"
            refused[name] = Complaint(Exclusion.UID_CONFLICT, detail)
    return {name: headers for name, headers in files.items() if name not in refused}, refused


def _series(headers: FileHeaders) -> _SeriesKey:
    return headers.slices[0].study_uid, headers.slices[0].series_uid


def _equal(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
