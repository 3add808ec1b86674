"""Everything that lies below a folder: files, links, and folders that cannot be opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .codes import Exclusion
from .complaint import Complaint


@dataclass(frozen=True)
class Found:
    """What lies below a folder, by path relative to it, with forward slashes.

    Parameters
    ----------
    files
        Regular files, sorted.
    refused
        Everything else, and why it is not opened.
    """

    files: tuple[str, ...]
    refused: dict[str, Complaint] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything found, each once."""
        return (*self.files, *self.refused)


def walk(folder: Path) -> Found:
    """List what lies below ``folder``, without following links or opening a file.

    Raises
    ------
    OSError
        If ``folder`` itself cannot be listed.
    """
    files: list[str] = []
    refused: dict[str, Complaint] = {}

    def unreadable(error: OSError) -> None:
        closed = Path(error.filename)
        if closed == folder:
            raise error
        refused[_name(closed, folder)] = Complaint(Exclusion.NO_ACCESS, error.strerror or "")

    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=False):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for path in (Path(parent, name) for name in (*names, *links)):
            complaint = _kind_complaint(path)
            if complaint is None:
                files.append(_name(path, folder))
            else:
                refused[_name(path, folder)] = complaint
    return Found(tuple(sorted(files)), refused)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _kind_complaint(path: Path) -> Complaint | None:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return Complaint(Exclusion.VANISHED, error.strerror or "")
    if stat.S_ISLNK(mode):
        return Complaint(Exclusion.LINK)
    return None if stat.S_ISREG(mode) else Complaint(Exclusion.NOT_REGULAR)
