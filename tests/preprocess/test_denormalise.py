"""Normalisation that can be taken back, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.preprocess.denormalise import IntensityRange, RelativePlaces, windowed

COORDINATES = st.floats(-1000, 2000)


@given(st.integers(1, 2000), st.integers(1, 2000), COORDINATES, COORDINATES)
def test_places_come_back(rows: int, columns: int, row: float, column: float) -> None:
    places = RelativePlaces(rows, columns)
    pixel_rc = np.array([row, column])
    back = places.denormalise(places.normalise(pixel_rc))
    np.testing.assert_allclose(back, pixel_rc, atol=1e-6)


def test_outer_borders_are_zero_and_one() -> None:
    places = RelativePlaces(40, 30)
    np.testing.assert_allclose(places.normalise(np.array([[-0.5, -0.5], [39.5, 29.5]])), [[0, 0], [1, 1]])


@given(st.floats(-500, 500), st.floats(1, 3000), st.integers(0, 2**31))
def test_intensities_come_back_even_beyond_the_range(low: float, width: float, seed: int) -> None:
    pixels = np.random.default_rng(seed).uniform(-1000, 4000, (5, 7)).astype(np.float32)
    found = IntensityRange(low, low + width)
    np.testing.assert_allclose(found.denormalise(found.normalise(pixels)), pixels, atol=0.02)


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_a_window_does_not_depend_on_an_earlier_normalisation(gain: float, offset: float) -> None:
    pixels = np.random.default_rng(3).random((20, 20)).astype(np.float32)
    changed = (pixels * gain + offset).astype(np.float32)
    np.testing.assert_allclose(windowed(changed), windowed(pixels), atol=2e-2)


def test_a_constant_image_has_no_range_and_is_black() -> None:
    flat = np.full((4, 4), 7.0, np.float32)
    assert IntensityRange.of(flat) is None
    assert not windowed(flat).any()
    with pytest.raises(ValueError, match="from 2 to 2 are no range: the upper one must be greater"):
        IntensityRange(2, 2)
