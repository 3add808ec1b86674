"""The one place that holds the changing state of a reading, and tells who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from psygnal import Signal

from ..domain.errors import SessionError
from ..domain.findings import Finding
from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey, Severity
from ..domain.study import Study
from . import commands
from .commands import LevelStep
from .state import RegradeRequest, SessionState
from .steps import Step, Work

Autosave = Callable[[SessionState], datetime]


class Session:
    """A study under reading: its state, and the file that every command is saved to.

    Parameters
    ----------
    study
        The study whose analysis ``state`` holds.
    state
        Where the reading starts; restored work is in it and can be undone.
    autosave
        Called with the new state after every command; returns when it was saved. If it raises ``OSError``
        or ``SessionError``, the command stands and ``save_failed`` says why it is not on disk.
    saved_at
        When ``state`` was saved, or None if it is not on disk.
    not_saved
        Why the state is not on disk though it should be; empty if it is, or if there is nothing to save.

    Signals
    -------
    changed
        The new ``SessionState``, after a command or an answer.
    saved
        When the state was saved.
    save_failed
        Why it was not.
    """

    changed: ClassVar[Signal] = Signal(SessionState)
    saved: ClassVar[Signal] = Signal(datetime)
    save_failed: ClassVar[Signal] = Signal(str)

    def __init__(
        self,
        study: Study,
        state: SessionState,
        autosave: Autosave,
        saved_at: datetime | None = None,
        not_saved: str = "",
    ) -> None:
        self.study = study
        self.state = state
        self.saved_at = saved_at
        self.not_saved = not_saved
        self._autosave = autosave
        self._on_disk = Work() if not_saved else state.work

    @property
    def bundle_sha256(self) -> str:
        """The bundle whose predictions are corrected."""
        return self.state.analysis.provenance.bundle_sha256

    @property
    def is_at_risk(self) -> bool:
        """Whether there is work that is not on disk though it should be."""
        return bool(self.not_saved) and self.state.work != self._on_disk

    def move(self, landmark: Landmark) -> None:
        """Put a landmark where a person wants it: in its plane, or on another slice or series."""
        self._do(commands.move(self.state, landmark))

    def propagate(self, proposed: Iterable[Landmark]) -> None:
        """Take points over that the networks proposed from a corrected one, as one step."""
        self._do(commands.propagate(self.state, proposed))

    def reset(self, key: FindingKey) -> None:
        """Bring the predicted landmark of ``key`` back; nothing happens where it stands."""
        self._do(commands.reset(self.state, key))

    def mark_absent(self, key: FindingKey) -> None:
        """Say that ``key`` is not there to be graded."""
        self._do(commands.mark_absent(self.state, key))

    def override(self, key: FindingKey, severity: Severity, reason: str = "") -> None:
        """Grade ``key`` by hand; raise ``EditRefused`` where it is marked absent."""
        self._do(commands.override(self.state, key, severity, reason))

    def clear_override(self, key: FindingKey) -> None:
        """Let the networks' grade of ``key`` stand again."""
        self._do(commands.clear_override(self.state, key))

    def shift_levels(self, by: LevelStep) -> None:
        """Move all level names down (1) or up (-1); raise ``EditRefused`` if none would be left."""
        self._do(commands.shift_levels(self.state, by))

    def swap_sides(self, *, confirmed: bool) -> None:
        """Swap left and right everywhere; raise ``EditRefused`` unless the reader confirmed it."""
        self._do(commands.swap_sides(self.state, confirmed))

    def undo(self) -> FindingKey | None:
        """Take the latest step back; return the finding it was about, or None for all or nothing."""
        if not self.state.work.done:
            return None
        step = self.state.work.done[-1]
        self._set(self.state.undoing(), save=True)
        return step.key

    def redo(self) -> FindingKey | None:
        """Do again what was undone last; return the finding it was about, or None for all or nothing."""
        if not self.state.work.undone:
            return None
        step = self.state.work.undone[-1]
        self._set(self.state.redoing(), save=True)
        return step.key

    def accept(self, request: RegradeRequest, findings: Mapping[FindingKey, Finding]) -> None:
        """Take in what was graded again; what no longer fits the landmarks is dropped."""
        self._set(self.state.accepting(request, findings), save=False)

    def save(self) -> None:
        """Save the state once more, with what is looked at now; say that it failed if work depends on it."""
        try:
            self.saved_at = self._autosave(self.state)
        except SessionError as error:
            self._fail(f"{error}.")
        except OSError as error:
            self._fail(f"{error}. Free the disk, then edit again.")
        else:
            self.not_saved, self._on_disk = "", self.state.work
            self.saved.emit(self.saved_at)

    def _fail(self, why: str) -> None:
        if self.state.work == self._on_disk:
            return
        self.not_saved = why
        self.save_failed.emit(f"Corrections are not saved: {why}")

    def _do(self, step: Step) -> None:
        state = self.state.doing(step)
        if state is not self.state:
            self._set(state, save=True)

    def _set(self, state: SessionState, save: bool) -> None:
        self.state = state
        if save:
            self.save()
        self.changed.emit(state)
