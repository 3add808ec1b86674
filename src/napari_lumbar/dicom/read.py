"""Read a folder of DICOM files as one ``Study``. The only entry to this package."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain.errors import StudyError
from ..domain.study import FileAccounting, FileOutcome, FileRecord, MRSeries, Study
from .assemble import LoadedSlice, series_without_role, study_notes, with_roles
from .complaint import Complaint
from .headers import SliceHeader
from .naming import series_ids, study_id
from .pixels import read_pixels
from .scan import Scan, scan_folder

#: Share of the reading time that goes into headers, for the progress bar.
_SCAN_SHARE = 0.3


@dataclass(frozen=True)
class StudyListing:
    """A study found in a folder: its StudyInstanceUID and how many series and images can be read."""

    study_uid: str
    n_series: int
    n_images: int


def _ignore_progress(_: float) -> None:
    pass


def _never_cancel() -> None:
    pass


def list_studies(
    folder: Path,
    report: Callable[[float], None] = _ignore_progress,
    cancel: Callable[[], None] = _never_cancel,
) -> tuple[StudyListing, ...]:
    """Return the studies below ``folder``, by headers alone; parameters and errors as ``read_study``."""
    return _listings(_scan(folder, report, cancel).headers)


def read_study(
    folder: Path,
    study_uid: str | None = None,
    report: Callable[[float], None] = _ignore_progress,
    cancel: Callable[[], None] = _never_cancel,
) -> Study:
    """Read every file below ``folder`` into a study; each file is used, or excluded with a reason.

    Parameters
    ----------
    folder
        Folder of one study, nested as it may be; an RSNA study's folder keeps RSNA's ids.
    study_uid
        StudyInstanceUID to read where the folder holds several studies.
    report
        Called with the fraction done, 0 to 1.
    cancel
        Called between files; raises (``CancelToken.raise_if_cancelled``) to stop.

    Raises
    ------
    StudyError
        If the folder is none, holds no MR image that can be read, or holds several studies.
    """
    folder = Path(folder)
    scan = _scan(folder, lambda f: report(_SCAN_SHARE * f), cancel)
    chosen = _chosen_uid(folder, scan, study_uid)
    headers = [h for h in scan.headers if h.study_uid == chosen]
    others = [_OTHER_STUDY.record(h.path) for h in scan.headers if h.study_uid != chosen]
    loaded, undecoded = _load(folder, headers, lambda f: report(_SCAN_SHARE + (1 - _SCAN_SHARE) * f), cancel)
    records = (*scan.excluded, *others, *undecoded, *(_used(item.header) for item in loaded))
    if not loaded:
        raise StudyError(_nothing_usable(folder, records))
    series = _series(loaded)
    return Study(
        study_id=study_id(chosen, folder.resolve().name, [s.series_uid for s in series]),
        study_uid=chosen,
        series=series,
        accounting=FileAccounting(tuple(sorted(records, key=lambda r: r.path))),
        warnings=study_notes(series, scan.n_odd),
    )


_OTHER_STUDY = Complaint("other_study", "belongs to another study than the one chosen")


def _scan(folder: Path, report: Callable[[float], None], cancel: Callable[[], None]) -> Scan:
    folder = Path(folder)
    if not folder.is_dir():
        found = "it is a file; unpack archives first" if folder.exists() else "it does not exist"
        raise StudyError(
            f"{folder} is not a folder: {found}. Choose the folder that holds a study's DICOM files."
        )
    return scan_folder(folder, report, cancel)


def _listings(headers: Sequence[SliceHeader]) -> tuple[StudyListing, ...]:
    images = Counter(h.study_uid for h in headers)
    series = Counter(study for study, _ in {(h.study_uid, h.series_uid) for h in headers})
    return tuple(StudyListing(uid, series[uid], images[uid]) for uid in sorted(images))


def _chosen_uid(folder: Path, scan: Scan, wanted: str | None) -> str:
    listings = _listings(scan.headers)
    if not listings:
        raise StudyError(_nothing_usable(folder, scan.excluded))
    uids = [listing.study_uid for listing in listings]
    if wanted in uids:
        return str(wanted)
    names = "; ".join(f"{s.study_uid} ({s.n_series} series, {s.n_images} images)" for s in listings)
    if wanted is not None:
        raise StudyError(f"{folder} holds no study {wanted}. It holds: {names}.")
    if len(uids) > 1:
        raise StudyError(
            f"{folder} holds {len(uids)} studies: {names}. Choose the folder of one of them, or name its "
            "StudyInstanceUID."
        )
    return uids[0]


def _nothing_usable(folder: Path, records: Sequence[FileRecord]) -> str:
    advice = "Choose the folder that holds a study's DICOM MR images."
    if not records:
        return f"{folder} is empty: no file was found. {advice}"
    codes = Counter(record.code for record in records).most_common(3)
    reasons = {record.code: record.reason for record in reversed(records)}
    found = "; ".join(f"{count} x {reasons[code]}" for code, count in codes)
    return f"{folder} holds no MR image that can be read. Files found: {len(records)} ({found}). {advice}"


def _load(
    folder: Path,
    headers: Sequence[SliceHeader],
    report: Callable[[float], None],
    cancel: Callable[[], None],
) -> tuple[list[LoadedSlice], list[FileRecord]]:
    loaded: list[LoadedSlice] = []
    excluded: list[FileRecord] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the scan has counted odd headers already
        for done, header in enumerate(headers, start=1):
            cancel()
            pixels = read_pixels(folder / header.path, header.geometry)
            if isinstance(pixels, Complaint):
                excluded.append(pixels.record(header.path))
            else:
                loaded.append(LoadedSlice(header, pixels))
            report(done / len(headers))
    return loaded, excluded


def _used(header: SliceHeader) -> FileRecord:
    return FileRecord(header.path, FileOutcome.USED, "used", f"a slice of series {header.series_uid}")


def _series(loaded: Sequence[LoadedSlice]) -> tuple[MRSeries, ...]:
    ids = series_ids([item.header for item in loaded])
    by_uid: dict[str, list[LoadedSlice]] = defaultdict(list)
    for item in loaded:
        by_uid[item.header.series_uid].append(item)
    bare = [series_without_role(items, ids[uid]) for uid, items in by_uid.items()]
    return with_roles(bare, [items[0].header for items in by_uid.values()])
