"""One canvas that shows one series: image, attention, crop boxes, landmarks, orientation letters."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from napari.layers import Layer
from psygnal import Signal

from .. import RESEARCH_USE_ONLY, layer_data
from ..domain.findings import CropEvidence
from ..domain.geometry import Vector3
from ..domain.spine import FindingKey
from ..domain.study import MRSeries
from ..session import SessionState
from . import theme
from .landmark_points import LandmarkPoints
from .orientation import edge_letters

_OVERLAYS = {
    "lumbar_title": "top_left",
    "lumbar_research": "bottom_left",
    "lumbar_top": "top_center",
    "lumbar_bottom": "bottom_center",
    "lumbar_left": "middle_left",
    "lumbar_right": "middle_right",
}
_ALWAYS_SHOWN = ("lumbar_title", "lumbar_research")
#: A point further than this share of the half view from its centre is brought to the centre.
_CALM_ZONE = 0.6
#: Edge of the box of the crop that is pointed at, and of the others, in usual edges.
_BRIGHT, _THIN = 1.75, 0.4


class Pane:
    """Draws a series and what is known about it on a viewer; owns only the layers it added.

    Signals
    -------
    landmark_moved
        (finding, series_id, slice index, (row, column)) after a drag.
    landmark_picked
        The finding whose point was clicked.
    edit_refused
        Somebody tried to add or delete points.
    slice_changed
        The slice index that is shown now.
    """

    landmark_moved: ClassVar[Signal] = Signal(object, str, int, tuple)
    landmark_picked: ClassVar[Signal] = Signal(object)
    edit_refused: ClassVar[Signal] = Signal()
    slice_changed: ClassVar[Signal] = Signal(int)

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.series: MRSeries | None = None
        self._layers: dict[str, Layer] = {}
        self._names: dict[str, str] = {}
        self._points: LandmarkPoints | None = None
        self._evidence: tuple[CropEvidence, ...] = ()
        for name, position in _OVERLAYS.items():
            size = 8 if name in _ALWAYS_SHOWN else 12
            viewer.canvas.overlays[name] = TextOverlay(position=position, visible=False, font_size=size)
        viewer.canvas.overlays["lumbar_research"].text = RESEARCH_USE_ONLY.split(".")[0]
        viewer.dims.events.current_step.connect(self._on_step)

    @property
    def slice_index(self) -> int:
        """The slice of the series that is shown."""
        if self.series is None:
            return 0
        index = round(self.viewer.dims.point[0] / self._scale[0])
        return int(np.clip(index, 0, len(self.series.slices) - 1))

    @property
    def centre_rc(self) -> tuple[float, float]:
        """The pixel in the middle of the view."""
        _, y, x = self.viewer.scene.camera.center
        return float(y / self._scale[1]), float(x / self._scale[2])

    def show(self, series: MRSeries | None) -> None:
        """Show another series, or none; what was drawn on the old one goes."""
        outdated = self._take_layers()
        self.series = series
        if series is not None:
            self._add_layers(series)
        # Removed last, so that the viewer is never empty in between and its sliders keep their place.
        for layer in outdated:
            self.viewer.layers.remove(layer)
        for name, layer in self._layers.items():
            layer.name = self._names[name]  # napari numbered them while the old ones were there
        if series is not None:
            self.viewer.dims.set_point(0, (len(series.slices) // 2) * self._scale[0])
            self.viewer.reset_view()
        self._label()

    def _add_layers(self, series: MRSeries) -> None:
        self._add("image", layer_data.image_layer(series))
        self._add("attention", layer_data.heatmap_layer(series, ()))
        self._add("crops", layer_data.crop_layer(series, ()), **_crop_style(series))
        self._add("place", layer_data.place_layer(series, None), **_place_style(series))

    def draw(self, state: SessionState | None) -> None:
        """Show the landmarks of the series as they are now."""
        if self.series is None or state is None:
            self._remove_points()
            return
        findings = {key: state.finding(key) for key in state.analysis.findings}
        data = layer_data.landmark_layer(self.series, state.landmarks, findings, state.stale)
        if self._points is None or self._points.layer not in self.viewer.layers:
            self._add_points(LandmarkPoints(data))
        else:
            self._points.draw(data)

    def draw_evidence(self, evidence: tuple[CropEvidence, ...]) -> None:
        """Show the crops and heatmaps of the finding that is chosen."""
        if self.series is None or evidence == self._evidence:
            return
        self._evidence = evidence
        attention, crops = self._layers["attention"], self._layers["crops"]
        attention.data = layer_data.heatmap_layer(self.series, evidence)[0]
        crops.data = []
        boxes = layer_data.crop_layer(self.series, evidence)[0]
        if boxes:
            crops.add_rectangles(boxes, **_crop_style(self.series))

    def highlight(self, crop: CropEvidence | None) -> None:
        """Draw the box of one crop bright and the others thin; None: all alike."""
        if self.series is None or not len(self._layers["crops"].data):
            return
        usual = _crop_style(self.series)["edge_width"]
        shown = [each for each in self._evidence if each.series_id == self.series.series_id]
        self._layers["crops"].edge_width = [
            usual if crop is None else usual * (_BRIGHT if each is crop else _THIN) for each in shown
        ]

    def set_evidence_visible(self, attention: bool, boxes: bool) -> None:
        """Switch the heatmaps and the boxes on or off."""
        if self._layers:
            self._layers["attention"].visible = attention
            self._layers["crops"].visible = boxes

    def draw_place(self, point_lps_mm: Vector3 | None) -> None:
        """Mark where a place of the other pane falls in this one, or nothing."""
        if self.series is not None:
            self._layers["place"].data = layer_data.place_layer(self.series, point_lps_mm)[0]

    def go_to_point(self, point_lps_mm: Vector3, slice_index: int | None = None) -> None:
        """Show a point on its slice, or on the nearest; move the view only if the point is at its edge."""
        if self.series is None:
            return
        if slice_index is None:
            slice_index = self.series.nearest_slice_index(point_lps_mm)
        self.go_to_slice(slice_index)
        pixel_rc = self.series.slices[slice_index].geometry.pixel_from_lps(point_lps_mm)
        target = pixel_rc * self._scale[1:]
        camera = self.viewer.scene.camera
        half_view = np.array(self.viewer.canvas.size) / camera.zoom / 2
        if (np.abs(target - camera.center[1:]) > _CALM_ZONE * half_view).any():
            camera.center = (0, *target)

    def go_to_slice(self, slice_index: int) -> None:
        """Show a slice."""
        self.viewer.dims.set_point(0, slice_index * self._scale[0])

    def focus(self) -> None:
        """Make the landmarks the layer that mouse and keys work on."""
        if self._points is not None and self._points.layer in self.viewer.layers:
            self.viewer.layers.selection.active = self._points.layer

    @property
    def _scale(self) -> np.ndarray:
        return np.array(layer_data.series_frame(self.series)["scale"]) if self.series else np.ones(3)

    def _add(self, name: str, data: layer_data.LayerData, **options: Any) -> None:
        content, given, kind = data
        layer = Layer.create(content, {**given, **options}, kind)
        layer.locked = True
        self._names[name] = layer.name
        self._layers[name] = self.viewer.add_layer(layer)

    def _add_points(self, points: LandmarkPoints) -> None:
        self._remove_points()
        self._points = points
        points.moved.connect(self._on_moved)
        points.picked.connect(self._on_picked)
        points.refused.connect(self._on_refused)
        self.viewer.add_layer(points.layer)
        self.focus()

    def _remove_points(self) -> None:
        if self._points is not None and self._points.layer in self.viewer.layers:
            self.viewer.layers.remove(self._points.layer)
        self._points = None

    def _take_layers(self) -> list[Layer]:
        """Let go of every layer that is still there, and return them."""
        own = [*self._layers.values(), *([self._points.layer] if self._points else [])]
        self._layers, self._evidence, self._points = {}, (), None
        return [layer for layer in own if layer in self.viewer.layers]

    def _on_moved(self, key: FindingKey, slice_index: int, pixel_rc: tuple[float, float]) -> None:
        if self.series is not None:
            self.landmark_moved.emit(key, self.series.series_id, slice_index, pixel_rc)

    def _on_picked(self, key: FindingKey) -> None:
        self.landmark_picked.emit(key)

    def _on_refused(self) -> None:
        self.edit_refused.emit()

    def _on_step(self, _event: Any) -> None:
        if self.series is not None:
            self._label()
            self.slice_changed.emit(self.slice_index)

    def _label(self) -> None:
        """Say what is shown and which way the patient lies; no letters where napari turned the picture."""
        overlays = self.viewer.canvas.overlays
        upright = self.viewer.dims.ndisplay == 2 and self.viewer.dims.displayed == (1, 2)
        for name in _OVERLAYS:
            is_letter = name not in _ALWAYS_SHOWN
            overlays[name].visible = self.series is not None and (upright or not is_letter)
        if self.series is None:
            return
        role = self.series.role.value if self.series.role else self.series.description
        overlays["lumbar_title"].text = f"{role}  {self.slice_index + 1}/{len(self.series.slices)}"
        letters = edge_letters(self.series.slices[self.slice_index].geometry)
        for side, letter in letters._asdict().items():
            overlays[f"lumbar_{side}"].text = letter


def _crop_style(series: MRSeries) -> dict[str, Any]:
    geometry = series.slices[0].geometry
    return {
        "edge_color": theme.BOX_COLOUR,
        "face_color": "transparent",
        "edge_width": 0.8 / geometry.column_spacing_mm,
    }


def _place_style(series: MRSeries) -> dict[str, Any]:
    geometry = series.slices[0].geometry
    return {
        "symbol": "cross",
        "size": 7 / geometry.column_spacing_mm,
        "face_color": theme.CURSOR_COLOUR,
        "border_width": 0,
        "opacity": 0.9,
    }
