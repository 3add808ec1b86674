"""Where the slices of the other pane cut the slice on the screen: all faint, the one it shows bright."""

from __future__ import annotations

import numpy as np
from napari.layers import Layer

from ..domain.geometry import FloatArray
from ..domain.planes import crossings_rc
from ..domain.study import MRSeries
from ..layer_data import LayerData, lines_layer
from . import theme

_FAINT_MM, _BRIGHT_MM = 0.7, 0.9
#: Lines that moved by less, in pixels of the image, are left as they are.
_PIXELS = 0.25


class ReferenceLines:
    """Two layers that are shown on every slice of a series.

    Parameters
    ----------
    series
        The series they are drawn on.
    """

    def __init__(self, series: MRSeries) -> None:
        self._series = series
        self._segments: FloatArray = np.empty((0, 2, 2))
        self._bright: FloatArray = self._segments
        empty = lines_layer(series, self._segments)
        self.faint = _layer(empty, _FAINT_MM, 0.3, "Reference lines")
        self.bright = _layer(empty, _BRIGHT_MM, 0.95, "Reference line")

    def use(self, series: MRSeries) -> None:
        """Draw on another series; no lines yet."""
        self._series, self._segments = series, np.empty((0, 2, 2))
        self._bright = self._segments
        empty, given, _ = lines_layer(series, self._segments)
        for layer, width_mm in ((self.faint, _FAINT_MM), (self.bright, _BRIGHT_MM)):
            layer.data, layer.scale = empty, given["scale"]
            layer.edge_width = width_mm / given["scale"][-1]

    def draw(self, slice_index: int, others: MRSeries | None, other_index: int) -> None:
        """Draw the slices of ``others`` on a slice of the series, the one at ``other_index`` bright."""
        self._cut(slice_index, others)
        self.point_out(other_index)

    def point_out(self, other_index: int) -> None:
        """Make another one bright; the slice they are drawn on is the same."""
        bright = self._segments[other_index : other_index + 1]
        if not _same(bright, self._bright):
            self._bright = bright
            self.bright.data = lines_layer(self._series, bright)[0]

    def _cut(self, slice_index: int, others: MRSeries | None) -> None:
        geometries = [s.geometry for s in others.slices] if others is not None else []
        segments = crossings_rc(self._series.slices[slice_index].geometry, geometries)
        if not _same(segments, self._segments):
            self._segments = segments
            self.faint.data = lines_layer(self._series, segments)[0]


def _same(first: FloatArray, second: FloatArray) -> bool:
    """Whether lines lie where they lay: to draw them again costs as much as all else on the canvas."""
    return first.shape == second.shape and np.allclose(first, second, rtol=0, atol=_PIXELS, equal_nan=True)


def _layer(data: LayerData, width_mm: float, opacity: float, name: str) -> Layer:
    vectors, options, kind = data
    look = {"edge_color": theme.LINE_COLOUR, "edge_width": width_mm / options["scale"][-1]}
    return Layer.create(vectors, {**options, **look, "opacity": opacity, "name": name}, kind)
