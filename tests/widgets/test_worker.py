"""Work off the GUI thread always ends in one answer on the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import QThread

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.pipeline.progress import CancelToken, Progress, ProgressCallback
from napari_lumbar.widgets.worker import Outcome, WorkQueue


@pytest.fixture
def queue(qapp: Any) -> Iterator[WorkQueue]:
    queue = WorkQueue()
    yield queue
    queue.close()


def run(queue: WorkQueue, qtbot: Any, work: Any) -> Outcome[Any]:
    outcomes: list[Outcome[Any]] = []
    queue.submit(work, outcomes.append)
    qtbot.waitUntil(lambda: bool(outcomes), timeout=5000)
    assert len(outcomes) == 1
    return outcomes[0]


def test_answer_and_progress_arrive_on_the_gui_thread(queue: WorkQueue, qtbot: Any, qapp: Any) -> None:
    threads: list[Any] = []
    told: list[Progress] = []

    def work(report: ProgressCallback, cancel: CancelToken) -> str:
        threads.append(threading.current_thread())
        report(Progress("half", 0.5))
        return "answer"

    def done(outcome: Outcome[str]) -> None:
        threads.append(QThread.currentThread() == qapp.thread())
        told.append(Progress(str(outcome.value), 1))

    queue.submit(work, done, told.append)
    qtbot.waitUntil(lambda: len(told) == 2, timeout=5000)
    assert told == [Progress("half", 0.5), Progress("answer", 1)]
    assert threads[0] is not threading.main_thread()
    assert threads[1] is True


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(
            BundleError("weights.safetensors is missing"), "weights.safetensors is missing", id="ours"
        ),
        pytest.param(RuntimeError("CUDA out of memory"), "RuntimeError: CUDA out of memory", id="torch"),
    ],
)
def test_an_error_becomes_a_sentence(queue: WorkQueue, qtbot: Any, error: Exception, text: str) -> None:
    def work(report: ProgressCallback, cancel: CancelToken) -> None:
        raise error

    assert run(queue, qtbot, work) == Outcome(error=text)


def test_cancelled_work_says_so(queue: WorkQueue, qtbot: Any) -> None:
    outcomes: list[Outcome[Any]] = []
    started = threading.Event()

    def work(report: ProgressCallback, cancel: CancelToken) -> None:
        started.set()
        while True:
            cancel.raise_if_cancelled()

    token = queue.submit(work, outcomes.append)
    assert started.wait(5)
    token.cancel()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=5000)
    assert outcomes == [Outcome(cancelled=True)]


def test_work_waits_for_its_turn(queue: WorkQueue, qtbot: Any) -> None:
    running: list[int] = []
    seen: list[int] = []

    def work(report: ProgressCallback, cancel: CancelToken) -> None:
        running.append(1)
        seen.append(len(running))
        running.pop()

    outcomes: list[Outcome[Any]] = []
    for _ in range(5):
        queue.submit(work, outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) == 5, timeout=5000)
    assert seen == [1] * 5


def test_nobody_is_told_after_closing(queue: WorkQueue, qtbot: Any) -> None:
    outcomes: list[Outcome[Any]] = []
    started, ended = threading.Event(), threading.Event()

    def work(report: ProgressCallback, cancel: CancelToken) -> None:
        started.set()
        try:
            while True:
                cancel.raise_if_cancelled()
        finally:
            ended.set()

    queue.submit(work, outcomes.append)
    assert started.wait(5)
    queue.close()
    assert ended.wait(5)
    qtbot.wait(50)
    assert outcomes == []


def test_what_is_kept_is_done_after_closing_and_nothing_else(queue: WorkQueue, qtbot: Any) -> None:
    outcomes: list[Outcome[Any]] = []
    started, done = threading.Event(), threading.Event()
    others: list[int] = []

    def work(report: ProgressCallback, cancel: CancelToken) -> None:
        started.set()
        while True:
            cancel.raise_if_cancelled()

    queue.submit(work, outcomes.append)
    queue.submit(lambda _report, _cancel: others.append(1), outcomes.append)
    queue.submit(lambda _report, _cancel: done.set(), outcomes.append, is_kept=True)
    assert started.wait(5)
    queue.close()
    assert done.wait(5)
    qtbot.wait(50)
    assert not others
    assert not outcomes
