"""From what a person pointed at to a study, or to the studies to choose from; runs off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..dicom import SeveralStudiesError, StudyListing, read_study
from ..dicom.read import SCAN_SHARE
from ..domain.study import Study
from ..pipeline.progress import CancelToken, Progress, ProgressCallback


@dataclass(frozen=True)
class StudyChoice:
    """A folder holds several studies: a person must say which is meant."""

    folder: Path
    found: tuple[StudyListing, ...]


def read_chosen(
    folder: Path, study_uid: str | None, report: ProgressCallback, cancel: CancelToken
) -> Study | StudyChoice:
    """Read a study, or list those there are where several lie in the folder and none is named.

    Raises
    ------
    StudyError
        As ``read_study``.
    Cancelled
        If ``cancel`` was set meanwhile.
    """
    try:
        return read_study(folder, study_uid, lambda f: report(_progress(f)), cancel.raise_if_cancelled)
    except SeveralStudiesError as several:
        return StudyChoice(folder, several.found)


def _progress(fraction: float) -> Progress:
    return Progress("Reading headers" if fraction < SCAN_SHARE else "Decoding images", fraction)
