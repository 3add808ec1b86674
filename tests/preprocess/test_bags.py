from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.geometry import SliceGeometry, vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.preprocess import bags as preparing
from napari_lumbar.preprocess.bags import Jitter, finding_bags, prepared_by_id, sample_bag, slice_window

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


#: One published pixel of a sagittal and of an axial frame, mm.
SAGITTAL_PX, AXIAL_PX = 290 / 512, 190 / 512


def test_the_sagittal_canal_crop_is_table_one_at_a_usual_field_of_view() -> None:
    box = finding_bags(CANAL, landmarks(), SERIES)["sagittal"].crops[0].box_rc
    # A row is 1 mm here, a column 0.5 mm.
    up, front, back = 40 * SAGITTAL_PX, 96 * SAGITTAL_PX / 0.5, 32 * SAGITTAL_PX / 0.5
    assert box == pytest.approx((200 - up, 128 - front, 200 + up, 128 + back))


def test_a_crop_shows_the_same_millimetres_whatever_the_field_of_view() -> None:
    small, large = (_canal_crop_mm(spacing) for spacing in (0.4, 0.9))
    assert small == pytest.approx(large)


def _canal_crop_mm(spacing_mm: float) -> tuple[float, float]:
    geometry = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), spacing_mm, spacing_mm, rows=512, columns=512)
    series = MRSeries(
        "t2",
        "t2",
        (SliceStack((MRSlice(geometry, np.zeros((512, 512), np.float32), "1", 1),)),),
        SeriesRole.SAGITTAL_T2,
        "given",
    )
    point = Landmark(CANAL, vector3(geometry.lps_from_pixel((200, 128))), "t2", 0, (200.0, 128.0), 1.0)
    box = finding_bags(CANAL, Landmarks({CANAL: point}), {"t2": series})["sagittal"].crops[0].box_rc
    return (box[2] - box[0]) * spacing_mm, (box[3] - box[1]) * spacing_mm


def test_the_window_lies_lower_at_the_lumbosacral_disc() -> None:
    key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L5_S1)
    box = finding_bags(key, landmarks(Level.L5_S1), SERIES)["sagittal"].crops[0].box_rc
    assert (box[0], box[2]) == pytest.approx((200 - 20 * SAGITTAL_PX, 200 + 60 * SAGITTAL_PX))


@pytest.mark.parametrize(("side", "column"), [(Side.LEFT, 148), (Side.RIGHT, 108)])
def test_recesses_are_cut_around_their_own_point_and_the_right_one_mirrored(
    side: Side, column: float
) -> None:
    key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), LEVEL)
    bag = finding_bags(key, landmarks(), SERIES)["axial"]
    _, left, _, right = bag.crops[0].box_rc
    reach = 64 * AXIAL_PX / 0.5
    assert (left, right) == pytest.approx((column - reach, column + reach))
    assert bag.mirrored is (side is Side.RIGHT)


@pytest.mark.parametrize(("side", "lateral_column"), [(Side.LEFT, 148 + 27), (Side.RIGHT, 108 - 27)])
def test_the_canals_axial_crop_lies_around_the_midline(side: Side, lateral_column: float) -> None:
    bag = finding_bags(CANAL, landmarks(), SERIES, side)["axial"]
    _, left, _, right = bag.crops[0].box_rc
    outer, inner = (right, left) if side is Side.LEFT else (left, right)
    assert outer == pytest.approx(lateral_column, abs=1)
    assert inner == pytest.approx(256 - lateral_column, abs=20)


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
    bag = finding_bags(CANAL, landmarks(), SERIES, jitter={"sagittal": Jitter(10.0, -10.0, 1)})["sagittal"]
    still = finding_bags(CANAL, landmarks(), SERIES)["sagittal"]
    moved = np.subtract(bag.crops[0].box_rc, still.crops[0].box_rc)
    assert moved == pytest.approx([10, -20, 10, -20])  # rows of 1 mm, columns of half a millimetre
    assert [crop.slice_index for crop in bag.crops] == [3, 4, 5, 6, 7]
    assert bag.annotated == 4


def test_what_is_looked_at_from_the_right_is_the_mirror_image_of_what_is_from_the_left() -> None:
    """Else a patient and the mirror image of the patient would not be graded alike."""
    left, right = (finding_bags(CANAL, landmarks(), SERIES, side)["sagittal"] for side in Side)
    assert [c.slice_index for c in right.crops] == [c.slice_index for c in left.crops][::-1]
    jitter = {"axial": Jitter(columns_mm=2.0)}
    for side, towards_left_px in ((Side.LEFT, 4), (Side.RIGHT, -4)):
        key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), LEVEL)
        moved, still = (
            finding_bags(key, landmarks(), SERIES, jitter=j)["axial"].crops[0].box_rc for j in (jitter, {})
        )
        assert np.subtract(moved, still) == pytest.approx([0, towards_left_px, 0, towards_left_px])


def test_a_plane_without_its_landmark_is_left_out() -> None:
    only_canal = Landmarks({CANAL: landmarks().points[CANAL]})
    assert set(finding_bags(CANAL, only_canal, SERIES)) == {"sagittal"}


def test_a_study_in_use_is_prepared_once_and_then_let_go() -> None:
    study = Study("1", "1.2", tuple(replace(one) for one in SERIES.values()))
    study = replace(study, series=(*study.series, replace(SERIES["t2"], series_id="odd", role=None)))
    gc.collect()
    before = len(preparing._PREPARED)
    prepared = prepared_by_id(study)
    assert prepared.keys() == SERIES.keys()
    assert prepared_by_id(study.assigning("ax", None)) == {"t2": prepared["t2"]}
    assert prepared_by_id(study)["ax"] is prepared["ax"]
    del study
    gc.collect()
    assert len(preparing._PREPARED) == before
