"""What is looked at, as a value to be kept with the session, and the way back to it."""

from __future__ import annotations

from collections.abc import Iterator

from napari.layers import Image

from ..domain.spine import FindingKey
from ..session import ViewState
from ..session.view import Window
from .pane import Pane
from .panes import LinkedPanes


def current_view(panes: LinkedPanes, chosen: FindingKey | None) -> ViewState:
    """Return the chosen finding, and the slice and grey scale that each pane shows."""
    return ViewState(
        chosen=chosen,
        slices={pane.series.series_id: pane.slice_index for pane in panes if pane.series is not None},
        windows={
            pane.series.role: _window(image)
            for pane in panes
            if pane.series is not None and pane.series.role is not None
            for image in _images(pane)
        },
    )


def show_view(panes: LinkedPanes, view: ViewState) -> None:
    """Show slices and grey scales again, as far as the panes show their series; the finding is not chosen."""
    for pane in panes:
        if pane.series is None:
            continue
        if pane.series.series_id in view.slices:
            pane.go_to_slice(min(view.slices[pane.series.series_id], len(pane.series.slices) - 1))
        window = view.windows.get(pane.series.role) if pane.series.role else None
        if window is not None:
            for image in _images(pane):
                image.contrast_limits = window


def _window(image: Image) -> Window:
    low, high = image.contrast_limits
    return float(low), float(high)


def _images(pane: Pane) -> Iterator[Image]:
    """The image of the series that a pane shows."""
    shown = pane.series.series_id if pane.series else None
    for layer in pane.viewer.layers:
        if isinstance(layer, Image) and shown is not None and layer.metadata.get("series_id") == shown:
            yield layer
