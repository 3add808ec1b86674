"""What M-SCAN sees, in millimetres and in the right place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.mscan_views import (
    axial_crop,
    equalised,
    from_square,
    nearest_axial_slices,
    recess_middle,
    sample_canal_crop,
    stack_range,
    to_square,
    whole_slice,
)

TILT = np.deg2rad(35)


def axial_slice(z: float, tilt: float, y: float = 0.0, number: int = 0) -> MRSlice:
    down = (0.0, float(np.cos(tilt)), float(-np.sin(tilt)))
    geometry = SliceGeometry(
        (-40.0, y - 40.0 * down[1], z - 40.0 * down[2]), (1, 0, 0), down, 1.0, 1.0, 81, 81
    )
    return MRSlice(geometry, np.full((81, 81), float(number), np.float32), f"1.{number}", number)


def series(*stacks: tuple[MRSlice, ...]) -> MRSeries:
    return MRSeries("ax", "1.2", tuple(SliceStack(s) for s in stacks), SeriesRole.AXIAL_T2, "made")


@given(
    rows=st.integers(20, 300),
    columns=st.integers(20, 300),
    spacing=st.tuples(st.floats(0.3, 2), st.floats(0.3, 2)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_the_square_of_a_slice_is_square_in_millimetres_and_goes_both_ways(
    rows: int, columns: int, spacing: tuple[float, float], place: tuple[float, float]
) -> None:
    geometry = SliceGeometry((0, 0, 0), (1, 0, 0), (0, 1, 0), *spacing, rows, columns)
    corners = from_square(geometry, [[0, 0], [1, 1]]) * spacing
    side = corners[1] - corners[0]
    assert side[0] == pytest.approx(side[1])
    assert side[0] == pytest.approx(max(rows * spacing[0], columns * spacing[1]))
    pixel = np.array(place) * (rows - 1, columns - 1)
    np.testing.assert_allclose(from_square(geometry, to_square(geometry, pixel)), pixel, atol=1e-6)


def test_a_whole_slice_keeps_its_point() -> None:
    one = axial_slice(0, 0)
    pixels = np.zeros((81, 41), np.float32)
    pixels[20, 10] = 1
    one = replace(one, pixels=pixels, geometry=replace(one.geometry, columns=41))
    image = whole_slice(one, 81)
    place = np.unravel_index(int(image.argmax()), image.shape)
    np.testing.assert_allclose((np.array(place) + 0.5) / 81, to_square(one.geometry, (20, 10)), atol=0.01)


def test_slices_are_the_nearest_by_plane_not_by_height() -> None:
    """The tilted planes pass the point; those of equal height at their middle do not."""
    tilted = tuple(axial_slice(float(z), TILT, number=i) for i, z in enumerate((30, 26, 22, 18, 14)))
    point = (0.0, 30.0, 22.0 - 30.0 * np.tan(TILT))
    found = nearest_axial_slices([series(tilted)], point)
    assert found is not None
    assert found.indices == (1, 2, 3)
    assert int(np.argmin([abs(s.geometry.centre_lps_mm[2] - point[2]) for s in tilted])) == 4


def test_slices_come_from_one_stack_and_the_last_is_repeated() -> None:
    upper = tuple(axial_slice(z, 0, number=i) for i, z in enumerate((20.0, 16.0)))
    lower = tuple(axial_slice(z, TILT / 2, number=9) for z in (9.0, 5.0, 1.0))
    found = nearest_axial_slices([series(upper, lower)], (0, 0, 17))
    assert found is not None
    assert found.indices == (0, 1, 1)
    assert stack_range(series(upper, lower), 3) == range(2, 5)


def test_no_slice_is_better_than_a_far_one() -> None:
    assert nearest_axial_slices([series((axial_slice(0, 0),))], (0, 0, 8.5)) is None
    assert nearest_axial_slices([], (0, 0, 0)) is None


def test_slices_of_a_series_that_is_taken_as_t2_serve_only_where_no_sure_one_is_near() -> None:
    sure = replace(series((axial_slice(0, 0),)), series_id="sure")
    assumed = replace(series((axial_slice(1, 0), axial_slice(-9, 0))), role_assumed=True)
    found = [nearest_axial_slices([assumed, sure], (0, 0, z)) for z in (1, -9)]
    assert [one.series_id for one in found if one] == ["sure", "ax"]


def test_slices_of_a_reformat_serve_only_where_no_original_is_near() -> None:
    original = replace(series((axial_slice(0, 0),)), series_id="original", role_score=1.0)
    reformat = replace(series((axial_slice(1, 0), axial_slice(-9, 0))), role_score=0.3)
    found = [nearest_axial_slices([reformat, original], (0, 0, z)) for z in (1, -9)]
    assert [one.series_id for one in found if one] == ["original", "ax"]
    assert nearest_axial_slices([], (0, 0, 0)) is None


def test_the_middle_of_the_recesses_needs_both() -> None:
    keys = {s: FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, s), Level.L4_L5) for s in Side}
    left, right = (
        Landmark(keys[s], (x, 1, 2), "ax", 0, (0, 0), None) for s, x in zip(Side, (9, -5), strict=True)
    )
    both = Landmarks({left.key: left, right.key: right})
    middle = recess_middle(both, Level.L4_L5)
    assert middle is not None
    np.testing.assert_allclose(middle, (2, 1, 2))
    assert recess_middle(Landmarks({left.key: left}), Level.L4_L5) is None


def test_a_mirrored_slice_gives_the_mirrored_crop() -> None:
    """Image, geometry and point exchanged: the same pixels with the sides swapped."""
    pixels = np.random.default_rng(1).random((81, 81), np.float32)
    one = replace(axial_slice(0, 0), pixels=pixels)
    turned = replace(one, pixels=pixels[:, ::-1])
    crops = [
        sample_canal_crop(axial_crop(series((each,)), 0, point), series((each,)), 64)
        for each, point in ((one, (6.0, 4.0, 0.0)), (turned, (-6.0, 4.0, 0.0)))
    ]
    np.testing.assert_allclose(crops[0], crops[1][:, ::-1], atol=1e-5)


def test_equalised_images_fill_the_range_and_a_constant_one_is_black() -> None:
    image = np.random.default_rng(2).random((96, 96), np.float32) * 0.2 + 0.3
    result = equalised(image)
    assert (result.min(), result.max()) == (0, 1)
    assert not equalised(np.full((40, 40), 0.4, np.float32)).any()
