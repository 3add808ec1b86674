"""One canvas that shows one series: image, attention, crop boxes, reference lines, names, landmarks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from psygnal import Signal

from .. import layer_data
from ..domain.findings import CropEvidence
from ..domain.geometry import Vector3, vector3
from ..domain.landmarks import Landmarks
from ..domain.spine import FindingKey
from ..domain.study import MRSeries
from ..session import SessionState
from .corner_text import CornerText
from .pointer import Pointer
from .series_layers import SeriesLayers
from .shown import Shown
from .slice_words import slice_words
from .windowing import Windowing

#: A point further than this share of the half view from its centre is brought to the centre.
CALM_ZONE = 0.6
#: A place pointed at in the other pane is brought to the centre once it has left the view.
WHOLE_VIEW = 1.0
#: A place further than this from every slice that has it on its image lies between two blocks of slices.
_REACH_MM = 20.0
_GROUND = "black"


class Pane:
    """Draws a series and what is known about it on a viewer; owns only the layers it added.

    Its layers are held, never looked up by name: a person may rename, hide, move or delete them.

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
    pointed
        (point_lps_mm, slice index) of a place on the image that was pointed at.
    """

    landmark_moved: ClassVar[Signal] = Signal(object, str, int, tuple)
    landmark_picked: ClassVar[Signal] = Signal(object)
    edit_refused: ClassVar[Signal] = Signal()
    slice_changed: ClassVar[Signal] = Signal(int)
    pointed: ClassVar[Signal] = Signal(tuple, int)

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        # Also where the window is light: films are read on black, and the eye judges greys against it.
        viewer.canvas.background_color_override = _GROUND
        self.series: MRSeries | None = None
        self._which = ""
        self.text = CornerText(viewer)
        self.windowing = Windowing(self.text.draw_window)
        self._layers: SeriesLayers | None = None
        self._state: SessionState | None = None
        self._chosen: FindingKey | None = None
        self._shown = Shown()
        self._evidence: tuple[CropEvidence, ...] = ()
        self._pointer = Pointer(viewer, self._hold, self._let_go)
        self._pointer.pointed.connect(self._on_pointed)
        self._pointer.windowed.connect(self._on_windowed)
        viewer.dims.events.current_step.connect(self._on_step)
        viewer.dims.events.ndisplay.connect(self._on_turned)
        viewer.dims.events.order.connect(self._on_turned)

    @property
    def slice_index(self) -> int:
        """The slice of the series that is shown."""
        axis = self._slice_axis
        if self.series is None or axis < 0:
            return 0
        index = round(self.viewer.dims.point[axis] / self._scale[0])
        return int(np.clip(index, 0, len(self.series.slices) - 1))

    @property
    def centre_rc(self) -> tuple[float, float]:
        """The pixel in the middle of the view."""
        _, y, x = self.viewer.scene.camera.center
        return float(y / self._scale[1]), float(x / self._scale[2])

    @property
    def view(self) -> tuple[Vector3, float] | None:
        """The place in the middle of the view, in patient space, and the zoom in pixels per mm."""
        if self.series is None:
            return None
        geometry = self.series.slices[self.slice_index].geometry
        return vector3(geometry.lps_from_pixel(self.centre_rc)), self.viewer.scene.camera.zoom

    def close(self) -> None:
        """Listen to the viewer no more, and give it its ground back."""
        self.viewer.canvas.background_color_override = None
        self._pointer.close()
        for emitter, own in (
            (self.viewer.dims.events.current_step, self._on_step),
            (self.viewer.dims.events.ndisplay, self._on_turned),
            (self.viewer.dims.events.order, self._on_turned),
        ):
            emitter.disconnect(own)

    def show(self, series: MRSeries | None, which: str = "") -> None:
        """Show another series, or none, with the state and the evidence that are shown now.

        Layers stay and are filled anew where they can be, and stay as they are for the same series. The
        cursor and the lines of the other pane go.

        Parameters
        ----------
        which
            What a corner says of the series beside its role.
        """
        self._which = which
        self._restore()
        if series is not None and series is self.series and self._layers is not None:
            self.windowing.show(series, self._layers.image)
            self._label()
            return
        self.series = series
        # napari goes to another step while the layers have the one series or the other.
        with self.viewer.dims.events.current_step.blocker(self._on_step):
            if series is not None and self._layers is not None and self._layers.fit(series):
                self._layers.use(series)
            else:
                self._rebuild(series)
        if series is not None and self._layers is not None:
            self.windowing.show(series, self._layers.image)
            self.go_to_slice(len(series.slices) // 2)
            self.viewer.reset_view()
            self._draw_all(self._layers)
        self._label()

    def forget(self) -> None:
        """Show nothing of what was known: another study comes, perhaps of the same series."""
        self.draw(None)
        self.draw_evidence(())
        self.draw_cursor(None)

    def look_at(self, view: tuple[Vector3, float]) -> None:
        """Show the same place in the middle, with the same zoom, as ``view`` of another series."""
        if self.series is None:
            return
        point_lps_mm, zoom = view
        self.viewer.scene.camera.zoom = zoom
        self.go_to_point(point_lps_mm, calm_zone=0.0)

    def fit(self) -> None:
        """Show the whole image."""
        self.viewer.reset_view()

    def draw(self, state: SessionState | None) -> None:
        """Show the landmarks of the series as they are now."""
        self._restore()
        self._state = state
        if self._layers is not None:
            self._layers.draw_landmarks(state)
        self._draw_names()
        self._label()

    def mark(self, chosen: FindingKey | None) -> None:
        """Point out the finding that is chosen."""
        self._chosen = chosen
        if self._layers is not None:
            self._layers.points.mark(chosen)
        self._draw_names()

    def draw_evidence(self, evidence: tuple[CropEvidence, ...]) -> None:
        """Show the crops and heatmaps of the finding that is chosen."""
        if self._layers is None or evidence == self._evidence:
            return
        self._evidence = evidence
        self._layers.draw_evidence(evidence)

    def highlight(self, crop: CropEvidence | None) -> None:
        """Draw the box of one crop bright and the others thin; None: all alike."""
        if self._layers is not None:
            self._layers.highlight(crop, self._evidence)

    def set_shown(self, shown: Shown) -> None:
        """Switch drawings on or off; the next series follows, too."""
        self._shown = shown
        if self._layers is not None:
            self._layers.show(shown)

    def draw_lines(self, others: MRSeries | None, other_index: int) -> None:
        """Show where the slices of the other pane's series lie."""
        if self._layers is not None:
            self._layers.lines.draw(self.slice_index, others, other_index)

    def point_out_line(self, other_index: int) -> None:
        """The other pane went to another of its slices."""
        if self._layers is not None:
            self._layers.lines.point_out(other_index)

    def draw_cursor(self, point_lps_mm: Vector3 | None, slice_index: int | None = None) -> None:
        """Mark a place in patient space on a slice, by default on the nearest; or nothing."""
        if self._layers is not None:
            self._layers.draw_cursor(point_lps_mm, slice_index)

    def follow(self, point_lps_mm: Vector3, calm_zone: float = WHOLE_VIEW) -> bool:
        """Go to the slice nearest to a place and mark it; say whether there is one that holds the place."""
        index = None if self.series is None else slice_holding(self.series, point_lps_mm)
        if index is None:
            self.draw_cursor(None)
            return False
        self.go_to_point(point_lps_mm, index, calm_zone)
        self.draw_cursor(point_lps_mm, index)
        return True

    def go_to_point(
        self, point_lps_mm: Vector3, slice_index: int | None = None, calm_zone: float = CALM_ZONE
    ) -> None:
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
        if (np.abs(target - camera.center[1:]) > calm_zone * half_view).any():
            camera.center = (0, *target)

    def go_to_slice(self, slice_index: int) -> None:
        """Show a slice."""
        if self._slice_axis >= 0:
            self.viewer.dims.set_point(self._slice_axis, slice_index * self._scale[0])

    def put_below_points(self, layer: Layer) -> None:
        """Put a layer right below the points where it is missing or under the image; none becomes active."""
        if self._layers is None:
            return
        layers, points, image = self.viewer.layers, self._layers.points.layer, self._layers.image
        top = layers.index(points) if points in layers else len(layers)
        if layer not in layers:
            active = layers.selection.active
            layers.insert(top, layer)
            layers.selection.active = active
        elif image in layers and layers.index(layer) < layers.index(image):
            layers.move(layers.index(layer), top)

    def focus(self) -> None:
        """Make the landmarks the layer that mouse and keys work on."""
        if self._layers is not None and self._layers.points.layer in self.viewer.layers:
            self.viewer.layers.selection.active = self._layers.points.layer

    @property
    def _scale(self) -> np.ndarray:
        return np.array(layer_data.series_frame(self.series)["scale"]) if self.series else np.ones(3)

    @property
    def _slice_axis(self) -> int:
        """The viewer's axis of slices: a person's own layer may have put more axes before it."""
        return int(self.viewer.dims.ndim) - 3

    @property
    def _is_upright(self) -> bool:
        dims = self.viewer.dims
        return bool(dims.ndisplay == 2 and tuple(dims.displayed) == (dims.ndim - 2, dims.ndim - 1))

    def _rebuild(self, series: MRSeries | None) -> None:
        outdated = [layer for layer in self._own_layers() if layer in self.viewer.layers]
        self._layers = layers = SeriesLayers(series) if series is not None else None
        names = [layer.name for layer in self._own_layers()]
        for layer in self._own_layers():
            self.viewer.add_layer(layer)
        # Removed last, so that the viewer is never empty in between and its sliders keep their place.
        for layer in outdated:
            self.viewer.layers.remove(layer)
        for layer, name in zip(self._own_layers(), names, strict=True):
            layer.name = name  # napari numbered them while the old ones were there
        if layers is not None:
            layers.points.mark(self._chosen)
            layers.points.moved.connect(self._on_moved)
            layers.points.picked.connect(self._on_picked)
            layers.points.refused.connect(self._on_refused)
            layers.show(self._shown)
            self.focus()

    def _own_layers(self) -> list[Layer]:
        """Every layer of ours, the lowest first, whether or not it is still in the viewer."""
        return list(self._layers or ())

    def _restore(self) -> None:
        """Bring back what somebody deleted, above the layer of ours that it lay on."""
        above = 0
        for layer in self._own_layers():
            if layer not in self.viewer.layers:
                self.viewer.layers.insert(above, layer)
            above = self.viewer.layers.index(layer) + 1

    @property
    def _landmarks(self) -> Landmarks:
        return self._state.landmarks if self._state is not None else Landmarks()

    def _draw_all(self, layers: SeriesLayers) -> None:
        layers.go_to(self.slice_index)
        layers.draw_landmarks(self._state)
        layers.names.draw(self._landmarks, self._chosen)
        layers.draw_evidence(self._evidence)
        layers.draw_cursor(None, None)

    def _draw_names(self) -> None:
        if self._layers is not None:
            self._layers.names.draw(self._landmarks, self._chosen)

    def _hold(self, event: Any) -> bool:
        """Points come first, whatever layer a person has selected."""
        if self._layers is None or self._layers.points.layer not in self.viewer.layers:
            return False
        held = self._layers.points.hold(event)
        if held:
            self.focus()
        return held

    def _let_go(self) -> None:
        if self._layers is not None:
            self._layers.points.let_go()

    def _on_pointed(self, world: np.ndarray) -> None:
        if self.series is None or not self._is_upright:
            return
        index, pixel_rc = self.slice_index, world[1:] / self._scale[1:]
        geometry = self.series.slices[index].geometry
        if geometry.contains(pixel_rc):
            self.pointed.emit(vector3(geometry.lps_from_pixel(pixel_rc)), index)

    def _on_windowed(self, right_px: float, down_px: float) -> None:
        self.windowing.drag(right_px, down_px)

    def _on_moved(self, key: FindingKey, slice_index: int, pixel_rc: tuple[float, float]) -> None:
        if self.series is not None:
            self.landmark_moved.emit(key, self.series.series_id, slice_index, pixel_rc)

    def _on_picked(self, key: FindingKey) -> None:
        self.landmark_picked.emit(key)

    def _on_refused(self) -> None:
        self.edit_refused.emit()

    def _on_step(self, _event: Any) -> None:
        if self.series is not None:
            index = self.slice_index
            if self._layers is not None:
                self._layers.go_to(index)
            self._label()
            self.slice_changed.emit(index)

    def _on_turned(self, _event: Any) -> None:
        self._label()

    def _label(self) -> None:
        """Say what is shown and which way the patient lies."""
        if self.series is not None:
            index = self.slice_index
            words = slice_words(self.series, index, self._landmarks, self._which)
            self.text.draw_slice(words, self.series.slices[index].geometry)
        self.text.show(self.series is not None, self._is_upright)


def slice_holding(series: MRSeries, point_lps_mm: Vector3) -> int | None:
    """The slice nearest to a place, or None where it does not hold the place or lies too far away."""
    index = series.nearest_slice_index(point_lps_mm)
    geometry = series.slices[index].geometry
    is_near = abs(float(geometry.signed_distance_mm(point_lps_mm))) <= _REACH_MM
    return index if is_near and geometry.contains(geometry.pixel_from_lps(point_lps_mm)) else None
