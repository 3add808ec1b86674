"""Why a file cannot be used: a value, so that one bad file never stops the others."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.study import FileOutcome, FileRecord


@dataclass(frozen=True)
class Complaint:
    """A stable code for programs and a sentence for a person; never a patient's name or a full path."""

    code: str
    reason: str

    def record(self, path: str) -> FileRecord:
        """The file at ``path``, relative to the folder that was read, as excluded for this reason."""
        return FileRecord(path, FileOutcome.EXCLUDED, self.code, self.reason)
