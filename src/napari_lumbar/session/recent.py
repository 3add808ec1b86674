"""Folders that were opened lately; off until a person switches it on, because a path can hold a name.

While it is off there is no file. The file is readable by its owner only, and lists show no path.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, ValidationError

from .files import write_atomically

#: More would not be looked through.
MAX_RECENT = 8


@dataclass(frozen=True)
class RecentStudy:
    """A study that was opened.

    Parameters
    ----------
    name
        What stands for the study: never a patient's name or a path.
    folder, study_uid
        What to open again.
    opened_at
        When, with time zone.
    """

    name: str
    folder: Path
    study_uid: str
    opened_at: datetime


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    folder: Path
    study_uid: str
    opened_at: datetime


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    studies: tuple[_Entry, ...] = ()


class RecentStudies:
    """The list and its file.

    Parameters
    ----------
    path
        The file (default: in the user's data folder, which others share with nobody).
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data_path("napari-lumbar", appauthor=False) / "recent.json"

    @property
    def is_on(self) -> bool:
        """Whether studies that are opened are remembered."""
        return self._path.exists()

    @property
    def studies(self) -> tuple[RecentStudy, ...]:
        """The latest first; none where the file is absent or damaged."""
        try:
            file = _File.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return ()
        return tuple(RecentStudy(e.name, e.folder, e.study_uid, e.opened_at) for e in file.studies)

    def switch(self, on: bool) -> None:
        """Begin to remember, or stop and forget; raise ``OSError`` where the file cannot be changed."""
        if on and not self.is_on:
            self._write(())
        elif not on:
            self._path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget every study and go on remembering; raise ``OSError`` as ``switch``."""
        if self.is_on:
            self._write(())

    def add(self, name: str, folder: Path, study_uid: str) -> None:
        """Remember a study that was opened, if that is wanted; raise ``OSError`` as ``switch``."""
        if not self.is_on:
            return
        newest = RecentStudy(name, folder.resolve(), study_uid, datetime.now(UTC).replace(microsecond=0))
        others = [s for s in self.studies if (s.folder, s.study_uid) != (newest.folder, newest.study_uid)]
        self._write((newest, *others)[:MAX_RECENT])

    def _write(self, studies: tuple[RecentStudy, ...]) -> None:
        entries = tuple(
            _Entry(name=s.name, folder=s.folder, study_uid=s.study_uid, opened_at=s.opened_at)
            for s in studies
        )
        # Written through a temporary file, which only its owner may read or write (mode 0600).
        write_atomically(self._path, _File(studies=entries).model_dump_json(indent=1))
