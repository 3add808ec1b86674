"""What a command's exit status says; ``--help`` prints this table."""

from __future__ import annotations

from enum import IntEnum

from ..domain.errors import (
    BundleError,
    Cancelled,
    ExportError,
    LumbarError,
    SessionError,
    StudyError,
    WindowError,
)


class ExitCode(IntEnum):
    """Exit status of every command."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    STUDY_UNREADABLE = 3
    BUNDLE_BROKEN = 4
    NOTHING_GRADED = 5
    NOT_WRITABLE = 6
    PART_MISSING = 7
    SESSION_UNUSABLE = 8
    CANCELLED = 130

    @property
    def meaning(self) -> str:
        """One line for a person."""
        return _MEANINGS[self]

    @classmethod
    def of(cls, error: BaseException) -> ExitCode:
        """Return the status that a command ends with after ``error``."""
        return next((code for kind, code in _CODES.items() if isinstance(error, kind)), cls.UNEXPECTED)


_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "an error nobody foresaw",
    ExitCode.USAGE: "the command was not understood, or asks for what is not there",
    ExitCode.STUDY_UNREADABLE: "the folder holds nothing that can be read as a lumbar MR study",
    ExitCode.BUNDLE_BROKEN: "the bundle of weights is incomplete, altered or unknown",
    ExitCode.NOTHING_GRADED: "no finding could be graded; the report says why",
    ExitCode.NOT_WRITABLE: "the results cannot be written there",
    ExitCode.PART_MISSING: "an optional part is not installed, or no window can be opened here",
    ExitCode.SESSION_UNUSABLE: "the session is damaged, too new, or made for another study or bundle",
    ExitCode.CANCELLED: "cancelled; no result was changed",
}

_CODES: dict[type[BaseException], ExitCode] = {
    StudyError: ExitCode.STUDY_UNREADABLE,
    BundleError: ExitCode.BUNDLE_BROKEN,
    ExportError: ExitCode.NOT_WRITABLE,
    SessionError: ExitCode.SESSION_UNUSABLE,
    ImportError: ExitCode.PART_MISSING,
    WindowError: ExitCode.PART_MISSING,
    Cancelled: ExitCode.CANCELLED,
    KeyboardInterrupt: ExitCode.CANCELLED,
    LumbarError: ExitCode.USAGE,  # the base of most of these, so the last
}


def exit_code_table() -> str:
    """The table as lines for ``--help``."""
    return "\n".join(["Exit status:", *(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)])
