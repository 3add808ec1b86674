"""What a removed layer leaves on the GPU is deleted where it was made."""

from __future__ import annotations

from typing import Any

from napari.qt import QtViewer


def delete_in_own_context(canvas: QtViewer) -> None:
    """Make a canvas's GL context the current one before napari deletes what was drawn on it.

    napari 0.9 flushes vispy's commands whenever a layer goes, in whatever context is current. Beside a second
    canvas that is often not the one they are meant for: vispy then believes in a program that the context
    does not have, and the next drawing may end the process.
    """
    native: Any = canvas.canvas.native
    events = canvas.viewer.layers.events
    # Before a layer goes: once it has gone, napari's own callbacks come first, whatever was asked for.
    emitters = (events.removing, events.begin_batch)

    def make_current(_event: Any = None) -> None:
        native.makeCurrent()

    def stop() -> None:
        for emitter in emitters:
            emitter.disconnect(make_current)

    for emitter in emitters:
        emitter.connect(make_current)
    native.destroyed.connect(stop)
