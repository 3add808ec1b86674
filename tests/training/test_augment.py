from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.phantom import PhantomConfig, Tissue, make_phantom
from napari_lumbar.training.augment import black_border, random_affine, random_appearance, tissue_gains
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


def test_a_weak_appearance_stays_nearer_to_the_image() -> None:
    image = np.linspace(0, 1, 1200, dtype=np.float32).reshape(40, 30)

    def likeness(strength: float) -> float:
        changed = (random_appearance(np.random.default_rng(k), image, 0.0, strength) for k in range(60))
        return float(np.mean([np.corrcoef(image.ravel(), one.ravel())[0, 1] for one in changed]))

    assert likeness(0.3) > likeness(1.0) + 0.02


def test_tissues_are_recoloured_one_by_one_and_the_window_stays() -> None:
    phantom = make_phantom(3, PhantomConfig(sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4))
    axial = phantom.study.series[2]
    place = len(axial.slices) // 2
    image, labels = axial.slices[place].pixels, phantom.tissues[axial.series_id][place]
    drawn = [tissue_gains(np.random.default_rng(k), image, labels) for k in range(40)]
    for gains in drawn:
        assert np.percentile(image * gains[labels], 99) == pytest.approx(np.percentile(image, 99), rel=1e-3)
        # Fluid shows the sac, so it stays brighter than the disc in a T2 image.
        recoloured = image * gains[labels]
        assert np.median(recoloured[labels == Tissue.CSF]) > np.median(
            recoloured[labels == Tissue.DISC_ANNULUS]
        )
    muscle_to_bone = [gains[Tissue.MUSCLE] / gains[Tissue.VERTEBRA] for gains in drawn]
    assert np.std(np.log(muscle_to_bone)) > 0.2
