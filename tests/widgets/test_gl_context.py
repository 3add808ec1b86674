"""Two canvases in one window: what goes from one of them goes in its own GL context."""

from __future__ import annotations

from typing import Any

import pytest
from napari.qt import QtViewer
from qtpy.QtGui import QOpenGLContext

from napari_lumbar.widgets.own_window import main_canvases
from napari_lumbar.widgets.reader_dock import ReaderDock

from .window import analyse

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("name", ["main", "axial"])
def test_layers_that_go_are_deleted_in_the_context_of_their_canvas(
    dock: ReaderDock, qtbot: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    analyse(dock, qtbot)
    canvases = [main_canvases(dock)[0], dock.axial_canvas]
    own, other = canvases if name == "main" else reversed(canvases)
    layers = own.viewer.layers
    contexts: list[Any] = []
    monkeypatch.setattr(
        own.canvas._scene_canvas.context, "finish", lambda: contexts.append(QOpenGLContext.currentContext())
    )
    make_current(other)
    layers.remove("Cursor")
    make_current(other)
    with layers.batched_update():
        layers.remove("Level names")
    assert contexts == [own.canvas.native.context()] * len(contexts)
    assert len(contexts) >= 2


def make_current(canvas: QtViewer) -> None:
    native: Any = canvas.canvas.native
    native.makeCurrent()
    assert QOpenGLContext.currentContext() == native.context()
