"""The layer of landmarks a person can drag, and nothing else: no adding, deleting or pasting.

napari's key 1 deletes the selected points, and pasting raises in a sliced layer; both are taken off this
layer. What gets through all the same (a button of napari's) is told as ``refused``, and the pane redraws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from napari.layers import Points
from psygnal import Signal

from ..domain.spine import ALL_FINDINGS, FindingKey, Severity
from ..export.severity_style import SEVERITY_STYLES, UNGRADED_FILL
from ..layer_data import LayerData
from . import theme
from .drawn_once import drawn_once, replace_data
from .napari_keys import take_off_editing_keys

_KEY_OF_COLUMN = {key.column: key for key in ALL_FINDINGS}
_STYLE_OF_LABEL = {s.label: (SEVERITY_STYLES[s].fill, theme.POINT_SYMBOLS[s]) for s in Severity}
_SIZE_MM = 6.0
#: A point that moved less than this during a click was not dragged.
_TREMOR_MM = 0.5
_BORDER, _CHOSEN_BORDER = 0.1, 0.3


class LandmarkPoints:
    """A napari Points layer whose rows are findings.

    Signals
    -------
    moved
        (finding, slice index, (row, column)) once a drag has ended.
    picked
        The finding whose point was clicked.
    refused
        Points were added or removed by other means.
    """

    moved: ClassVar[Signal] = Signal(object, int, tuple)
    picked: ClassVar[Signal] = Signal(object)
    refused: ClassVar[Signal] = Signal()

    def __init__(self, data: LayerData) -> None:
        points, options, _ = data
        self.layer = Points(points, **options, border_color="white", border_width=_BORDER, symbol="disc")
        self.layer.projection_mode = "none"
        self.layer.canvas_size_limits = (0, 24)
        self._writing = False
        self._is_held = False
        self._waiting: LayerData | None = None
        self._drawn = points
        self._chosen: FindingKey | None = None
        self.draw(data)
        self.layer.locked = True
        self.layer.events.data.connect(self._on_data)
        self.layer.mouse_drag_callbacks.append(self._on_press)
        take_off_editing_keys(self.layer)

    def draw(self, data: LayerData) -> None:
        """Show these points in place of the ones there are, once a drag has ended; the layer itself stays."""
        if self._is_held:
            self._waiting = data
            return
        points, options, _ = data
        layer = self.layer
        with self._own_write(), drawn_once(layer):
            layer.selected_data = set()
            replace_data(layer, points)
            self._drawn = points.copy()
            layer.features = options["features"]
            layer.size = _SIZE_MM / options["scale"][-1]
            if len(points):
                self._colour(options["features"])
                self._point_out()

    def mark(self, key: FindingKey | None) -> None:
        """Point the chosen finding out."""
        if key != self._chosen:
            self._chosen = key
            with drawn_once(self.layer):
                self._point_out()

    def hold(self, event: Any) -> bool:
        """Let napari drag the point that was pressed with the left button; say whether there is one.

        Otherwise the layer stays in the mode in which the mouse moves and zooms the picture.
        """
        if self._row_at(event) is None:
            return False
        self.layer.mode = "select"
        # After napari's own, which tells of a drag: what waits is drawn once that is told.
        callbacks = self.layer.mouse_drag_callbacks
        callbacks.remove(self._on_press)
        callbacks.append(self._on_press)
        return True

    def let_go(self) -> None:
        """The mouse moves the picture again."""
        self.layer.mode = "pan_zoom"

    def key_of_row(self, row: int) -> FindingKey:
        """The finding that a row of the layer stands for."""
        return _KEY_OF_COLUMN[str(self.layer.features["finding"].iloc[row])]

    def _colour(self, features: dict[str, list[Any]]) -> None:
        plain = (UNGRADED_FILL, theme.UNGRADED_SYMBOL)
        looks = [_STYLE_OF_LABEL.get(label, plain) for label in features["severity"]]
        stale = [state == "stale" for state in features["state"]]
        self.layer.face_color = [
            UNGRADED_FILL if s else fill for s, (fill, _) in zip(stale, looks, strict=True)
        ]
        self.layer.symbol = [symbol for _, symbol in looks]

    def _point_out(self) -> None:
        rows = range(len(self.layer.data))
        chosen = [self._chosen is not None and self.key_of_row(row) == self._chosen for row in rows]
        if chosen:
            self.layer.border_color = [theme.CHOSEN_COLOUR if c else "white" for c in chosen]
            self.layer.border_width = [_CHOSEN_BORDER if c else _BORDER for c in chosen]

    def _on_data(self, event: Any) -> None:
        if self._writing:
            return
        action = str(getattr(event.action, "value", event.action))
        if action == "changed":
            self._on_dragged([int(row) for row in event.data_indices])
        elif action in ("added", "removed"):
            self.refused.emit()

    def _on_dragged(self, rows: list[int]) -> None:
        if self._waiting is not None and not self._is_still_meant(rows, self._waiting):
            return  # what is held may not be what was meant any more; it is drawn again
        places = {row: self.layer.data[row].copy() for row in rows}
        moved = {row: place for row, place in places.items() if self._distance_mm(row, place) >= _TREMOR_MM}
        if not moved:
            with self._own_write():
                self.layer.data = self._drawn
        for row, (slice_index, *pixel_rc) in moved.items():
            self.moved.emit(self.key_of_row(row), round(slice_index), tuple(float(v) for v in pixel_rc))

    def _is_still_meant(self, rows: list[int], waiting: LayerData) -> bool:
        """Whether what is to be drawn has held points, by name, where they were when they were pressed."""
        points, options, _ = waiting
        same_names = _names(options["features"]) == _names(self.layer.features)
        return same_names and np.array_equal(points[rows], self._drawn[rows])

    def _distance_mm(self, row: int, place: np.ndarray) -> float:
        return float(np.linalg.norm((place - self._drawn[row]) * self.layer.scale))

    def _on_press(self, _layer: Points, event: Any) -> Iterator[None]:
        """Tell which point is held; nothing is redrawn until the button is let go."""
        row = self._row_at(event) if event.button == 1 else None
        if row is None:
            return
        self.picked.emit(self.key_of_row(row))
        self._is_held = True
        yield
        while event.type == "mouse_move":
            yield
        self._is_held = False
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self.draw(waiting)

    def _row_at(self, event: Any) -> int | None:
        row = self.layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        return int(row) if isinstance(row, int | np.integer) else None

    @contextmanager
    def _own_write(self) -> Iterator[None]:
        self._writing = True
        try:
            yield
        finally:
            self._writing = False


def _names(features: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in features["finding"]]
