"""How long-running work reports back, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..domain.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """A stage's name and how much of the whole is done, 0 to 1."""

    stage: str
    fraction: float


ProgressCallback = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """A callback for callers who do not watch."""


class CancelToken:
    """Set from any thread; the pipeline looks between batches."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop after the batch under way."""
        self._event.set()

    def raise_if_cancelled(self) -> None:
        """Raise ``Cancelled`` once somebody has asked."""
        if self._event.is_set():
            raise Cancelled("cancelled by the user; no result was changed")
