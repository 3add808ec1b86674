"""From a folder to corrected findings: what happens when, without a single widget.

Work runs in one slot off the GUI thread. An answer that belongs to another study or session is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from ..dicom import common_folder
from ..domain.errors import StudyError
from ..domain.findings import Analysis, Finding
from ..domain.spine import FindingKey
from ..domain.study import SeriesRole, Study
from ..export.write import write_results
from ..pipeline.progress import CancelToken, Progress, ProgressCallback
from ..pipeline.protocols import System
from ..pipeline.run import analyze
from ..session import (
    RegradeRequest,
    RoleMemory,
    Session,
    SessionState,
    SessionStore,
    ViewState,
    current_analysis,
    restore_work,
)
from ..session.regrading import answer
from .study_source import StudyChoice, read_chosen
from .study_words import Edit, graded_sentence, left_words, opened_sentence, with_risk
from .system_loader import SystemLoader
from .thumbnails import Thumbnail, thumbnails
from .worker import Outcome, WorkQueue

REGRADE_DELAY_MS = 300

T = TypeVar("T")
#: Findings graded again, and what a failing device made of the work.
_Regraded = tuple[Mapping[FindingKey, Finding], list[str]]


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
    opened
        (folder, ``Study``): a study was read from a folder and is on the screen.
    choice_needed
        A ``StudyChoice``: the folder holds several studies; ``open_paths`` again with the one that is meant.
    thumbnails_made
        Pictures of the study's series by ``series_id``.
    session_left
        The session that was on the screen is over; another one may follow at once, without a None between.
    regrading_began
        The findings that are stale are being graded; the state is what it was.
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
    opened = Signal(object, object)
    choice_needed = Signal(object)
    thumbnails_made = Signal(object)
    session_left = Signal()
    regrading_began = Signal()
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
        self.automatic: Study | None = None
        self.session: Session | None = None
        self._queue = WorkQueue(self)
        self._loader = SystemLoader(load_system)
        self._store = store
        self._roles = RoleMemory(store)
        self._foreground: CancelToken | None = None
        self._regrading: CancelToken | None = None
        self._edit, self._delay = Edit(), QTimer(self)
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

    def open_paths(self, paths: Sequence[Path], study_uid: str | None = None) -> None:
        """Read the study that ``paths`` lead to; the one on the screen stays until the new one is there.

        Parameters
        ----------
        paths
            A folder, a DICOMDIR, or images that lie in one folder.
        study_uid
            Which study, where the folder holds several.
        """
        try:
            folder = common_folder(paths)
        except StudyError as error:
            self.said.emit(f"Nothing was opened: {error}.", True)
            return
        self.run(
            "Reading the study",
            lambda report, cancel: self._read(folder, study_uid, report, cancel),
            lambda found: self._on_read(folder, found),
            "Reading the study",
        )

    def show_study(self, study: Study) -> None:
        """Put a study on the screen, not analysed yet, with the roles that a person gave it before."""
        recalled = self._roles.recall(study)
        self.automatic, self.study, left = study, recalled or study, self.session
        self._end_session()
        self.study_changed.emit(self.study)
        self.said.emit(*with_risk(opened_sentence(self.study, recalled is not None), left))
        self._queue.submit(
            lambda _report, _cancel: thumbnails(study),
            lambda outcome: self._on_thumbnails(study, outcome),
        )

    def assign_role(self, series_id: str, role: SeriesRole | None) -> None:
        """Let a person say what a series is for; findings made with other series go from the screen."""
        if self.study is not None and self.study.by_id(series_id).role is not role:
            self._use(self.study.assigning(series_id, role))

    def use_automatic_roles(self) -> None:
        """Take every role back that a person gave."""
        if self.automatic is not None:
            self._use(self.automatic)

    def analyse(self) -> None:
        """Localise and grade the study on the screen."""
        study, loader = self.study, self._loader
        if study is None or self.is_busy:
            return
        self.run(
            "Loading the network",
            lambda report, cancel: analyze(study, loader.system(), report, cancel),
            lambda analysis: self._begin_session(study, loader, analysis),
            "The analysis",
        )

    def use_system(self, load_system: Callable[[], System]) -> None:
        """Work with other networks, or elsewhere, from now on; the findings of the old ones go."""
        if self._foreground is not None:
            self._foreground.cancel()
        self._loader = SystemLoader(load_system)
        left = self.session
        self._end_session()
        if self.study is not None:
            self.said.emit(*left_words("Networks changed: analyse again.", left))

    def run(
        self,
        stage: str,
        work: Callable[[ProgressCallback, CancelToken], T],
        use: Callable[[T], None],
        what: str,
    ) -> None:
        """Do what a person waits for; what came out is used, or it is said why nothing did."""

        def ended(outcome: Outcome[T]) -> None:
            if self._foreground is token:
                self._foreground = None
                self.busy_changed.emit(False)
                self._show(outcome, use, what)

        if self._foreground is not None:
            self._foreground.cancel()
        self._foreground = token = self._queue.submit(work, ended, self.progressed.emit)
        self.busy_changed.emit(True)
        self.progressed.emit(Progress(stage, 0.0))
        self.said.emit(f"{stage}…", False)

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
        request, loader = session.state.request(), self._loader
        self._regrading = token = self._queue.submit(
            lambda _report, cancel: _regraded(session, loader, request, cancel),
            lambda outcome: self._on_regraded(session, request, token, outcome),
        )
        self.regrading_began.emit()

    def say_edited(self, words: str, is_risk: bool = False) -> None:
        """Say what the latest edit did, and once more when its findings are graded again."""
        self._edit = Edit(words, is_risk, self.session.state.work if self.session else None)
        self.said.emit(words, is_risk)

    def ask_networks(
        self, work: Callable[[System, CancelToken], T], done: Callable[[Outcome[T]], None]
    ) -> None:
        """Let the networks do something beside the analysis, off the GUI thread; ``done`` is called on it."""
        loader = self._loader
        self._queue.submit(lambda _report, cancel: work(loader.system(), cancel), done)

    def save_view(self) -> None:
        """Save what is looked at now, and once more what could not be saved, before the session is left."""
        session = self.session
        if session is not None and (session.is_at_risk or (session.saved_at and not session.not_saved)):
            session.save()

    def save(self, session: Session, out: Path) -> None:
        """Write the result files; stale findings go out as not gradable, never with their old grade."""
        study, state = session.study, session.state
        # Not what a person waits for: nothing that they do next drops it, not even leaving.
        self._queue.submit(
            lambda _report, _cancel: write_results(study, current_analysis(state, self._store.reader), out),
            lambda outcome: self._show(
                outcome,
                lambda files: self.said.emit(f"{len(files)} files written to {out}", False),
                "Writing the results",
            ),
            is_kept=True,
        )
        self.said.emit("Writing results…", False)

    def close(self) -> None:
        """Stop everything; nothing is told any more."""
        self._delay.stop()
        self._queue.close()

    def _read(
        self, folder: Path, study_uid: str | None, report: ProgressCallback, cancel: CancelToken
    ) -> Study | StudyChoice:
        self._store.check_apart(folder)
        return read_chosen(folder, study_uid, report, cancel)

    def _on_read(self, folder: Path, found: Study | StudyChoice) -> None:
        if isinstance(found, StudyChoice):
            self.said.emit(f"The folder holds {len(found.found)} studies: choose one.", False)
            self.choice_needed.emit(found)
            return
        self.show_study(found)
        self.opened.emit(folder, found)

    def _on_thumbnails(self, study: Study, outcome: Outcome[Mapping[str, Thumbnail]]) -> None:
        if study is self.automatic and outcome.value is not None:
            self.thumbnails_made.emit(outcome.value)

    def _use(self, study: Study) -> None:
        """Put the study on the screen with other roles, and remember them."""
        self.study, left = study, self.session
        self._end_session()
        self.study_changed.emit(study)
        self.said.emit(*left_words("Role changed: analyse again.", left))
        try:
            self._roles.remember(study)
        except OSError as error:
            self.said.emit(f"The roles hold, but are not remembered: {error.strerror}.", True)

    def _show(self, outcome: Outcome[T], use: Callable[[T], None], what: str) -> None:
        """Use what came out, or say why nothing did; what is on the screen stays."""
        if outcome.cancelled:
            self.said.emit(f"{what} was cancelled; nothing was changed.", False)
        elif outcome.value is None:
            self.said.emit(f"{what} failed: {outcome.error}", True)
        else:
            use(outcome.value)

    def _begin_session(self, study: Study, loader: SystemLoader, analysis: Analysis) -> None:
        if study is not self.study or loader is not self._loader:
            return
        left = self.session
        self._leave_session()
        restored, trouble = restore_work(self._store, study, analysis, self._ask_to_take_over, left)
        if study is not self.study:  # opened while the person was asked
            return
        state = SessionState(study.study_uid, analysis, restored.work)
        self.session = session = Session(study, state, self._save, restored.saved_at, trouble)
        self.restored_view = restored.view
        session.changed.connect(self._on_edited)
        session.save_failed.connect(lambda message: self.said.emit(message, True))
        steps = analysis.provenance.device_steps
        words = " ".join([graded_sentence(analysis), *steps, restored.message]).strip()
        words, is_risk = with_risk(words, left)
        self.said.emit(words, is_risk or bool(steps))
        if trouble and not is_risk:
            self.said.emit(f"Corrections will not be saved: {trouble}", True)
        self._on_edited(state)
        self.analysed.emit()

    def _ask_to_take_over(self, owner: str) -> bool:
        self.state_changed.emit(None)  # nothing of an older analysis is shown while a person decides
        return self.may_take_over(owner)

    def _save(self, state: SessionState) -> datetime:
        return self._store.save(state, self.view())

    def _end_session(self) -> None:
        """Leave the session; nothing of it is shown any more."""
        self._leave_session()
        self.state_changed.emit(None)

    def _leave_session(self) -> None:
        self.save_view()
        self._delay.stop()
        if self._regrading is not None:
            self._regrading.cancel()
            self._regrading = None
        if self.session is not None:
            self.session.changed.disconnect(self._on_edited)
            self.session = None
            self.session_left.emit()

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
        outcome: Outcome[_Regraded],
    ) -> None:
        if session is not self.session or token is not self._regrading:
            return
        self._regrading = None
        if outcome.value is None:
            self.said.emit(f"Regrading failed: {outcome.error} The findings stay stale; try Regrade.", True)
            self.state_changed.emit(session.state)
            return
        findings, steps = outcome.value
        session.accept(request, findings)
        edit = self._edit if self._edit.work is session.state.work else Edit()
        words = (edit.words, f"Graded again: {len(request.keys)}.", *steps)
        self.said.emit(" ".join(words).strip(), edit.is_risk or bool(steps))


def _regraded(
    session: Session, loader: SystemLoader, request: RegradeRequest, cancel: CancelToken
) -> _Regraded:
    steps: list[str] = []
    return answer(session.study, loader.system(), request, cancel, steps.append), steps
