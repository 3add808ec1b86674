"""A study dropped onto a widget is opened by the reader, not by napari's window around it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QWidget

_OVER = (QEvent.Type.DragEnter, QEvent.Type.DragMove)


class StudyDrop(QObject):
    """Lets ``target`` and everything in it take files and folders.

    Signals
    -------
    dropped
        List of ``Path``: what was dropped; empty where nothing of it lies on a disk.
    """

    dropped = Signal(object)

    def __init__(self, target: QWidget) -> None:
        super().__init__(target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take drags that carry addresses of files, and leave everything else to others."""
        if event.type() not in (*_OVER, QEvent.Type.Drop) or not event.mimeData().hasUrls():
            return bool(super().eventFilter(watched, event))
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            urls = event.mimeData().urls()
            self.dropped.emit([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        return True
