"""Every layer that a pane draws one series with; made once, then filled with other series of the same plane.

napari takes the better part of a second to remove a layer, and milliseconds to fill it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from napari.layers import Layer

from .. import layer_data
from ..domain.findings import CropEvidence
from ..domain.landmarks import Landmarks
from ..domain.study import MRSeries
from ..session import SessionState
from . import theme
from .drawn_once import drawn_once, rescale
from .in_place import keep_in_place
from .landmark_points import LandmarkPoints
from .level_names import LevelNames
from .reference_lines import ReferenceLines
from .shown import Shown
from .slice_vectors import SliceVectors

_EDGE_MM = 0.8
#: Opacity of the boxes; of the one that is pointed at and of the others meanwhile.
_USUAL, _BRIGHT, _FAINT = 0.75, 1.0, 0.3


class SeriesLayers:
    """The layers of one series.

    Parameters
    ----------
    series
        What they show first.
    """

    def __init__(self, series: MRSeries) -> None:
        self._series = series
        self.image = _layer(layer_data.image_layer(series))
        self.attention = _layer(layer_data.heatmap_layer(series, ()))
        self.crops = SliceVectors(layer_data.crop_layer(series, ()))
        self.lines, self.names = ReferenceLines(series), LevelNames(series)
        self.cursor = SliceVectors(layer_data.cursor_layer(series, None))
        self.points = LandmarkPoints(_landmarks_of(series, None))
        self._set_edges()
        self._names = [layer.name for layer in self]
        for layer in self:
            layer.locked = True
            keep_in_place(layer)

    def __iter__(self) -> Iterator[Layer]:
        """The lowest first."""
        yield from (self.image, self.attention)
        yield from (each.layer for each in (self.crops, self.lines, self.cursor, self.names, self.points))

    def fit(self, series: MRSeries) -> bool:
        """Whether these layers can show ``series``: names lie otherwise on other planes."""
        return layer_data.is_sagittal(series) == layer_data.is_sagittal(self._series)

    def use(self, series: MRSeries) -> None:
        """Be ready to show another series: its image is there, all else has to be drawn again."""
        self._series = series
        data, given, _ = layer_data.image_layer(series)
        self.image.data = data
        self.image.metadata = given["metadata"]
        for layer, name in zip(self, [given["name"], *self._names[1:]], strict=True):
            layer.name = name  # whatever a person called it
        rescale(list(self), given["scale"])
        self.lines.use(series)
        self.names.use(series)
        self._set_edges()

    def show(self, shown: Shown) -> None:
        """Switch drawings on or off."""
        self.attention.visible = shown.attention
        self.attention.opacity = shown.attention_opacity
        self.crops.layer.visible = shown.boxes
        self.lines.layer.visible = shown.lines
        self.names.layer.visible = shown.names

    def draw_landmarks(self, state: SessionState | None) -> None:
        """Show the landmarks of the series as they are now; none without a state."""
        self.points.draw(_landmarks_of(self._series, state))

    def draw_evidence(self, evidence: Sequence[CropEvidence]) -> None:
        """Show crops and heatmaps."""
        heat, given, _ = layer_data.heatmap_layer(self._series, evidence)
        with drawn_once(self.attention):
            self.attention.data = heat
        self.attention.translate = given["translate"]
        self.highlight(None, evidence)

    def highlight(self, crop: CropEvidence | None, evidence: Sequence[CropEvidence]) -> None:
        """Draw the box of one crop of ``evidence`` bright and the others faint; None: all alike."""
        shown = [each for each in evidence if each.series_id == self._series.series_id]
        alphas = [_USUAL if crop is None else _BRIGHT if each is crop else _FAINT for each in shown]
        self.crops.draw(
            layer_data.crop_layer(self._series, shown)[0],
            theme.shades(theme.BOX_COLOUR, np.repeat(alphas, layer_data.EDGES_OF_A_BOX)),
        )

    def draw_cursor(self, point_lps_mm: Any, slice_index: int | None) -> None:
        """Mark a place in patient space on a slice, by default on the nearest; or nothing."""
        arms = layer_data.cursor_layer(self._series, point_lps_mm, slice_index)[0]
        self.cursor.draw(arms, theme.shades(theme.CURSOR_COLOUR, [1.0] * len(arms)))

    def go_to(self, slice_index: int) -> None:
        """Another slice is shown."""
        self.crops.go_to(slice_index)
        self.cursor.go_to(slice_index)

    @property
    def _edge(self) -> float:
        return _EDGE_MM / self._series.slices[0].geometry.column_spacing_mm

    def _set_edges(self) -> None:
        for vectors in (self.crops, self.cursor):
            vectors.layer.edge_width = self._edge


def _layer(data: layer_data.LayerData) -> Layer:
    return Layer.create(*data)


def _landmarks_of(series: MRSeries, state: SessionState | None) -> layer_data.LayerData:
    if state is None:
        return layer_data.landmark_layer(series, Landmarks(), {})
    findings = {key: state.finding(key) for key in state.analysis.findings}
    return layer_data.landmark_layer(series, state.landmarks, findings, state.stale)
