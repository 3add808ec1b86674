"""Layers stay where they are: napari's transform mode drags and turns a whole layer off the others."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer


def keep_in_place(layer: Layer) -> None:
    """Let nobody drag a layer, by key or button: beside an image that was moved, every point is elsewhere."""
    layer.events.mode.connect(_leave_transform_mode)


def _leave_transform_mode(event: Any) -> None:
    if event.source.mode == "transform":
        event.source.mode = "pan_zoom"
