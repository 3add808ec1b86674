"""Read a folder of DICOM files as one ``Study``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..domain.errors import StudyError
from ..domain.study import FileAccounting, MRSeries, Study
from .accounting import OTHER_STUDY, SliceOutcome, file_records
from .arrange import Arrangement, SeriesGroup
from .assemble import LoadedSlice, series_without_role, with_roles
from .complaint import counted_notes
from .loading import Loaded, load_arranged, slice_key
from .naming import study_id
from .oddities import series_notes, study_notes
from .scan import Scan, scan_folder
from .studies import StudyListing, chosen_study, listings, nothing_usable

#: Share of the reading time that goes into headers, for the progress bar.
SCAN_SHARE = 0.3


def _ignore_progress(_: float) -> None:
    pass


def _never_cancel() -> None:
    pass


def list_studies(
    folder: Path,
    report: Callable[[float], None] = _ignore_progress,
    cancel: Callable[[], None] = _never_cancel,
) -> tuple[StudyListing, ...]:
    """Return the studies below ``folder``, the newest first; parameters and errors as ``read_study``."""
    return listings(scan_existing(folder, report, cancel).headers)


def read_study(
    folder: Path,
    study_uid: str | None = None,
    report: Callable[[float], None] = _ignore_progress,
    cancel: Callable[[], None] = _never_cancel,
    laid_out: bool = False,
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
    laid_out
        Tables name the study and each series by their folders, as RSNA's do, whatever the UIDs say.

    Raises
    ------
    SeveralStudiesError
        If the folder holds several studies and none is named; it lists them.
    StudyError
        If the folder is none, holds no MR image that can be read, or a study of several patients.
    """
    folder = Path(folder)
    scan = scan_existing(folder, lambda f: report(SCAN_SHARE * f), cancel)
    if not scan.headers:
        raise StudyError(nothing_usable(scan.excluded))
    chosen = chosen_study(scan.headers, study_uid)
    plan, loaded = load_arranged(
        folder,
        [header for header in scan.headers if header.study_uid == chosen],
        lambda f: report(SCAN_SHARE + (1 - SCAN_SHARE) * f),
        cancel,
        laid_out,
    )
    outcomes: list[SliceOutcome] = [(h, OTHER_STUDY) for h in scan.headers if h.study_uid != chosen]
    outcomes += [*plan.left_out, *loaded.failed.values()]
    outcomes += [(header, None) for group in plan.groups for header in group.headers]
    accounting = FileAccounting.closed(scan.found, [*scan.excluded, *file_records(outcomes)])
    if not plan.groups:
        raise StudyError(nothing_usable(accounting.records))
    series, notes = _series(plan, loaded)
    notes += [note.sentence for note in (*counted_notes(loaded.oddities), *scan.notes)]
    uids = [one.series_uid for one in series]
    return Study(
        study_id=folder.name if laid_out else study_id(chosen, folder.resolve().name, uids),
        study_uid=chosen,
        series=series,
        accounting=accounting,
        warnings=tuple(notes),
    )


def scan_existing(folder: Path, report: Callable[[float], None], cancel: Callable[[], None]) -> Scan:
    """Scan a folder; parameters and errors as ``read_study``."""
    folder = Path(folder)
    if not folder.is_dir():
        found = "it is a file; unpack archives first" if folder.exists() else "it does not exist"
        raise StudyError(
            f"this is not a folder: {found}. Choose the folder that holds a study's DICOM files."
        )
    try:
        return scan_folder(folder, report, cancel)
    except OSError as error:
        raise StudyError(
            f"the folder cannot be opened: {error.strerror}. Ask for the right to read it, or copy the study."
        ) from None


def _series(plan: Arrangement, loaded: Loaded) -> tuple[tuple[MRSeries, ...], list[str]]:
    """The series of what was loaded, with their roles, and sentences on what is odd about them."""
    bare = [_without_role(group, loaded) for group in plan.groups]
    series = with_roles(bare, [group.headers for group in plan.groups])
    roles = {s.series_id: s.role for s in series}
    notes = list(plan.notes)
    for group in plan.groups:
        notes += series_notes(group.series_id, group.headers)
    notes += study_notes([g.headers for g in plan.groups], [roles[g.series_id] for g in plan.groups])
    return series, [note.sentence for note in notes]


def _without_role(group: SeriesGroup, loaded: Loaded) -> MRSeries:
    slices = [LoadedSlice(header, loaded.signals[slice_key(header)]) for header in group.headers]
    return series_without_role(slices, group.series_id)
