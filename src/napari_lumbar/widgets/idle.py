"""Work that waits until the window has nothing better to do, such as painting what a person asked for."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


class WhenIdle(QObject):
    """Does the last thing it was given once pending input and painting are over."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work: Callable[[], None] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._do)

    def __call__(self, work: Callable[[], None]) -> None:
        """Do this later, in place of what still waits."""
        self._work = work
        self._timer.start()

    def _do(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()
