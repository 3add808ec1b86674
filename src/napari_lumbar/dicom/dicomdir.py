"""DICOMDIR, the index of a medium (DICOM PS3.10 8.6): a hint. Its references are compared, never opened."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from pydicom import Dataset

from .elements import value

_SEPARATORS = set("/\\:\0")


def references(dataset: Dataset) -> tuple[tuple[str, ...], ...]:
    """ReferencedFileID of every record, as the parts of a path."""
    records = value(dataset, "DirectoryRecordSequence") or ()
    found = (value(record, "ReferencedFileID") for record in records)
    return tuple(_parts(file_id) for file_id in found if file_id)


def unsafe(paths: Collection[tuple[str, ...]]) -> int:
    """How many references point out of the index's folder, or try to."""
    return sum(any(part in ("", ".", "..") or _SEPARATORS & set(part) for part in parts) for parts in paths)


def missing(paths: Collection[tuple[str, ...]], index: str, found: Collection[str]) -> int:
    """How many references name no file of ``found``; file systems change the case of names.

    Parameters
    ----------
    index
        Path of the DICOMDIR, relative to the folder like ``found``.
    """
    parent = PurePosixPath(index).parent
    there = {name.casefold() for name in found}
    return sum(name.casefold() not in there for name in _names(parent, paths))


def _names(parent: PurePosixPath, paths: Collection[tuple[str, ...]]) -> Iterator[str]:
    return (parent.joinpath(*parts).as_posix() for parts in paths)


def _parts(file_id: object) -> tuple[str, ...]:
    return (file_id,) if isinstance(file_id, str) else tuple(str(part) for part in file_id)  # type: ignore[attr-defined]
