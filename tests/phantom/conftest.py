"""Painted spines without images: what the anatomy's tests measure on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest

from napari_lumbar.phantom import PhantomConfig, Reading, sample_reading
from napari_lumbar.phantom.grid import SpineGrid
from napari_lumbar.phantom.make import paint
from napari_lumbar.phantom.shape import SpineShape, make_shape
from napari_lumbar.phantom.variants import Variants, draw_variants

Painted: TypeAlias = tuple[Reading, SpineShape, SpineGrid]
Change: TypeAlias = Callable[[Variants], Variants]


def _painted(seed: int, config: PhantomConfig, change: Change = lambda variants: variants) -> Painted:
    rng = np.random.default_rng(seed)
    reading = sample_reading(rng, config.balanced)
    shape = make_shape(rng, reading.narrowness, change(draw_variants(rng, config)))
    corners = shape.curve.points_lps_mm(
        np.array([level.along_mm + d for level in shape.levels for d in (-26.0, 30.0)])[:, None, None],
        np.array([-30.0, 70.0])[:, None],
        np.array([-36.0, 36.0]),
    ).reshape(-1, 3)
    box = corners.min(axis=0) - 3, corners.max(axis=0) + 3
    return reading, shape, paint(shape, box, config.voxel_mm, rng)


@pytest.fixture(scope="session")
def paint_spine() -> Callable[..., Painted]:
    """Draw the spine of a seed, perhaps with changed variants, and paint the box around its levels."""
    return _painted
