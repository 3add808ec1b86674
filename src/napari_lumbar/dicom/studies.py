"""Which studies lie in a folder, and which of them is meant. Messages name no path: paths can hold names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.errors import StudyError
from ..domain.pseudonym import pseudonym
from ..domain.study import FileRecord
from .headers import SliceHeader
from .stacks import Plane, common_plane

_ADVICE = "Choose the folder that holds a study's DICOM MR images."


@dataclass(frozen=True)
class StudyListing:
    """A study found in a folder: its StudyInstanceUID and how many series and images can be read.

    Parameters
    ----------
    planes
        Plane of each series, in their order in the files; None where its slices lie in several.
    date
        Of the study, as YYYYMMDD; empty where no header says.
    """

    study_uid: str
    n_series: int
    n_images: int
    n_files: int
    planes: tuple[Plane | None, ...]
    date: str = ""


class SeveralStudiesError(StudyError):
    """A folder holds several studies and none was named: the message, and the list to choose from."""

    def __init__(self, message: str, found: Sequence[StudyListing]) -> None:
        super().__init__(message)
        self.found = tuple(found)


def by_study(headers: Sequence[SliceHeader]) -> dict[str, list[SliceHeader]]:
    """The slices of each study by StudyInstanceUID, the newest study first."""
    studies: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        studies[header.study_uid].append(header)
    dates = {uid: max(header.study_date for header in studies[uid]) for uid in studies}
    dated = sorted(studies, key=lambda uid: (-int(dates[uid].ljust(14, "0")), uid))
    return {uid: studies[uid] for uid in dated}


def listings(headers: Sequence[SliceHeader]) -> tuple[StudyListing, ...]:
    """The studies, the newest first."""
    return tuple(_listing(uid, slices) for uid, slices in by_study(headers).items())


def n_patients(headers: Sequence[SliceHeader]) -> int:
    """How many patients the headers name; those that name none count as one of them."""
    return max(1, len({h.patient_key for h in headers} - {""}))


def chosen_study(headers: Sequence[SliceHeader], wanted: str | None) -> str:
    """Return the StudyInstanceUID to read; ``wanted`` may be a pseudonym.

    Raises
    ------
    SeveralStudiesError
        If there are several and none is named.
    StudyError
        If ``wanted`` is not there, or if it holds several patients.
    """
    studies = by_study(headers)
    found = listings(headers)
    names = "; ".join(f"{pseudonym(s.study_uid)} ({s.n_series} series, {s.n_images} images)" for s in found)
    known = next((uid for uid in studies if wanted in (uid, pseudonym(uid))), None)
    if wanted is not None and known is None:
        raise StudyError(f"the folder holds no study {_shown(wanted)}. It holds: {names}.")
    if wanted is None and len(studies) > 1:
        patients = n_patients(headers)
        of_patients = f" of {patients} patients" if patients > 1 else ""
        raise SeveralStudiesError(
            f"the folder holds {len(studies)} studies{of_patients}: {names}. The newest is named first. "
            "Choose the folder of one of them, or name its StudyInstanceUID or pseudonym, as here.",
            found,
        )
    uid = known or next(iter(studies))
    if n_patients(studies[uid]) > 1:
        raise StudyError(
            f"study {pseudonym(uid)} holds images of {n_patients(studies[uid])} patients, by their "
            "PatientID. They are never read as one. Put each patient's files into a folder of their own."
        )
    return uid


def _shown(wanted: str) -> str:
    """What a person may read of the study they asked for: a UID leads to a patient in any archive."""
    return pseudonym(wanted) if "." in wanted else wanted


def nothing_usable(records: Sequence[FileRecord]) -> str:
    """Say that a folder holds nothing to read, and what it holds instead."""
    if not records:
        return f"the folder is empty: no file was found. {_ADVICE}"
    codes = Counter(record.code for record in records).most_common(3)
    reasons = {record.code: record.reason for record in reversed(records)}
    found = "; ".join(f"{count} x {reasons[code]}" for code, count in codes)
    return f"the folder holds no MR image that can be read. Files found: {len(records)} ({found}). {_ADVICE}"


def _listing(uid: str, slices: Sequence[SliceHeader]) -> StudyListing:
    series: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in slices:
        series[header.series_uid].append(header)
    return StudyListing(
        study_uid=uid,
        n_series=len(series),
        n_images=len(slices),
        n_files=len({header.path for header in slices}),
        planes=tuple(common_plane([h.geometry for h in of_series]) for of_series in series.values()),
        date=max(header.study_date for header in slices)[:8],
    )
