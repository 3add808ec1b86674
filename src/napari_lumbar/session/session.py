"""The one place that holds the changing state of a reading, and tells who listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from psygnal import Signal

from ..domain.findings import Finding
from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey
from ..domain.study import Study
from . import edits
from .edits import History
from .state import RegradeRequest, SessionState

Autosave = Callable[[SessionState], None]


class Session:
    """A study under reading: state, history, and the file every edit is saved to.

    Parameters
    ----------
    study
        The study whose analysis ``state`` holds.
    state
        Where the reading starts; restored corrections are in it, but cannot be undone.
    autosave
        Called with the new state after every edit. If it raises ``OSError``, the edit stands and
        ``save_failed`` says why it is not on disk.
    """

    changed: ClassVar[Signal] = Signal(SessionState)
    save_failed: ClassVar[Signal] = Signal(str)

    def __init__(self, study: Study, state: SessionState, autosave: Autosave) -> None:
        self.study = study
        self.state = state
        self.history = History()
        self._autosave = autosave

    def move(self, landmark: Landmark) -> None:
        """Put a landmark where a person wants it."""
        self._edit(edits.move(self.state, landmark))

    def reset(self, key: FindingKey) -> None:
        """Bring the predicted landmark of ``key`` back; nothing happens where none was corrected."""
        if key in self.state.corrections:
            self._edit(edits.reset(self.state, key))

    def undo(self) -> FindingKey | None:
        """Take the latest edit back and return the finding it was about, or None."""
        if not self.history.done:
            return None
        edit = self.history.done[-1]
        self.history = self.history.undoing()
        self._set(edit.reverted(self.state), save=True)
        return edit.key

    def redo(self) -> FindingKey | None:
        """Do again what was undone last and return the finding it was about, or None."""
        if not self.history.undone:
            return None
        edit = self.history.undone[-1]
        self.history = self.history.redoing()
        self._set(edit.applied(self.state), save=True)
        return edit.key

    def accept(self, request: RegradeRequest, findings: Mapping[FindingKey, Finding]) -> None:
        """Take in what was graded again; what no longer fits the landmarks is dropped."""
        self._set(self.state.accepting(request, findings), save=False)

    def _edit(self, edit: edits.LandmarkEdit) -> None:
        self.history = self.history.pushing(edit)
        self._set(edit.applied(self.state), save=True)

    def _set(self, state: SessionState, save: bool) -> None:
        self.state = state
        if save:
            self._save()
        self.changed.emit(state)

    def _save(self) -> None:
        try:
            self._autosave(self.state)
        except OSError as error:
            self.save_failed.emit(f"Corrections are not saved: {error}. Free the disk, then edit again.")
