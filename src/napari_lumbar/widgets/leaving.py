"""Corrections that are on no disk are not left without asking: not for another study, nor with the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from .reading import Reading


class Leaving(QObject):
    """Asks before a session is left whose work could not be saved.

    Parameters
    ----------
    reading
        Whose session it is.
    ask
        Called with why the work is on no disk: whether it may be left all the same.
    """

    def __init__(self, reading: Reading, ask: Callable[[str], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._ask = ask

    def may_leave(self) -> bool:
        """Whether the session can go: its work is on disk, now if not before, or a person lets it go."""
        session = self._reading.session
        if session is not None and session.is_at_risk:
            self._reading.save_view()  # the disk may have room again
        if session is None or not session.is_at_risk:
            return True
        # A study that was being read may come while a person thinks: what was asked is not about that one.
        return self._ask(session.not_saved) and self._reading.session is session

    def asking(self, act: Callable[..., None]) -> Callable[..., None]:
        """``act``, but only if the session may be left for it."""

        def act_if_allowed(*arguments: Any) -> None:
            if self.may_leave():
                act(*arguments)

        return act_if_allowed

    def watch(self, window: QWidget) -> None:
        """Ask before ``window`` closes, too."""
        window.installEventFilter(self)

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        """Stop the closing of the window where a person stays."""
        if event.type() != QEvent.Type.Close or self.may_leave():
            return bool(super().eventFilter(window, event))
        event.ignore()
        return True
