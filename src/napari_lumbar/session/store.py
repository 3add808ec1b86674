"""Corrections on disk: versioned JSON in the user's data folder, never beside the DICOM files.

A file is named by hashes of the study's UID and of the bundle, so that neither identifies a patient and a
correction made to one bundle's predictions is not overwritten by another's.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, ValidationError

from ..domain.landmarks import Landmark, LandmarkSource
from ..domain.spine import Condition, FindingKey, Level
from ..domain.study import Study
from .state import SessionState


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CorrectionRecord(_Record):
    """One corrected landmark as it is written."""

    condition: Condition
    level: Level
    point_lps_mm: tuple[float, float, float]
    series_id: str
    slice_index: int
    pixel_rc: tuple[float, float]


class SessionRecord(_Record):
    """A session file, schema version 1."""

    schema_version: Literal[1] = 1
    study_sha256: str
    bundle_sha256: str
    saved_utc: str
    corrections: tuple[CorrectionRecord, ...]


@dataclass(frozen=True)
class Restored:
    """Corrections found on disk, and what a person should know about them."""

    corrections: Mapping[FindingKey, Landmark]
    message: str = ""


class SessionStore:
    """Reads and writes session files in one folder (default: the user's data folder)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_data_path("napari-lumbar", appauthor=False) / "sessions"

    def path(self, study_uid: str, bundle_sha256: str) -> Path:
        """The file of one study as read with one bundle."""
        return self.folder / f"{_sha256(study_uid)[:32]}-{_sha256(bundle_sha256)[:8]}.json"

    def save(self, state: SessionState) -> None:
        """Write the corrections so that a crash leaves either the old file or the new one."""
        bundle = state.analysis.provenance.bundle_sha256
        record = SessionRecord(
            study_sha256=_sha256(state.study_uid),
            bundle_sha256=bundle,
            saved_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            corrections=tuple(_record(landmark) for landmark in state.corrections.values()),
        )
        _write_atomically(self.path(state.study_uid, bundle), record.model_dump_json(indent=1))

    def restore(self, study: Study, bundle_sha256: str) -> Restored:
        """Return the corrections that belong to ``study``.

        A file that cannot be read, or that speaks of slices the study does not have, is renamed, never
        deleted or overwritten, and the message says so.
        """
        path = self.path(study.study_uid, bundle_sha256)
        if not path.exists():
            return Restored({})
        try:
            record = SessionRecord.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            return _set_aside(path, f"cannot be read ({type(error).__name__})")
        landmarks = {lm.key: lm for lm in map(_landmark, record.corrections)}
        if not all(_fits(study, landmark) for landmark in landmarks.values()):
            return _set_aside(path, "speaks of slices that the series in use do not have")
        return Restored(landmarks, f"Corrections restored: {len(landmarks)}." if landmarks else "")


def _record(landmark: Landmark) -> CorrectionRecord:
    return CorrectionRecord(
        condition=landmark.key.condition,
        level=landmark.key.level,
        point_lps_mm=landmark.point_lps_mm,
        series_id=landmark.series_id,
        slice_index=landmark.slice_index,
        pixel_rc=landmark.pixel_rc,
    )


def _landmark(record: CorrectionRecord) -> Landmark:
    return Landmark(
        key=FindingKey(record.condition, record.level),
        point_lps_mm=record.point_lps_mm,
        series_id=record.series_id,
        slice_index=record.slice_index,
        pixel_rc=record.pixel_rc,
        confidence=None,
        source=LandmarkSource.CORRECTED,
    )


def _fits(study: Study, landmark: Landmark) -> bool:
    used = {s.series_id: len(s.slices) for s in study.series if s.role is not None}
    return 0 <= landmark.slice_index < used.get(landmark.series_id, 0)


def _set_aside(path: Path, why: str) -> Restored:
    aside = path.with_suffix(f".{datetime.now(UTC):%Y%m%dT%H%M%S%f}.kept")
    path.rename(aside)
    return Restored({}, f"The session file {why}; it was kept as {aside.name} and a new one begun.")


def _write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
