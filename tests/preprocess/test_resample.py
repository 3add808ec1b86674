from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.preprocess.axial_patch import axial_patch
from napari_lumbar.preprocess.intensity import percentile_scale
from napari_lumbar.preprocess.resample import resample_to_mm, sample_box

RAMP = np.add.outer(10 * np.arange(20.0), np.arange(30.0)).astype(np.float32)


def test_the_whole_image_sampled_at_its_own_size_is_itself() -> None:
    np.testing.assert_allclose(sample_box(RAMP, (-0.5, -0.5, 19.5, 29.5), (20, 30)), RAMP)


def test_exchanged_left_and_right_mirror_the_crop() -> None:
    straight = sample_box(RAMP, (1.5, 2.5, 9.5, 12.5), (8, 10))
    np.testing.assert_allclose(sample_box(RAMP, (1.5, 12.5, 9.5, 2.5), (8, 10)), straight[:, ::-1])


def test_outside_the_image_is_zero() -> None:
    assert not sample_box(RAMP, (100, 100, 110, 110), (4, 4)).any()
    assert not sample_box(RAMP, (-50, -50, -30, -30), (4, 4)).any()


@given(top=st.floats(-10, 25), left=st.floats(-10, 35), height=st.floats(1, 15), width=st.floats(1, 15))
def test_cutting_a_window_first_changes_nothing(top: float, left: float, height: float, width: float) -> None:
    """The image is cut to what a crop touches; a wider image must give the same crop."""
    wide = np.zeros((220, 230), np.float32)
    wide[100:120, 100:130] = RAMP
    box = (top, left, top + height, left + width)
    moved = (top + 100, left + 100, top + height + 100, left + width + 100)
    near = sample_box(np.pad(RAMP, 40), tuple(v + 40 for v in box), (6, 6))  # type: ignore[arg-type]
    np.testing.assert_allclose(sample_box(wide, moved, (6, 6)), near, atol=1e-3)


def test_resampling_keeps_millimetres_on_pixels_that_are_not_square() -> None:
    spacing = np.array([0.5, 0.8])
    small = resample_to_mm(RAMP, spacing, 2.0)
    # Inside, a ramp stays a ramp: result (2, 3) lies at (4 mm, 6 mm) = source (8, 7.5).
    assert small[2, 3] == np.float32(87.5)


def test_scaling_follows_percentiles_and_a_flat_image_is_zero() -> None:
    scaled = percentile_scale(RAMP)
    assert scaled.min() == 0
    assert scaled.max() == 1
    assert not percentile_scale(np.full((4, 4), 7, np.float32)).any()


def test_a_patch_leads_back_to_its_pixels() -> None:
    from napari_lumbar.domain.geometry import SliceGeometry
    from napari_lumbar.domain.study import MRSlice

    geometry = SliceGeometry((0, 0, 0), (1, 0, 0), (0, 1, 0), 0.5, 0.8, rows=200, columns=300)
    pixels = np.zeros((200, 300), np.float32)
    pixels[105:136, 128:153] = 1
    patch = axial_patch(MRSlice(geometry, pixels, "1", 1), np.array([118.0, 143.0]))
    brightest = np.argwhere(patch.image > 0.5).mean(axis=0)
    assert np.abs(patch.pixel_from_patch(brightest) - (120, 140)).max() <= 3
    np.testing.assert_allclose(patch.patch_from_pixel(patch.pixel_from_patch(brightest)), brightest)
