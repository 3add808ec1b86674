"""Vectors of two axes as napari can draw them, also in three dimensions."""

from __future__ import annotations

import numpy as np

from ..domain.geometry import FloatArray


def flat_vectors(vectors: FloatArray) -> FloatArray:
    """Give back vectors, shape (n, 2, 2), or where there is none, one without length, which nobody sees.

    napari 0.9 pads the empty mesh of a layer of two axes once too often when the canvas is turned to three
    dimensions, and the whole window ends there.
    """
    return vectors if len(vectors) else np.zeros((1, 2, 2))
