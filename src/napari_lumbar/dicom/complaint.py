"""Why a file cannot be used, or what is odd about it: values, so that one bad file never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.study import FileOutcome, FileRecord
from .codes import Exclusion, Oddity


@dataclass(frozen=True)
class Complaint:
    """Why something is not used, with what is particular to it; never a patient's name or a full path."""

    why: Exclusion
    detail: str = ""

    @property
    def reason(self) -> str:
        """The sentence for a person."""
        return f"{self.why.sentence}: {self.detail}" if self.detail else self.why.sentence

    def record(self, path: str) -> FileRecord:
        """The file at ``path``, relative to the folder that was read, as excluded for this reason."""
        return FileRecord(path, FileOutcome.EXCLUDED, self.why.code, self.reason, self.why.remedy)


@dataclass(frozen=True)
class Note:
    """Something odd that did not keep anything out: of what kind, how often, and a sentence for a person."""

    oddity: Oddity
    sentence: str
    count: int = 1


def counted_notes(oddities: Iterable[Oddity]) -> tuple[Note, ...]:
    """One note for each kind, saying how often it was met, in the order of ``Oddity``."""
    counts = Counter(oddities)
    return tuple(counted(odd, counts[odd]) for odd in Oddity if counts[odd])


def counted(oddity: Oddity, count: int) -> Note:
    """A note about ``count`` files, images or series."""
    return Note(oddity, f"{count} {oddity.sentence}", count)


def note(oddity: Oddity, subject: str, detail: str = "") -> Note:
    """A note about one series or the study, named by ``subject``."""
    sentence = f"{subject}: {oddity.sentence}"
    return Note(oddity, f"{sentence} ({detail})" if detail else sentence)
