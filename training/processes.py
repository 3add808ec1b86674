"""Work shared out to processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from .engine import one_thread

T = TypeVar("T")
R = TypeVar("R")


def worker_pool(jobs: int) -> ProcessPoolExecutor:
    """Start ``jobs`` processes of one thread that end when this one is killed, whatever they are at.

    Left alone they would train on, at the cost of the run that takes their place.
    """
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin)


def map_in_processes(work: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """Do ``work`` on every item, in order, in ``jobs`` processes of one thread; a single one is this process.

    Starting a process takes as long as grading a study.
    """
    if jobs == 1 or len(items) < 2:
        yield from map(work, items)
        return
    with worker_pool(jobs) as pool:
        yield from pool.map(work, items)


def _begin() -> None:
    one_thread()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
