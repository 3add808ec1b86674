"""Find every file of a folder and read its header; no file is passed over in silence."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from ..domain.study import FileRecord
from .complaint import Complaint
from .headers import SliceHeader, read_header

_PREAMBLE_BYTES = 128
_MAGIC = b"DICM"


@dataclass(frozen=True)
class Scan:
    """The headers that can be used, the files that cannot, and how many broke DICOM's rules."""

    headers: tuple[SliceHeader, ...]
    excluded: tuple[FileRecord, ...]
    n_odd: int


def scan_folder(folder: Path, report: Callable[[float], None], cancel: Callable[[], None]) -> Scan:
    """Read the header of every regular file below ``folder``; links are not followed.

    Parameters
    ----------
    folder
        Paths are recorded relative to it.
    report
        Called with the fraction done, 0 to 1.
    cancel
        Called before each file; raises to stop.
    """
    paths = sorted(_walk(folder))
    headers: list[SliceHeader] = []
    excluded: list[FileRecord] = []
    seen: dict[tuple[str, str], str] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        n_odd = 0
        for done, path in enumerate(paths, start=1):
            cancel()
            name = path.relative_to(folder).as_posix()
            outcome = _read(path, name)
            outcome = _first_of_its_uid(outcome, seen)
            if isinstance(outcome, Complaint):
                excluded.append(outcome.record(name))
            else:
                headers.append(outcome)
            n_odd += bool(caught)
            caught.clear()
            report(done / len(paths))
    return Scan(tuple(headers), tuple(excluded), n_odd)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        yield from (Path(parent, name) for name in files)
        yield from (link for name in folders if (link := Path(parent, name)).is_symlink())


def _read(path: Path, name: str) -> SliceHeader | Complaint:
    complaint = _file_complaint(path)
    if complaint is not None:
        return complaint
    # Damaged files raise nearly any exception: of those met in fuzzing InvalidDicomError is 4 %.
    try:
        return read_header(dcmread(path, stop_before_pixels=True), name)
    except Exception as error:  # noqa: BLE001
        return Complaint(
            "unreadable", f"the header cannot be read ({type(error).__name__}); damaged or cut short"
        )


def _file_complaint(path: Path) -> Complaint | None:
    if path.is_symlink():
        return Complaint("link", "a link; links are not followed, copy the file into the folder")
    if not path.is_file():
        return Complaint("not_regular", "a pipe, socket or device, not a regular file")
    try:
        with path.open("rb") as stream:
            start = stream.read(_PREAMBLE_BYTES + len(_MAGIC))
    except OSError as error:
        return Complaint("no_access", f"the file cannot be opened: {error.strerror}")
    if not start:
        return Complaint("empty", "the file is empty")
    if start[_PREAMBLE_BYTES:] != _MAGIC:
        return Complaint("not_dicom", "not a DICOM file (no DICM mark after 128 bytes)")
    return None


def _first_of_its_uid(
    outcome: SliceHeader | Complaint, seen: dict[tuple[str, str], str]
) -> SliceHeader | Complaint:
    if isinstance(outcome, Complaint):
        return outcome
    # Per series: RSNA's files repeat the SOPInstanceUIDs of one series in the others.
    key = outcome.series_uid, outcome.sop_instance_uid
    first = seen.setdefault(key, outcome.path)
    if first == outcome.path:
        return outcome
    return Complaint("duplicate", f"the same SOPInstanceUID as {first}, which is used")
