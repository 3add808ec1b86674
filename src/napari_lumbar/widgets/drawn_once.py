"""Several changes of a layer, drawn once.

napari slices, compiles and draws a layer again for every attribute that is set, and looks at the extent of
all layers for each new ``data``: ten milliseconds and more each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from napari.layers import Layer, Points, Vectors


@contextmanager
def drawn_once(layer: Layer) -> Iterator[None]:
    """Tell nobody of what is changed meanwhile, then draw the layer.

    For what lies within the extent of the image: a viewer does not learn that the extent has changed. Not for
    ``scale`` and ``translate``, which take effect by their events alone.
    """
    with layer.events.blocker_all():
        yield
    layer.refresh()


def replace_data(layer: Points | Vectors, data: npt.NDArray[np.float64]) -> None:
    """Give a layer other points or vectors, also while a person hides it; its colours and names come after.

    napari slices no hidden layer, and looks for what is gone when colours or names are set next.
    """
    layer.data = data
    if not layer.visible:
        layer.set_view_slice()


def rescale(layers: Sequence[Layer], scale: Sequence[float]) -> None:
    """Set the scale of the last axes of layers that belong together; the first is the one that counts.

    The viewer looks at all extents, and slices all layers, once and not once for each of them.
    """
    changed = [layer for layer in layers if not np.array_equal(layer.scale, scale[-layer.ndim :])]
    if not changed:
        return
    first, *others = changed
    for layer in others:
        with layer.events.blocker_all():
            layer.scale = scale[-layer.ndim :]
    first.scale = scale[-first.ndim :]
    for layer in others:
        layer.events.scale()
