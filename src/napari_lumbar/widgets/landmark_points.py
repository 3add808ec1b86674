"""The layer of landmarks a person can drag, and nothing else: no adding, deleting or pasting.

napari's key 1 deletes the selected points, and pasting raises in a sliced layer; both are taken off this
layer. What gets through all the same (a button of napari's) is told as ``refused``, and the pane redraws.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from napari.layers import Points
from psygnal import Signal

from ..domain.spine import ALL_FINDINGS, FindingKey, Severity, Side
from ..export.severity_style import SEVERITY_STYLES, UNGRADED_FILL
from ..layer_data import LayerData
from . import theme

_KEY_OF_COLUMN = {key.column: key for key in ALL_FINDINGS}
_STYLE_OF_LABEL = {s.label: (SEVERITY_STYLES[s].fill, theme.POINT_SYMBOLS[s]) for s in Severity}
#: napari keys that would add, delete, copy or paste points, or leave the mode in which they are dragged.
_TAKEN_OFF = (
    "1",
    "2",
    "3",
    "Delete",
    "Backspace",
    "Control-C",
    "Control-V",
    "Control-X",
    "A",
    "P",
    "Control-A",
)
_SIZE_MM = 6.0
#: A point that moved less than this during a click was not dragged.
_TREMOR_MM = 0.5
_TEXT = {"string": "{beside}", "size": 8, "color": "white", "anchor": "center"}


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
        self.layer = Points(points, **options, border_color="white", border_width=0.1, symbol="disc")
        self.layer.projection_mode = "none"
        self.layer.canvas_size_limits = (0, 24)
        self._writing = False
        self._is_held = False
        self._waiting: LayerData | None = None
        self._drawn = points
        self.draw(data)
        self.layer.mode = "select"
        self.layer.locked = True
        self.layer.events.data.connect(self._on_data)
        self.layer.mouse_drag_callbacks.append(self._on_press)
        for name in _TAKEN_OFF:
            self.layer.bind_key(name, _do_nothing, overwrite=True)

    def draw(self, data: LayerData) -> None:
        """Show these points in place of the ones there are, once a drag has ended; the layer itself stays."""
        if self._is_held:
            self._waiting = data
            return
        points, options, _ = data
        with self._own_write():
            layer = self.layer
            layer.selected_data = set()
            layer.data = points
            self._drawn = points.copy()
            features = options["features"]
            layer.features = {**features, "beside": _beside(features["label"], features["side"])}
            layer.scale = options["scale"]
            layer.size = _SIZE_MM / options["scale"][-1]
            if len(points):
                self._colour(options["features"])

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
        self.layer.text = _TEXT

    def _on_data(self, event: Any) -> None:
        if self._writing:
            return
        action = str(getattr(event.action, "value", event.action))
        if action == "changed":
            self._on_dragged([int(row) for row in event.data_indices])
        elif action in ("added", "removed"):
            self.refused.emit()

    def _on_dragged(self, rows: list[int]) -> None:
        places = {row: self.layer.data[row].copy() for row in rows}
        moved = {row: place for row, place in places.items() if self._distance_mm(row, place) >= _TREMOR_MM}
        if not moved:
            with self._own_write():
                self.layer.data = self._drawn
        for row, (slice_index, *pixel_rc) in moved.items():
            self.moved.emit(self.key_of_row(row), round(slice_index), tuple(float(v) for v in pixel_rc))

    def _distance_mm(self, row: int, place: np.ndarray) -> float:
        return float(np.linalg.norm((place - self._drawn[row]) * self.layer.scale))

    def _on_press(self, layer: Points, event: Any) -> Iterator[None]:
        """Tell which point is held; nothing is redrawn until the button is let go."""
        row = layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        if isinstance(row, int | np.integer):
            self.picked.emit(self.key_of_row(int(row)))
        self._is_held = True
        yield
        while event.type == "mouse_move":
            yield
        self._is_held = False
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self.draw(waiting)

    @contextmanager
    def _own_write(self) -> Iterator[None]:
        self._writing = True
        try:
            yield
        finally:
            self._writing = False


def _beside(labels: list[str], sides: list[str]) -> list[str]:
    """Labels that stand beside their point, though napari centres every text of a layer on it.

    Blanks fill the other half: a right finding's label stands at the left of the picture, as it lies in
    an axial image, every other label at the right.
    """
    blanks = [" " * (2 * len(label) + 6) for label in labels]
    pairs = zip(labels, sides, blanks, strict=True)
    return [label + blank if side == Side.RIGHT.value else blank + label for label, side, blank in pairs]


def _do_nothing(_layer: Points) -> None:
    """Take a key away from napari."""
