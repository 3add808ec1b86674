"""Errors a caller can act on. Each message says what, which value, which rule, and what to do."""


class LumbarError(Exception):
    """Base of every error that napari-lumbar raises on purpose."""


class GeometryError(LumbarError):
    """A slice's position, orientation or spacing is missing or impossible."""


class StudyError(LumbarError):
    """A folder holds nothing that can be read as a lumbar MR study."""


class AccountingError(StudyError):
    """A file that was found is neither used nor excluded with a reason: a defect of the reader."""


class BundleError(LumbarError):
    """A bundle of weights is incomplete, altered, or of an unknown kind."""


class Cancelled(LumbarError):
    """The person stopped the work; nothing was lost."""


class ExportError(LumbarError):
    """A result cannot be written where it was asked for."""


class WindowError(LumbarError):
    """No window can be opened on this machine."""


class ProposalError(LumbarError):
    """The networks have no points to propose: no image near enough, or they never look for such points."""


class SessionError(LumbarError):
    """A session file cannot be used: unreadable, too new, another reader's, or made for something else."""


class EditRefused(LumbarError):
    """A correction contradicts what stands already, or was not confirmed; nothing was changed."""
