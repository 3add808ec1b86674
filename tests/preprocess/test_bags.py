from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.geometry import SliceGeometry, vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.bags import Jitter, finding_bags, sample_bag, slice_window

LEVEL = Level.L4_L5
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, LEVEL)


def axial_slice(z: float) -> MRSlice:
    geometry = SliceGeometry((0, 0, z), (1, 0, 0), (0, 1, 0), 0.5, 0.5, rows=256, columns=256)
    return MRSlice(geometry, np.full((256, 256), z, np.float32) + np.arange(256), "1", 1)


def sagittal_slice(x: float) -> MRSlice:
    geometry = SliceGeometry((x, 0, 0), (0, 1, 0), (0, 0, -1), 1.0, 0.5, rows=512, columns=256)
    return MRSlice(geometry, np.full((512, 256), x, np.float32), "1", 1)


SERIES = {
    "t2": MRSeries(
        "t2",
        "t2",
        (SliceStack(tuple(sagittal_slice(4.0 * i) for i in range(9))),),
        SeriesRole.SAGITTAL_T2,
        "given",
    ),
    "ax": MRSeries(
        "ax",
        "ax",
        tuple(SliceStack(tuple(axial_slice(-30.0 * k - 4 * i) for i in range(3))) for k in range(2)),
        SeriesRole.AXIAL_T2,
        "given",
    ),
}


def landmark(key: FindingKey, series: str, slice_index: int, pixel: tuple[float, float]) -> Landmark:
    point = SERIES[series].slices[slice_index].geometry.lps_from_pixel(pixel)
    return Landmark(key, vector3(point), series, slice_index, pixel, 1.0)


def landmarks(level: Level = LEVEL) -> Landmarks:
    def side_key(side: Side) -> FindingKey:
        return FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level)

    canal = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
    points = [
        landmark(canal, "t2", 4, (200.0, 128.0)),
        landmark(side_key(Side.LEFT), "ax", 4, (128.0, 148.0)),
        landmark(side_key(Side.RIGHT), "ax", 4, (128.0, 108.0)),
    ]
    return Landmarks({p.key: p for p in points})


def test_the_sagittal_canal_crop_is_table_one_in_the_frame_of_512() -> None:
    box = finding_bags(CANAL, landmarks(), SERIES)["sagittal"].crops[0].box_rc
    # 512 rows: one pixel of the frame is one row; 256 columns: two pixels of the frame are one column.
    assert box == pytest.approx((200 - 40, 128 - 48, 200 + 40, 128 + 16))


def test_the_window_lies_lower_at_the_lumbosacral_disc() -> None:
    key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L5_S1)
    box = finding_bags(key, landmarks(Level.L5_S1), SERIES)["sagittal"].crops[0].box_rc
    assert (box[0], box[2]) == pytest.approx((200 - 20, 200 + 60))


@pytest.mark.parametrize(("side", "lateral_column"), [(Side.LEFT, 148 + 72), (Side.RIGHT, 108 - 72)])
def test_axial_crops_reach_outwards_on_their_own_side(side: Side, lateral_column: float) -> None:
    key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), LEVEL)
    bag = finding_bags(key, landmarks(), SERIES)["axial"]
    _, left, _, right = bag.crops[0].box_rc
    assert (right if side is Side.LEFT else left) == pytest.approx(lateral_column)
    assert bag.mirrored is (side is Side.RIGHT)


def test_mirrored_crops_run_from_medial_to_lateral_on_both_sides() -> None:
    for side in Side:
        key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), LEVEL)
        crop = sample_bag(finding_bags(key, landmarks(), SERIES)["axial"], SERIES["ax"], (32, 32))[2]
        falls_outwards = crop[:, 0].mean() > crop[:, -1].mean()  # brightness rises with the column
        assert falls_outwards is np.bool_(side is Side.RIGHT)


def test_the_window_of_slices_stays_in_its_stack() -> None:
    assert slice_window(SERIES["ax"], 4) == [3, 3, 4, 5, 5]
    assert slice_window(SERIES["ax"], 2) == [0, 1, 2, 2, 2]
    assert slice_window(SERIES["t2"], 0) == [0, 0, 0, 1, 2]
    assert slice_window(SERIES["t2"], 4, shift=2) == [4, 5, 6, 7, 8]


def test_jitter_moves_the_box_but_not_the_annotation() -> None:
    bag = finding_bags(CANAL, landmarks(), SERIES, jitter={"sagittal": Jitter(10, -10, 1)})["sagittal"]
    assert bag.crops[0].box_rc[0] == pytest.approx(170)
    assert bag.crops[0].box_rc[1] == pytest.approx(75)
    assert [crop.slice_index for crop in bag.crops] == [3, 4, 5, 6, 7]
    assert bag.annotated == 4


def test_a_plane_without_its_landmark_is_left_out() -> None:
    only_canal = Landmarks({CANAL: landmarks().points[CANAL]})
    assert set(finding_bags(CANAL, only_canal, SERIES)) == {"sagittal"}
