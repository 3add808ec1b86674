"""Values of a data set that may be damaged: what cannot be understood is absent, never an exception."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

from pydicom import Dataset

_TEXT_LENGTH = 64
#: UIDs of this shape are safe wherever a name is needed; DICOM allows digits and dots only.
_SAFE_UID = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_-]|\.(?!\.)){0,63}")


def value(dataset: Dataset, keyword: str) -> Any:
    """The element's value, or None where it is absent or damaged."""
    # A damaged element raises whatever its converter raises, and only once it is asked for.
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001
        return None


def text(dataset: Dataset, keyword: str) -> str:
    """The value as one short line without control characters, or ''."""
    line = str(value(dataset, keyword) or "")[:_TEXT_LENGTH]
    return "".join(c if c.isprintable() else " " for c in line).strip()


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values in upper case."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, str):
        return tuple(str(found or "").upper().split("\\"))
    try:
        return tuple(str(part).upper() for part in found)
    except TypeError:
        return (str(found).upper(),)


def number(dataset: Dataset, keyword: str) -> float | None:
    """The value as a finite number, or None."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def first_number(dataset: Dataset, keyword: str) -> float | None:
    """The value, or the first of several, as a finite number, or None."""
    found = value(dataset, keyword)
    first = found if found is None or isinstance(found, str | float | int) else next(iter(found), None)
    try:
        converted = float(first) if first is not None else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return converted if math.isfinite(converted) else None


def numbers(dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    """Exactly ``count`` finite numbers, or None."""
    found = value(dataset, keyword)
    parts = [found] if count == 1 else found
    try:
        converted = [float(part) for part in parts]
    except (TypeError, ValueError, OverflowError):
        return None
    return converted if len(converted) == count and all(map(math.isfinite, converted)) else None


def frame_count(dataset: Dataset) -> int:
    """NumberOfFrames, 1 where the header does not say."""
    return int(number(dataset, "NumberOfFrames") or 1)


def item(dataset: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence, or an empty data set."""
    sequence = value(dataset, keyword)
    try:
        return sequence[0] if sequence else Dataset()
    except (TypeError, IndexError):
        return Dataset()


def uid(dataset: Dataset, keyword: str) -> str:
    """A UID that is safe in names: itself where it has the shape of one, else a hash of it; '' if absent."""
    raw = str(value(dataset, keyword) or "").strip(" \0")
    if not raw or _SAFE_UID.fullmatch(raw):
        return raw
    return "hash-" + hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:32]
