"""From what a person points at to the folder that is read: a folder, a DICOMDIR, or one image of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..domain.errors import StudyError
from .opening import ARCHIVES

_PREAMBLE_BYTES = 128
_MAGIC = b"DICM"


def study_folder(path: Path) -> Path:
    """Return the folder to read for ``path``: itself, or the one that a DICOM file or a DICOMDIR lies in.

    Raises
    ------
    StudyError
        If ``path`` is an archive, another file, or not there. Messages name no path: paths can hold names.
    """
    if path.is_dir():
        return path
    if not path.exists():
        raise StudyError(
            "there is nothing at this place any more: choose the folder where the study lies now"
        )
    start = _start(path)
    if start[_PREAMBLE_BYTES:] == _MAGIC:
        return path.parent
    if path.suffix.lower() == ".zip" or start.startswith(ARCHIVES):
        raise StudyError("this is an archive, and archives are not read: unpack it and open the new folder")
    raise StudyError("this file is not DICOM: open the folder of a study, its DICOMDIR or one of its images")


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder to read for several things given at once, such as all files of a series.

    Raises
    ------
    StudyError
        If nothing was given, one of them cannot be read, or they do not lie in one folder.
    """
    folders = {study_folder(path) for path in paths}
    if len(folders) != 1:
        found = (
            f"these belong to {len(folders)} folders" if folders else "this is no file or folder on a disk"
        )
        raise StudyError(f"{found}: open one folder, the one that holds the whole study")
    return folders.pop()


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE_BYTES + len(_MAGIC))
    except OSError as error:
        raise StudyError(
            f"the file cannot be opened: {error.strerror}; ask for the right to read it, or copy the study"
        ) from None
