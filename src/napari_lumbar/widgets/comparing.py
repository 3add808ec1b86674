"""Asks a second bundle about the study on the screen, off the GUI thread; lets go when it no longer fits."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from ..domain.spine import ALL_FINDINGS
from ..pipeline.ladder import Ladder
from ..pipeline.progress import CancelToken, Progress, ProgressCallback
from ..pipeline.protocols import System
from ..pipeline.run import grade_corrected
from ..session import Session, SessionState
from .comparison import Comparison
from .reading import Reading


class Comparing(QObject):
    """The comparison on the screen, if there is one.

    Signals
    -------
    changed
        A comparison begins or ends.
    """

    changed = Signal()

    def __init__(self, reading: Reading, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.comparison: Comparison | None = None
        self._reading = reading
        self._asked: tuple[Session, SessionState] | None = None
        reading.session_left.connect(self._on_left)
        reading.state_changed.connect(self._on_state)
        reading.busy_changed.connect(self._on_busy)

    def compare(self, load: Callable[[], System]) -> None:
        """Grade the study on the screen with a second bundle, from the points in force.

        An older comparison ends: its grades would be taken for those of the bundle that is asked now.
        """
        self.end()
        session = self._reading.session
        if session is None or self._reading.is_busy:
            self._reading.said.emit("Analyse the study first, then compare.", False)
            return
        state = session.state
        self._reading.run(
            "Comparing",
            lambda report, cancel: _graded(session, state, load(), report, cancel),
            lambda found: self._begin(session, *found),
            "The comparison",
        )
        self._asked = session, state

    def leave(self) -> None:
        """A person goes back to one bundle: say whose grades are left."""
        comparison = self.comparison
        self.end()
        if comparison is not None:
            text = f"No longer compared with {comparison.second}: the grades are those of {comparison.first}."
            self._reading.said.emit(text, False)

    def end(self) -> None:
        """Back to one bundle."""
        self.comparison = None
        self.changed.emit()

    def _begin(self, session: Session, comparison: Comparison, steps: tuple[str, ...]) -> None:
        if session is not self._reading.session:
            return
        self.comparison = comparison
        self.changed.emit()
        self._reading.said.emit(" ".join([f"Compared with {comparison.second}.", *steps]), False)

    def _on_left(self) -> None:
        """A new study or analysis ends the comparison."""
        self._stop()
        if self.comparison is not None:
            self.end()

    def _on_state(self, state: SessionState | None) -> None:
        """A moved point ends a comparison that is still being made."""
        if state is not None and self._asked is not None and state.landmarks != self._asked[1].landmarks:
            self._stop()

    def _stop(self) -> None:
        if self._asked is not None:
            self._asked = None
            self._reading.cancel()

    def _on_busy(self, busy: bool) -> None:
        """What was asked has ended, or something else has taken its place."""
        self._asked = None
        if not busy:
            self.changed.emit()  # a comparison that was cancelled or failed leaves nothing chosen


def _graded(
    session: Session, state: SessionState, system: System, report: ProgressCallback, cancel: CancelToken
) -> tuple[Comparison, tuple[str, ...]]:
    report(Progress("comparing", 0.0))
    steps: list[str] = []
    ladder = Ladder(system, steps.append)
    graded = grade_corrected(ladder, session.study, state.landmarks, ALL_FINDINGS, report, cancel)
    findings = {key: state.withholding(finding) for key, finding in graded.items()}
    first = state.analysis.provenance.bundle_name
    comparison = Comparison(first, system.bundle_name, state.landmarks, findings, system.grader.dependence)
    return comparison, tuple(steps)
