"""Networks that are loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Callable

from ..pipeline.protocols import System


class SystemLoader:
    """Loads a system once, on the worker's thread, where all work is done one after another."""

    def __init__(self, load: Callable[[], System]) -> None:
        self._load = load
        self._system: System | None = None

    def system(self) -> System:
        """Return the system; raise what loading it raises."""
        if self._system is None:
            self._system = self._load()
        return self._system
