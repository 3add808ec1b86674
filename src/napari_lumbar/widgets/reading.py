"""From a folder to corrected findings: what happens when, without a single widget.

Work runs in one slot off the GUI thread. An answer that belongs to another study or session is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from ..dicom import read_study
from ..domain.errors import SessionError
from ..domain.findings import Analysis, Finding
from ..domain.spine import FindingKey
from ..domain.study import SeriesRole, Study
from ..export.write import write_results
from ..pipeline.progress import CancelToken, Progress, ProgressCallback
from ..pipeline.protocols import System
from ..pipeline.run import analyze
from ..session import (
    AnothersSession,
    RegradeRequest,
    Restored,
    Session,
    SessionState,
    SessionStore,
    ViewState,
    current_analysis,
)
from ..session.regrading import answer
from .worker import Outcome, WorkQueue

REGRADE_DELAY_MS = 300

T = TypeVar("T")


class Reading(QObject):
    """The study on the screen, its session, and the work under way.

    Parameters
    ----------
    load_system, store
        Loads the networks when they are first needed; where corrections are kept.
    regrade_delay_ms
        How long after an edit stale findings are graded again.

    Attributes
    ----------
    view
        Called when the session is saved: what is looked at now.
    may_take_over
        Called with the owner of a session that is another's: whether to go on with it.
    restored_view
        What was looked at when the session was last saved.

    Signals
    -------
    study_changed, state_changed
        The ``Study`` or None; the ``SessionState`` or None.
    analysed
        A new analysis is on the screen.
    progressed
        A ``Progress`` of the work under way.
    busy_changed
        Whether something runs that a person waits for (reading, analysing).
    said
        (text, is_error) for the status row.
    """

    study_changed = Signal(object)
    state_changed = Signal(object)
    analysed = Signal()
    progressed = Signal(object)
    busy_changed = Signal(bool)
    said = Signal(str, bool)

    def __init__(
        self,
        load_system: Callable[[], System],
        store: SessionStore,
        parent: QObject | None = None,
        regrade_delay_ms: int = REGRADE_DELAY_MS,
    ) -> None:
        super().__init__(parent)
        self.view: Callable[[], ViewState] = ViewState
        self.may_take_over: Callable[[str], bool] = lambda _owner: False
        self.restored_view = ViewState()
        self.study: Study | None = None
        self.session: Session | None = None
        self._queue = WorkQueue(self)
        self._load_system = load_system
        self._system: System | None = None
        self._store = store
        self._foreground: CancelToken | None = None
        self._regrading: CancelToken | None = None
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(regrade_delay_ms)
        self._delay.timeout.connect(self.regrade_now)

    @property
    def is_busy(self) -> bool:
        """Whether a study is being read or analysed."""
        return self._foreground is not None

    @property
    def is_regrading(self) -> bool:
        """Whether stale findings are being graded, or will be in a moment."""
        return self._regrading is not None or self._delay.isActive()

    def open_folder(self, folder: Path) -> None:
        """Read a study; the one on the screen stays until the new one is there."""
        self._start(
            f"Reading {folder.name}",
            lambda _report, _cancel: self._read(folder),
            lambda outcome: self._show(outcome, self.show_study, "Reading the study"),
        )

    def show_study(self, study: Study) -> None:
        """Put a study on the screen, not analysed yet."""
        self.study = study
        self._end_session()
        self.study_changed.emit(study)
        warnings = f" {study.warnings[0]}" if study.warnings else ""
        self.said.emit(f"{len(study.series)} series read.{warnings} Check the roles, then analyse.", False)

    def assign_role(self, series_id: str, role: SeriesRole | None) -> None:
        """Let a person say what a series is for; findings made with other series go from the screen."""
        if self.study is None:
            return
        self.study = self.study.assigning(series_id, role)
        self._end_session()
        self.study_changed.emit(self.study)
        self.said.emit("Role changed: analyse again. Corrections are kept on disk.", False)

    def analyse(self) -> None:
        """Localise and grade the study on the screen."""
        study = self.study
        if study is None or self.is_busy:
            return
        self._start(
            "Loading the network",
            lambda report, cancel: self._analyze(study, report, cancel),
            lambda outcome: self._show(outcome, lambda a: self._begin_session(study, a), "The analysis"),
        )

    def cancel(self) -> None:
        """Stop what a person waits for, after the batch under way."""
        if self._foreground is not None:
            self._foreground.cancel()
            self.said.emit("Cancelling after this batch…", False)

    def regrade_now(self) -> None:
        """Grade every stale finding again; an older regrading still under way is dropped."""
        session = self.session
        if self._regrading is not None:
            self._regrading.cancel()
            self._regrading = None
        if session is None or not session.state.outdated:
            return
        request = session.state.request()
        self._regrading = token = self._queue.submit(
            lambda _report, cancel: self._regrade(session, request, cancel),
            lambda outcome: self._on_regraded(session, request, token, outcome),
        )
        self.state_changed.emit(session.state)

    def ask_networks(
        self, work: Callable[[System, CancelToken], T], done: Callable[[Outcome[T]], None]
    ) -> None:
        """Let the networks do something beside the analysis, off the GUI thread; ``done`` is called on it."""
        self._queue.submit(lambda _report, cancel: work(self._loaded(), cancel), done)

    def save_view(self) -> None:
        """Save what is looked at now, if there is a session on disk to which it belongs."""
        if self.session is not None and self.session.saved_at is not None and not self.session.not_saved:
            self.session.save()

    def save(self, out: Path) -> None:
        """Write the result files; stale findings go out as not gradable, never with their old grade."""
        if self.session is None:
            return
        study, state = self.session.study, self.session.state
        self._start(
            "Writing results",
            lambda _report, _cancel: write_results(study, current_analysis(state, self._store.reader), out),
            lambda outcome: self._show(
                outcome,
                lambda files: self.said.emit(f"{len(files)} files written to {out}", False),
                "Writing the results",
            ),
        )

    def close(self) -> None:
        """Stop everything; nothing is told any more."""
        self._delay.stop()
        self._queue.close()

    def _read(self, folder: Path) -> Study:
        self._store.check_apart(folder)
        return read_study(folder)

    def _analyze(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Analysis:
        return analyze(study, self._loaded(), report, cancel)

    def _regrade(
        self, session: Session, request: RegradeRequest, cancel: CancelToken
    ) -> Mapping[FindingKey, Finding]:
        return answer(session.study, self._loaded(), request, cancel)

    def _loaded(self) -> System:
        """The system; loaded once, on the worker's thread."""
        if self._system is None:
            self._system = self._load_system()
        return self._system

    def _start(
        self,
        stage: str,
        work: Callable[[ProgressCallback, CancelToken], T],
        done: Callable[[Outcome[T]], None],
    ) -> None:
        def ended(outcome: Outcome[T]) -> None:
            if self._foreground is token:
                self._foreground = None
                self.busy_changed.emit(False)
                done(outcome)

        if self._foreground is not None:
            self._foreground.cancel()
        self._foreground = token = self._queue.submit(work, ended, self.progressed.emit)
        self.busy_changed.emit(True)
        self.progressed.emit(Progress(stage, 0.0))
        self.said.emit(f"{stage}…", False)

    def _show(self, outcome: Outcome[T], use: Callable[[T], None], what: str) -> None:
        """Use what came out, or say why nothing did; what is on the screen stays."""
        if outcome.cancelled:
            self.said.emit(f"{what} was cancelled; nothing was changed.", False)
        elif outcome.value is None:
            self.said.emit(f"{what} failed: {outcome.error}", True)
        else:
            use(outcome.value)

    def _begin_session(self, study: Study, analysis: Analysis) -> None:
        if study is not self.study:
            return
        self._end_session()
        restored, trouble = self._restored(study, analysis.provenance.bundle_sha256)
        if study is not self.study:  # opened while the person was asked
            return
        state = SessionState(study.study_uid, analysis, restored.work)
        self.session = session = Session(study, state, self._save, restored.saved_at, trouble)
        self.restored_view = restored.view
        session.changed.connect(self._on_edited)
        session.save_failed.connect(lambda message: self.said.emit(message, True))
        graded, seconds = len(analysis.graded), analysis.timings_s["total"]
        self.said.emit(
            f"{graded} of 25 findings graded in {seconds:.0f} s. {restored.message}".strip(), False
        )
        if trouble:
            self.said.emit(f"Corrections will not be saved: {trouble}", True)
        self._on_edited(state)
        self.analysed.emit()

    def _restored(self, study: Study, bundle_sha256: str) -> tuple[Restored, str]:
        """Work on disk, and why it cannot be used; it stays as it is, and new work is not saved over it."""
        try:
            try:
                return self._store.restore(study, bundle_sha256), ""
            except AnothersSession as error:
                if not self.may_take_over(error.owner):
                    raise
                return self._store.restore(study, bundle_sha256, take_over=True), ""
        except (SessionError, OSError) as error:
            return Restored(), f"{error}."

    def _save(self, state: SessionState) -> datetime:
        return self._store.save(state, self.view())

    def _end_session(self) -> None:
        self.save_view()
        self._delay.stop()
        if self._regrading is not None:
            self._regrading.cancel()
            self._regrading = None
        self.session = None
        self.state_changed.emit(None)

    def _on_edited(self, state: SessionState) -> None:
        """Wait a moment before regrading: a person often moves a point twice."""
        if state.outdated:
            self._delay.start()
        self.state_changed.emit(state)

    def _on_regraded(
        self,
        session: Session,
        request: RegradeRequest,
        token: CancelToken,
        outcome: Outcome[Mapping[FindingKey, Finding]],
    ) -> None:
        if session is not self.session or token is not self._regrading:
            return
        self._regrading = None
        if outcome.value is None:
            self.said.emit(f"Regrading failed: {outcome.error} The findings stay stale; try Regrade.", True)
            self.state_changed.emit(session.state)
            return
        self.said.emit(f"Graded again: {len(request.keys)}.", False)
        session.accept(request, outcome.value)
