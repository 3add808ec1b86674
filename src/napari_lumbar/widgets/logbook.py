"""A log a person can send: what failed and where in the program, and nothing about a patient.

Messages of errors may hold paths, UIDs or texts of the files, so they are left out, except those of a device,
which PyTorch writes. Tracebacks name files of programs by their last name only, and hold no values.
"""

from __future__ import annotations

import logging
import platform
import traceback
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

import torch
from platformdirs import user_log_path

from .. import __version__
from ..pipeline.ladder import is_device_failure

_LOGGER = logging.getLogger("napari_lumbar.log")
_BYTES, _BACKUPS = 200_000, 3
_OWNER_ONLY = 0o600


class _PrivateFile(RotatingFileHandler):
    """A rotating file that nobody but its owner can read."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.touch(_OWNER_ONLY)
        path.chmod(_OWNER_ONLY)
        return super()._open()


def log_folder() -> Path:
    """Where the log lies (the user's log folder)."""
    return user_log_path("napari-lumbar", appauthor=False)


class Logbook:
    """The log file of this user.

    Parameters
    ----------
    folder
        Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "napari-lumbar.log"
        for old in list(_LOGGER.handlers):  # one log per program
            _LOGGER.removeHandler(old)
            old.close()
        self._handler = _handler(self.path)
        if self._handler is not None:
            _LOGGER.addHandler(self._handler)
            _LOGGER.setLevel(logging.INFO)
            _LOGGER.propagate = False
            _LOGGER.info("napari-lumbar %s, torch %s, %s", __version__, torch.__version__, platform.system())

    def text(self) -> str:
        """What the newest file holds; empty if there is none."""
        return self.path.read_text("utf-8") if self.path.is_file() else ""

    def close(self) -> None:
        """Write no more."""
        if self._handler is not None:
            _LOGGER.removeHandler(self._handler)
            self._handler.close()
            self._handler = None


def note(text: str) -> None:
    """Write a sentence that holds nothing of a study."""
    _LOGGER.info(text)


def note_failure(error: BaseException) -> None:
    """Write what kind of error it was and the way to it."""
    _LOGGER.error(failure_text(error))


def failure_text(error: BaseException) -> str:
    """The kind of an error and of those it came from, and where each arose, without a value of a study."""
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        message = f": {cause}".splitlines()[0] if is_device_failure(cause) else ""
        lines.append(f"{type(cause).__name__}{message}")
        frames = traceback.extract_tb(cause.__traceback__)
        lines += [f"  {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames]
        cause = cause.__cause__
    return "\n".join(lines)


def _handler(path: Path) -> RotatingFileHandler | None:
    """A log that cannot be written must not keep anybody from reading a study."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _PrivateFile(path, maxBytes=_BYTES, backupCount=_BACKUPS, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler
