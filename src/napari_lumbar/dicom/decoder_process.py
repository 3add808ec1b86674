"""Decode compressed pixels in another process, so that a hostile file cannot take this one down.

Native decoders have crashed, hung, and taken all memory on damaged files. The process here
(``decoding_child``) is a fresh interpreter and not one of ``multiprocessing``, whose children import the main
program again, which may be napari. Answers come as plain text and numbers, never as pickles, and of a size
known beforehand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar, cast

import numpy as np

from .codes import Exclusion, Oddity
from .complaint import Complaint
from .pixels import SlicePixels, WantedSlice

#: A slice that takes longer to decode is given up; one of 512 x 512 takes well below 0.1 s.
SLICE_LIMIT_S = 10.0
#: Starting imports NumPy and pydicom: 1 to 2 s, more where the disk is cold.
START_LIMIT_S = 120.0
#: How often a caller who waits is asked whether to go on.
_LOOK_S = 0.1
#: ``-P``: nothing is imported from the current folder, which may be the one that is read.
COMMAND = (sys.executable, "-P", "-m", "napari_lumbar.dicom.decoding_child")
READY = b"ready\n"
_LONGEST_LINE = 2**16

T = TypeVar("T")
Outcome = SlicePixels | Complaint


class DecoderProcess:
    """Decodes files one after another; a context manager.

    The process starts with the first file, serves all of them, and starts anew after one that it did not
    survive.

    Parameters
    ----------
    cancel
        Called every 0.1 s while waiting; raises to stop.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._child: _Child | None = None
        self._startable = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read(self, path: Path, wanted: Sequence[WantedSlice]) -> Iterator[Outcome]:
        """Yield what ``read_pixels`` would; after a crash or a timeout the rest of the file is given up."""
        child = self._started()
        if child is None:
            yield from [Complaint(Exclusion.DECODER_NOT_STARTED)] * len(wanted)
            return
        child.ask(path, wanted)
        for done, one in enumerate(wanted):
            try:
                outcome = child.wait(child.answer(one), SLICE_LIMIT_S, self._cancel)
                why = Complaint(Exclusion.DECODER_CRASHED)
            except TimeoutError:
                outcome = None
                why = Complaint(Exclusion.DECODING_TIMEOUT, f"over {SLICE_LIMIT_S:g} s")
            if outcome is None:
                self._stop()
                yield from [why] * (len(wanted) - done)
                return
            yield outcome

    def _started(self) -> _Child | None:
        """The process, started if there is none; None if it cannot be, which is tried once."""
        if self._child is None and self._startable:
            try:
                self._child = _Child()
                self._startable = self._child.wait(self._child.greeting(), START_LIMIT_S, self._cancel)
            except OSError:  # TimeoutError is one
                self._startable = False
            if not self._startable:
                self._stop()
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


class _Child:
    """One process, and the thread that reads from it so that nobody waits for it without a limit."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._replies = cast(BinaryIO, self._process.stdout)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decoder-process")

    def greeting(self) -> Future[bool]:
        """Whether the process says that it can decode; else it has ended."""
        return self._thread.submit(lambda: self._replies.readline(_LONGEST_LINE) == READY)

    def ask(self, path: Path, wanted: Sequence[WantedSlice]) -> None:
        """Send what to decode; that the process is gone shows when the answer is read."""
        request = json.dumps({"path": str(path), "wanted": [one.as_list() for one in wanted]})
        self._thread.submit(self._write, request.encode() + b"\n")

    def answer(self, one: WantedSlice) -> Future[Outcome | None]:
        """The next slice that was asked for; None if the process has ended or answers nonsense."""
        return self._thread.submit(_read_outcome, self._replies, one)

    def wait(self, future: Future[T], limit_s: float, cancel: Callable[[], None]) -> T:
        """Return the future's result, or raise ``TimeoutError`` after ``limit_s``."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                return future.result(timeout=_LOOK_S)
            except TimeoutError:
                cancel()
                if time.monotonic() > deadline:
                    raise

    def close(self) -> None:
        """End the process whatever it is doing, and with it the thread's reading."""
        self._process.kill()
        self._process.wait()
        self._thread.shutdown()
        self._replies.close()
        with suppress(OSError):  # what was not sent before the end
            self._requests.close()

    def _write(self, request: bytes) -> None:
        self._requests.write(request)
        self._requests.flush()


def _environment() -> dict[str, str]:
    """What this process imports, the other can; and it needs no threads of its own."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _read_outcome(replies: BinaryIO, one: WantedSlice) -> Outcome | None:
    # Whatever comes from a process that a hostile file has been in is believed only where it makes sense.
    try:
        reply = json.loads(replies.readline(_LONGEST_LINE))
        if reply["excluded"] is not None:
            return Complaint(Exclusion[reply["excluded"]], reply["detail"])
        oddities = tuple(Oddity[name] for name in reply["oddities"])
        signal = replies.read(one.rows * one.columns * np.dtype(np.float32).itemsize)
        return SlicePixels(np.frombuffer(signal, np.float32).reshape(one.rows, one.columns), oddities)
    except Exception:  # noqa: BLE001
        return None
