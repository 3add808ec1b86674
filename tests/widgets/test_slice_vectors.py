"""Only the vectors of the slice that is shown are in the layer, and it is redrawn only when they change."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.study import Study
from napari_lumbar.layer_data import crop_layer
from napari_lumbar.widgets.slice_vectors import SliceVectors

from .window import seen

VECTORS = np.array([[(2, 10, 20), (0, 5, 0)], [(4, 30, 40), (0, 0, 6)]], dtype=float)
COLOURS = np.array([(1, 0, 0, 1), (0, 1, 0, 0.5)], dtype=float)


@pytest.fixture
def drawing(small_study: Study) -> SliceVectors:
    return SliceVectors(crop_layer(small_study.by_id("t2"), ()))


def test_each_slice_has_its_own(drawing: SliceVectors) -> None:
    drawing.draw(VECTORS, COLOURS)
    assert len(seen(drawing.layer)) == 0
    for index, vector, colour in zip((2, 4), VECTORS, COLOURS, strict=True):
        drawing.go_to(index)
        np.testing.assert_array_equal(drawing.layer.data, [vector[:, 1:]])
        np.testing.assert_allclose(drawing.layer.edge_color, [colour])
    drawing.go_to(3)
    assert len(seen(drawing.layer)) == 0
    assert (drawing.layer.ndim, tuple(drawing.layer.scale)) == (2, (2.0, 1.5))


def test_it_is_redrawn_only_when_something_changes_on_the_slice(drawing: SliceVectors) -> None:
    drawing.draw(VECTORS, COLOURS)
    drawn: list[object] = []
    drawing.layer.events.set_data.connect(drawn.append)
    drawing.go_to(3)
    drawing.go_to(5)
    assert not drawn
    drawing.go_to(4)
    assert len(drawn) == 1
    drawing.draw(VECTORS[1:], COLOURS[1:])
    assert len(drawn) == 1
    drawing.draw(VECTORS[1:], COLOURS[:1])
    assert len(drawn) == 2
