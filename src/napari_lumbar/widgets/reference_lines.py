"""Where the slices of the other pane cut the slice on the screen: all faint, the one it shows bright."""

from __future__ import annotations

import numpy as np
from napari.layers import Vectors

from ..domain.geometry import FloatArray
from ..domain.planes import crossings_rc
from ..domain.study import MRSeries
from ..layer_data import lines_layer
from . import theme
from .drawn_once import drawn_once, replace_data
from .flat_vectors import flat_vectors

_LINE_MM = 0.8
_FAINT_ALPHA, _BRIGHT_ALPHA = 0.3, 0.95
#: Lines that moved by less, in pixels of the image, are left as they are.
_PIXELS = 0.25


class ReferenceLines:
    """A layer that is shown on every slice of a series.

    One layer for both kinds of lines: whatever changes in it, napari compiles its drawing anew.

    Parameters
    ----------
    series
        The series they are drawn on.
    """

    def __init__(self, series: MRSeries) -> None:
        self._series = series
        self._others: MRSeries | None = None
        self._cuts: dict[int, FloatArray] = {}
        self._segments: FloatArray = np.empty((0, 2, 2))
        self._bright: int | None = None
        vectors, options, _ = lines_layer(series, self._segments)
        self.layer = Vectors(flat_vectors(vectors), **options, edge_width=_LINE_MM / options["scale"][-1])

    def use(self, series: MRSeries) -> None:
        """Draw on another series, whose scale the layer has; no lines yet."""
        self._series, self._others, self._cuts = series, None, {}
        self._segments, self._bright = np.empty((0, 2, 2)), None
        empty, options, _ = lines_layer(series, self._segments)
        with drawn_once(self.layer):
            replace_data(self.layer, flat_vectors(empty))
            self.layer.edge_width = _LINE_MM / options["scale"][-1]

    def draw(self, slice_index: int, others: MRSeries | None, other_index: int) -> None:
        """Draw the slices of ``others`` on a slice of the series, the one at ``other_index`` bright."""
        if others is not self._others:
            self._others, self._cuts = others, {}
        segments = self._cut(slice_index)
        if not _same(segments, self._segments):
            self._segments, self._bright = segments, other_index
            with drawn_once(self.layer):
                replace_data(self.layer, flat_vectors(lines_layer(self._series, segments)[0]))
                self._colour()
        self.point_out(other_index)

    def point_out(self, other_index: int) -> None:
        """Make another one bright; the slice they are drawn on is the same."""
        if other_index != self._bright:
            self._bright = other_index
            self._colour()

    def _colour(self) -> None:
        drawn = np.flatnonzero(np.isfinite(self._segments).all(axis=(1, 2)))
        if len(drawn):
            alphas = np.where(drawn == self._bright, _BRIGHT_ALPHA, _FAINT_ALPHA)
            self.layer.edge_color = theme.shades(theme.LINE_COLOUR, alphas)

    def _cut(self, slice_index: int) -> FloatArray:
        if slice_index not in self._cuts:
            geometries = [s.geometry for s in self._others.slices] if self._others is not None else []
            self._cuts[slice_index] = crossings_rc(self._series.slices[slice_index].geometry, geometries)
        return self._cuts[slice_index]


def _same(first: FloatArray, second: FloatArray) -> bool:
    """Whether lines lie where they lay: to draw them again costs as much as all else on the canvas."""
    return first.shape == second.shape and np.allclose(first, second, rtol=0, atol=_PIXELS, equal_nan=True)
