"""Where corrected points were predicted: hollow rings, each with a thin line to the corrected point."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from napari.layers import Layer, Points, Vectors

from .. import layer_data
from ..domain.landmarks import Landmark
from ..domain.spine import FindingKey
from ..domain.study import MRSeries
from ..session import SessionState
from . import theme
from .drawn_once import drawn_once, replace_data, rescale
from .in_place import keep_in_place
from .napari_keys import keep_from_editing

_SIZE_MM = 8.0
#: On the screen. No least size: napari stands in for no points on a slice with one of no size, which must
#: stay invisible.
_SIZE_LIMITS_PX = (0, 24)
_LINE_MM = 1.0
#: The chosen finding's ghost stands out, the others recede.
_CHOSEN_ALPHA, _OTHER_ALPHA = 1.0, 0.4


class Canvas(Protocol):
    """What ghosts are drawn on: the series that is shown, among layers of its own."""

    series: MRSeries | None

    def put_below_points(self, layer: Layer) -> None:
        """Have a layer between the image and the points."""


class Ghosts:
    """Two layers that nobody edits, made when there is first a ghost to show on a series."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._layers: tuple[Points, Vectors] | None = None

    def draw(self, state: SessionState | None, chosen: FindingKey | None) -> None:
        """Show the ghosts of every corrected point on the series that is shown."""
        series = self._canvas.series
        if series is None:
            return
        rings, lines = layer_data.ghost_layers(series, _moves(state) if state is not None else ())
        if self._layers is None and len(rings[0]):
            self._layers = _made(rings, lines)
        if self._layers is not None:
            for layer in self._layers:
                self._canvas.put_below_points(layer)
            _fill(*self._layers, rings, lines, chosen)


def _made(rings: layer_data.LayerData, lines: layer_data.LayerData) -> tuple[Points, Vectors]:
    made = (
        Points(rings[0], **rings[1], canvas_size_limits=_SIZE_LIMITS_PX),
        Vectors(lines[0], **lines[1], vector_style="line"),
    )
    keep_from_editing(made[0])
    for layer in made:
        layer.locked = True
        keep_in_place(layer)
        layer.projection_mode = "none"
    return made


def _moves(state: SessionState) -> list[tuple[Landmark | None, Landmark | None]]:
    """(predicted landmark, landmark in force) of each corrected finding."""
    corrected = [key for key in state.analysis.findings if state.correction(key).moves_point]
    return [(state.predicted_place(key), state.landmarks.get(key)) for key in corrected]


def _fill(
    rings_layer: Points,
    lines_layer: Vectors,
    rings: layer_data.LayerData,
    lines: layer_data.LayerData,
    chosen: FindingKey | None,
) -> None:
    points, options, _ = rings
    pixel_mm = options["scale"][-1]
    rescale((rings_layer, lines_layer), options["scale"])
    with drawn_once(rings_layer):
        replace_data(rings_layer, points)
        rings_layer.features = options["features"]
        if len(points):
            rings_layer.symbol = "disc"
            rings_layer.size = _SIZE_MM / pixel_mm
            rings_layer.face_color = "transparent"
            rings_layer.border_width = 0.2
            rings_layer.border_color = _colours(options["features"]["finding"], chosen)
    rings_layer.editable = False
    with drawn_once(lines_layer):
        replace_data(lines_layer, lines[0])
        if len(lines[0]):
            lines_layer.edge_width = _LINE_MM / pixel_mm
            lines_layer.edge_color = _colours(lines[1]["features"]["finding"], chosen)


def _colours(findings: list[str], chosen: FindingKey | None) -> np.ndarray[Any, Any]:
    """Red, green, blue and opacity of each ghost."""
    column = chosen.column if chosen else None
    alphas = [_CHOSEN_ALPHA if finding == column else _OTHER_ALPHA for finding in findings]
    return theme.shades(theme.GHOST_COLOUR, alphas)
