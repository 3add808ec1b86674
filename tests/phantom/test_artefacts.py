"""Each artefact does to an image what it does in a scanner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.phantom.artefacts import (
    Artefacts,
    Image,
    acquire,
    bias_field,
    chemical_shift,
    coil_falloff,
    draw_artefacts,
    draw_bias,
    edge_enhancement,
    flow_void,
    noise,
    saturation_band,
    suppression_failure,
    truncation,
    wrap_around,
)

CLEAN = Artefacts()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def square() -> Image:
    image = np.zeros((64, 90), dtype=np.float32)
    image[20:40, 30:60] = 1
    return image


def _acquired(image: Image, rng: np.random.Generator, noise_sd: float = 0.0, **changes: object) -> Image:
    return acquire(image, replace(CLEAN, **changes), 0.0, noise_sd, rng)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape_rc", [(64, 90), (61, 53)], ids=["fast", "grown"])
def test_without_artefacts_nothing_changes(shape_rc: tuple[int, int], rng: np.random.Generator) -> None:
    image = rng.uniform(size=shape_rc).astype(np.float32)
    np.testing.assert_allclose(_acquired(image, rng), image, atol=1e-5)


def test_truncated_k_space_rings_along_its_own_axis(square: Image, rng: np.random.Generator) -> None:
    rung = _acquired(square, rng, acquired_rc=(1.0, 0.5))
    assert rung.max() > 1.06
    assert np.abs(rung[30, :25]).max() > 0.02
    # Far above and below the square along the other axis nothing happens.
    assert np.abs(rung[:18]).max() < 1e-5


def test_partial_fourier_loses_one_half_only() -> None:
    frequencies = np.fft.fftfreq(64).astype(np.float64)
    kept = truncation(frequencies, 1.0, partial=0.5)
    assert kept[frequencies > 0].min() == 1
    assert kept[frequencies < -0.3].max() == 0
    assert kept[(frequencies < 0) & (frequencies > -0.24)].min() == 1


@pytest.mark.parametrize("axis", [0, 1])
def test_ghosts_lie_at_their_distance_along_the_phase_axis(axis: int, rng: np.random.Generator) -> None:
    image = np.zeros((96, 96), dtype=np.float32)
    image[48, 48] = 1
    ghosts = np.moveaxis(_acquired(image, rng, ghost=0.2, phase_axis=axis), axis, 0)
    assert ghosts[28, 48] == pytest.approx(0.1, rel=0.05)
    assert ghosts[68, 48] == pytest.approx(0.1, rel=0.05)
    assert np.delete(ghosts, 48, axis=1).max() < 1e-5


def test_sway_blurs_along_the_phase_axis_only(square: Image, rng: np.random.Generator) -> None:
    swayed = _acquired(square, rng, sway_px=1.0)
    assert np.abs(swayed - square).max() > 0.05
    assert np.abs(swayed[:, :29]).max() < 1e-5


def test_noise_is_rician_and_as_strong_as_asked(rng: np.random.Generator) -> None:
    empty, bright = (np.full((128, 128), value, np.float32) for value in (0, 1))
    assert _acquired(empty, rng, noise_sd=0.05).mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.03)
    assert _acquired(bright, rng, noise_sd=0.05).std() == pytest.approx(0.05, rel=0.05)


def test_noise_of_a_zero_filled_image_is_smooth(rng: np.random.Generator) -> None:
    def neighbours(image: Image) -> float:
        return float(np.corrcoef(image[:, 1:].ravel(), image[:, :-1].ravel())[0, 1])

    bright = np.ones((128, 128), np.float32)
    assert abs(neighbours(_acquired(bright, rng, noise_sd=0.05))) < 0.05
    assert neighbours(_acquired(bright, rng, noise_sd=0.05, acquired_rc=(0.6, 0.6))) > 0.3


def test_noise_differs_from_slice_to_slice(rng: np.random.Generator) -> None:
    one, other = noise((64, 64), rng), noise((64, 64), rng)
    assert abs(np.corrcoef(one.real.ravel(), other.real.ravel())[0, 1]) < 0.06
    assert abs(np.corrcoef(one.real.ravel(), one.imag.ravel())[0, 1]) < 0.06


def test_edge_filter_keeps_the_mean_and_steepens_edges(square: Image, rng: np.random.Generator) -> None:
    assert edge_enhancement(np.zeros(1), 0.8)[0] == 1
    blurred = acquire(square, CLEAN, 1.2, 0.0, rng)
    sharpened = acquire(square, replace(CLEAN, enhancement=0.8), 1.2, 0.0, rng)
    assert np.diff(sharpened[30]).max() > 1.1 * np.diff(blurred[30]).max()


def test_blur_widens_an_edge(square: Image, rng: np.random.Generator) -> None:
    assert np.diff(acquire(square, CLEAN, 1.0, 0.0, rng)[30]).max() < 0.5


@pytest.mark.parametrize("shift", [2.25, -1.5])
@pytest.mark.parametrize("axis", [0, 1])
def test_fat_shifts_by_fractions_of_a_pixel(square: Image, shift: float, axis: int) -> None:
    def centre(image: Image) -> float:
        return float(np.average(np.arange(image.shape[axis]), weights=image.sum(axis=1 - axis)))

    shifted = chemical_shift(square, shift, axis)
    assert shifted.sum() == pytest.approx(square.sum(), rel=1e-5)
    assert centre(shifted) - centre(square) == pytest.approx(shift, abs=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_wrap_around_folds_the_far_edge_onto_the_near_one(axis: int) -> None:
    image = np.zeros((60, 50), dtype=np.float32)
    far = np.moveaxis(image, axis, 0)
    far[-4:] = 1
    folded = np.moveaxis(wrap_around(image, 0.2, axis), axis, 0)
    assert (folded[:4] > 0.3).all()
    np.testing.assert_array_equal(folded[4:], far[4:])
    assert image.sum() == far[-4:].size, "the image itself must stay"


def test_flow_darkens_fluid_alone() -> None:
    fluid = np.array([[0, 1, 1]], dtype=np.float32)
    left = flow_void(fluid, np.array([[2, 2, -2]], dtype=np.float32), 0.6)
    np.testing.assert_allclose(left, [[1, 0.4, 1]], atol=1e-6)


def test_coil_and_band_leave_the_spine_alone() -> None:
    front, body, canal, skin = (np.array([0.0, y, 0.0]) for y in (-120, -15, 10, 60))
    assert coil_falloff(body, 60) == pytest.approx(1)
    assert coil_falloff(canal, 60) == pytest.approx(1)
    assert coil_falloff(front, 60) < 0.3 < 1.2 < coil_falloff(skin, 60)
    assert saturation_band(front, -50) < 0.13 < 0.99 < saturation_band(body, -50)


def test_bias_is_smooth_and_around_one(rng: np.random.Generator) -> None:
    points = np.stack(np.meshgrid(*[np.arange(-100.0, 101, 5)] * 3, indexing="ij"), axis=-1)
    field = bias_field(points, draw_bias(rng, 0.2))
    assert 0.05 < np.log(field).std() < 0.5
    assert np.abs(np.diff(np.log(field), axis=0)).max() < 0.15
    assert (bias_field(points, ()) == 1).all()


def test_suppression_fails_far_from_the_centre() -> None:
    failing = replace(CLEAN, failure_mm=80.0)
    near, far = np.array([0.0, 0.0, 20.0]), np.array([0.0, 0.0, 160.0])
    assert suppression_failure(near, failing) < 0.05
    assert suppression_failure(far, failing) > 0.95
    assert suppression_failure(far, CLEAN) == 0


def test_most_series_have_few_artefacts(rng: np.random.Generator) -> None:
    drawn = [draw_artefacts(rng) for _ in range(400)]
    for name in ("ghost", "sway_px", "wrapped", "flow", "partial", "enhancement"):
        assert 0.03 < np.mean([getattr(a, name) > 0 for a in drawn]) < 0.4, name
    spoiled = [(a.ghost > 0) + (a.sway_px > 0) + (a.wrapped > 0) + (a.flow > 0) for a in drawn]
    assert np.mean(np.array(spoiled) == 0) > 0.3
    assert {a.phase_axis for a in drawn} == {0, 1}
