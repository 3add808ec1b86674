"""Find every file of a folder and read its header; no file is passed over in silence."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..domain.study import FileRecord
from . import dicomdir
from .codes import Exclusion, Oddity
from .complaint import Complaint, Note, counted_notes
from .duplicates import without_duplicates
from .elements import text
from .headers import FileHeaders, SliceHeader, read_headers
from .opening import InflatedTooLargeError, Opened, open_header
from .walk import Found, walk

#: What a data set without preamble must have to be believed; nearly any bytes can be read as some data set.
_PROOF = ("Modality", "SOPClassUID", "SOPInstanceUID")


@dataclass(frozen=True)
class Scan:
    """What was found in a folder, by headers alone.

    Parameters
    ----------
    found
        Path of everything found, relative to the folder.
    headers
        Slices that can be used; a multi-frame file has several.
    excluded
        Files that cannot be used. Each path of ``found`` is in one of the two.
    notes
        What was odd but kept nothing out.
    """

    found: tuple[str, ...]
    headers: tuple[SliceHeader, ...]
    excluded: tuple[FileRecord, ...]
    notes: tuple[Note, ...]


@dataclass
class _Tally:
    """What has been met so far."""

    files: dict[str, FileHeaders] = field(default_factory=dict)
    refused: dict[str, Complaint] = field(default_factory=dict)
    oddities: list[Oddity] = field(default_factory=list)
    indices: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)


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

    Raises
    ------
    OSError
        If the folder itself cannot be listed.
    """
    found = walk(folder)
    tally = _Tally(refused=dict(found.refused))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for done, name in enumerate(found.files, start=1):
            cancel()
            _take(folder, name, tally)
            tally.oddities += [Oddity.ODD_HEADER] * bool(caught)
            caught.clear()
            report(done / len(found.files))
    return _finished(folder, found, tally)


def _take(folder: Path, name: str, tally: _Tally) -> None:
    opened = _opened(folder / name)
    if isinstance(opened, Complaint):
        tally.refused[name] = opened
        return
    headers = _headers(opened, name)
    if isinstance(headers, Complaint):
        tally.refused[name] = headers
        if headers.why is Exclusion.DICOMDIR:
            tally.indices[name] = dicomdir.references(opened.dataset)
        return
    tally.files[name] = headers
    tally.oddities += headers.slices[0].oddities
    tally.oddities += [Oddity.FRAMES_LEFT_OUT] * len(headers.left_out)
    tally.oddities += [Oddity.NO_PREAMBLE] * (not opened.has_preamble)
    tally.oddities += [Oddity.PROGRAM] * opened.carries_program


def _opened(path: Path) -> Opened | Complaint:
    """Open a file; what fails once may be a network that dropped, so it is tried twice."""
    outcome = _opened_once(path)
    again = isinstance(outcome, Complaint) and outcome.why in (Exclusion.VANISHED, Exclusion.NO_ACCESS)
    return _opened_once(path) if again else outcome


def _opened_once(path: Path) -> Opened | Complaint:
    # Damaged files raise nearly any exception: of those met in fuzzing InvalidDicomError is 4 %.
    try:
        return open_header(path)
    except RecursionError:
        return Complaint(Exclusion.TOO_DEEP)
    except InflatedTooLargeError as error:
        return Complaint(Exclusion.TOO_LARGE, str(error))
    except FileNotFoundError:
        return Complaint(Exclusion.VANISHED)
    except OSError as error:
        # A damaged length makes pydicom seek to where no file reaches.
        why = Exclusion.UNREADABLE if error.errno in (None, errno.EINVAL) else Exclusion.NO_ACCESS
        return Complaint(why, error.strerror or "")
    except Exception as error:  # noqa: BLE001
        return Complaint(Exclusion.UNREADABLE, type(error).__name__)


def _headers(opened: Opened, name: str) -> FileHeaders | Complaint:
    try:
        if not opened.has_preamble and not all(text(opened.dataset, keyword) for keyword in _PROOF):
            return Complaint(Exclusion.NOT_DICOM)
        return read_headers(opened, name)
    except RecursionError:
        return Complaint(Exclusion.TOO_DEEP)
    except Exception as error:  # noqa: BLE001
        return Complaint(Exclusion.UNREADABLE, type(error).__name__)


def _finished(folder: Path, found: Found, tally: _Tally) -> Scan:
    for name, paths in tally.indices.items():
        outside = dicomdir.unsafe(paths)
        if outside:
            tally.refused[name] = Complaint(Exclusion.UNSAFE_REFERENCE, f"{outside} of {len(paths)}")
        else:
            absent = dicomdir.missing(paths, name, found.names)
            tally.oddities += [Oddity.MISSING_REFERENCES] * absent
    kept, repeated = without_duplicates(folder, tally.files)
    refused = {**tally.refused, **repeated}
    return Scan(
        found=found.names,
        headers=tuple(header for headers in kept.values() for header in headers.slices),
        excluded=tuple(complaint.record(name) for name, complaint in sorted(refused.items())),
        notes=counted_notes(tally.oddities),
    )
