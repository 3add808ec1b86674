"""One slot for work off the GUI thread; answers come back on the GUI thread.

napari's and superqt's workers lose a ``RuntimeError`` (every CUDA error is one) or raise a second error while
reporting the first, so work runs in a plain thread and always ends in an ``Outcome``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from qtpy.QtCore import QObject, Signal

from ..domain.errors import Cancelled, LumbarError
from ..pipeline.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from .logbook import note_failure

T = TypeVar("T")
Work = Callable[[ProgressCallback, CancelToken], T]


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How a job ended: with a value, with a sentence saying what went wrong, or cancelled."""

    value: T | None = None
    error: str = ""
    cancelled: bool = False


@dataclass(frozen=True, eq=False)
class _Job:
    work: Work[Any]
    done: Callable[[Outcome[Any]], None]
    report: ProgressCallback
    token: CancelToken
    is_kept: bool


class WorkQueue(QObject):
    """Runs jobs one after another; call every method on the GUI thread."""

    _progressed = Signal(object, object)
    _ended = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="napari-lumbar")
        self._jobs: set[_Job] = set()
        self._closed = False
        self._progressed.connect(self._on_progressed)
        self._ended.connect(self._on_ended)

    def submit(
        self,
        work: Work[T],
        done: Callable[[Outcome[T]], None],
        report: ProgressCallback = ignore_progress,
        is_kept: bool = False,
    ) -> CancelToken:
        """Queue ``work``; ``report`` and ``done`` are called on the GUI thread, ``done`` exactly once.

        Work that ``is_kept`` is done even if the queue is closed before its turn: Python waits for it.
        """
        job = _Job(work, done, report, CancelToken(), is_kept)
        self._jobs.add(job)
        self._threads.submit(self._run, job)
        return job.token

    def close(self) -> None:
        """Cancel all but what is kept, and answer nobody any more; the batch under way ends by itself."""
        self._closed = True
        for job in self._jobs:
            if not job.is_kept:
                job.token.cancel()
        self._threads.shutdown(wait=False)  # a cancelled job ends as soon as its turn comes

    def _run(self, job: _Job) -> None:
        outcome = _outcome(job, lambda progress: self._tell(self._progressed, job, progress))
        self._tell(self._ended, job, outcome)

    def _tell(self, signal: Any, job: _Job, what: object) -> None:
        if self._closed:
            return
        try:
            signal.emit(job, what)
        except RuntimeError:  # the window went away between the question and the answer
            self._closed = True

    def _on_progressed(self, job: _Job, progress: Progress) -> None:
        if not self._closed:
            job.report(progress)

    def _on_ended(self, job: _Job, outcome: Outcome[Any]) -> None:
        self._jobs.discard(job)
        if not self._closed:
            job.done(outcome)


def _outcome(job: _Job, report: ProgressCallback) -> Outcome[Any]:
    try:
        job.token.raise_if_cancelled()
        return Outcome(job.work(report, job.token))
    except Cancelled:
        return Outcome(cancelled=True)
    except LumbarError as error:
        note_failure(error)
        return Outcome(error=str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, somebody waits for the answer
        note_failure(error)
        return Outcome(error=f"{type(error).__name__}: {error}")
