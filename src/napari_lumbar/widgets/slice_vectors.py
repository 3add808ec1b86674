"""Line drawings of a series of which only those on the slice that is shown are in the layer.

napari compiles the drawing of vectors anew for every slice it goes to, also where there are none; a layer
without a slice axis is left alone until something changes in it.
"""

from __future__ import annotations

import numpy as np
from napari.layers import Vectors

from ..domain.geometry import FloatArray
from ..layer_data import LayerData
from .drawn_once import drawn_once, replace_data
from .flat_vectors import flat_vectors


class SliceVectors:
    """A layer of (row, column) for vectors of (slice, row, column).

    Parameters
    ----------
    data
        A layer of vectors with its scale, units and name; none of the vectors is drawn yet.
    """

    def __init__(self, data: LayerData) -> None:
        _, options, _ = data
        frame = {name: options[name][1:] for name in ("scale", "units", "axis_labels")}
        empty = np.empty((0, 2, 2))
        self.layer = Vectors(flat_vectors(empty), **{**options, **frame, "ndim": 2})
        self._vectors, self._colours = np.empty((0, 2, 3)), np.empty((0, 4))
        self._index = 0
        self._drawn = (empty, self._colours)

    def draw(self, vectors: FloatArray, colours: FloatArray) -> None:
        """Show these vectors, shape (n, 2, 3), in these colours, shape (n, 4), each on its slice."""
        self._vectors, self._colours = vectors, colours
        self._show()

    def go_to(self, slice_index: int) -> None:
        """Another slice is shown."""
        self._index = slice_index
        self._show()

    def _show(self) -> None:
        here = self._vectors[:, 0, 0] == self._index
        drawn = self._vectors[here][:, :, 1:], self._colours[here]
        if all(map(np.array_equal, drawn, self._drawn)):
            return
        self._drawn = drawn
        with drawn_once(self.layer):
            replace_data(self.layer, flat_vectors(drawn[0].copy()))
            if here.any():
                self.layer.edge_color = drawn[1]
