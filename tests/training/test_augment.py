from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.training.augment import black_border, random_affine, random_appearance
from napari_lumbar.training.targets import gaussian_map


@pytest.mark.parametrize("seed", range(5))
def test_points_move_with_the_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = np.zeros((120, 90), np.float32)
    point = np.array([64.0, 41.0])
    source[62:67, 39:44] = 1
    affine = random_affine(rng, source.shape, (140, 110), (10.0, 10.0))
    canvas = affine.warp(source, (140, 110), order=1)
    rows, columns = np.indices(canvas.shape)
    centre = [(rows * canvas).sum() / canvas.sum(), (columns * canvas).sum() / canvas.sum()]
    np.testing.assert_allclose(affine.to_canvas(point[None])[0], centre, atol=0.6)


def test_appearance_keeps_the_range_and_follows_the_generator() -> None:
    image = np.random.default_rng(0).random((5, 40, 30)).astype(np.float32)
    first = random_appearance(np.random.default_rng(7), image)
    again = random_appearance(np.random.default_rng(7), image)
    np.testing.assert_array_equal(first, again)
    assert first.shape == image.shape
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1
    assert not np.allclose(first, random_appearance(np.random.default_rng(8), image))


def test_black_margins_are_black() -> None:
    for seed in range(10):
        image, (top, left, bottom, right) = black_border(
            np.random.default_rng(seed), np.ones((50, 40), np.float32)
        )
        assert image.sum() == (bottom - top) * (right - left)


def test_a_target_peaks_at_its_point() -> None:
    heat = gaussian_map(np.array([[10.0, 20.0], [30.0, 5.0]]), (40, 30), 1.5)
    assert heat[10, 20] == heat[30, 5] == 1
    assert heat[20, 12] < 1e-3
