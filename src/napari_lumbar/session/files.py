"""Files that are either the old or the new one, and never lost."""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` so that a crash at any moment leaves either the old file or the new one.

    Raises
    ------
    OSError
        If the folder cannot be written to; the old file stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(file.name).unlink()
            raise


def kept_name(path: Path) -> Path:
    """Return a name beside ``path`` under which its content can be kept."""
    return path.with_suffix(f".{datetime.now(UTC):%Y%m%dT%H%M%S%f}.kept")


def set_aside(path: Path) -> Path:
    """Rename a file that must not be overwritten and return its new name."""
    return path.rename(kept_name(path))


def keep_copy(path: Path) -> Path:
    """Copy a file that is about to be replaced and return the copy's name."""
    copy = kept_name(path)
    write_atomically(copy, path.read_text("utf-8"))
    return copy
