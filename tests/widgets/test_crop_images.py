"""The pictures of the crops: the right place, the right way up, in square pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_lumbar.domain.findings import CropEvidence
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack, Study
from napari_lumbar.widgets.crop_images import (
    LONG_SIDE_PX,
    crop_names,
    crop_picture,
    picture_shape,
    stretched,
    tinted,
)

HEAT = np.array([[0, 1], [0, 0]], dtype=np.float32)


def with_bright_corner(series: MRSeries) -> MRSeries:
    """The first slice dark, but for the pixels of rows 10..19 and columns 40..59."""
    first, *others = series.slices
    pixels = np.zeros((80, 64), np.float32)
    pixels[10:20, 40:60] = 100
    return replace(series, stacks=(SliceStack((replace(first, pixels=pixels), *others)),))


def crop(box_rc: tuple[float, float, float, float]) -> CropEvidence:
    return CropEvidence(SeriesRole.SAGITTAL_T2, "t2", 0, box_rc, 1.0, HEAT)


def test_a_picture_shows_its_box_as_the_file_lies(small_study: Study) -> None:
    series = with_bright_corner(small_study.by_id("t2"))
    inside = crop_picture(series, crop((10, 40, 19, 59)))
    assert inside.min() > 0.9
    beside = crop_picture(series, crop((9.5, 29.5, 19.5, 49.5)))
    half = beside.shape[1] // 2
    assert beside[:, : half - 5].max() == 0
    assert beside[10:-10, half + 5 :].min() == 1


def test_pixels_are_square_whatever_the_spacing(small_study: Study) -> None:
    # slices of the small study have rows 2 mm and columns 1.5 mm apart
    assert picture_shape(small_study.by_id("t2"), crop((0, 0, 30, 40))) == (LONG_SIDE_PX, LONG_SIDE_PX)
    assert picture_shape(small_study.by_id("t2"), crop((0, 0, 15, 40))) == (LONG_SIDE_PX // 2, LONG_SIDE_PX)


def test_a_box_beyond_the_image_is_dark_there(small_study: Study) -> None:
    picture = crop_picture(small_study.by_id("t2"), crop((-40, 0, 40, 64)))
    assert picture[: picture.shape[0] // 2 - 2].max() == 0


def test_the_heatmap_tints_where_it_speaks_and_only_there() -> None:
    picture = np.full((40, 40), 0.5, np.float32)
    heat = stretched(HEAT, (40, 40))
    plain, light, full = (tinted(picture, heat, strength) for strength in (0.0, 0.45, 1.0))
    assert (plain == 128).all()
    assert (full[30:, :10] == 128).all()
    assert full[2, 37, 0] > light[2, 37, 0] > 128


def test_two_crops_of_one_slice_have_the_patients_side_in_their_names(small_study: Study) -> None:
    def axial(slice_index: int, left: int) -> CropEvidence:
        box = (10, left, 30, left + 20)
        return CropEvidence(SeriesRole.AXIAL_T2, "ax", slice_index, box, 0.5, HEAT)

    # the patient's right is at the left of an axial image
    assert crop_names([axial(9, 5), axial(9, 25), axial(10, 5)], small_study) == ["10R", "10L", "11"]
    assert crop_names([], small_study) == []
