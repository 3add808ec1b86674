"""One finding in every series of a phantom, and of the same phantom mirrored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.geometry import Vector3, vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.preprocess.bags import Jitter, prepared_series
from napari_lumbar.preprocess.finding_views import finding_views, mirrored_views, stack_window
from napari_lumbar.preprocess.fusion_input import FusionShape, fusion_input
from napari_lumbar.preprocess.series_text import HASHED, WORDS, hashed, series_text, text_numbers

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
SHAPE = FusionShape(tuple(SeriesRole), 3, 48)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
Body = tuple[dict[str, MRSeries], Landmarks]


@pytest.fixture(scope="module")
def body() -> Body:
    phantom = make_phantom(11, SMALL)
    return {s.series_id: prepared_series(s) for s in phantom.study.series if s.role}, phantom.landmarks


def _reflected(values: Vector3) -> Vector3:
    return vector3((-values[0], values[1], values[2]))


def _mirrored_slice(one: MRSlice, role: SeriesRole | None) -> MRSlice:
    g = one.geometry
    if role is not SeriesRole.AXIAL_T2:
        there = replace(
            g,
            position_lps_mm=_reflected(g.position_lps_mm),
            along_row=_reflected(g.along_row),
            along_column=_reflected(g.along_column),
        )
        return replace(one, geometry=there)
    corner = vector3(g.lps_from_pixel((0, g.columns - 1)))
    there = replace(
        g,
        position_lps_mm=_reflected(corner),
        along_row=vector3(-np.array(_reflected(g.along_row))),
        along_column=_reflected(g.along_column),
    )
    return replace(one, geometry=there, pixels=one.pixels[:, ::-1])


def _mirrored_series(one: MRSeries) -> MRSeries:
    step = 1 if one.role is SeriesRole.AXIAL_T2 else -1
    stacks = tuple(
        SliceStack(tuple(_mirrored_slice(s, one.role) for s in stack.slices[::step])) for stack in one.stacks
    )
    return replace(one, stacks=stacks)


def _mirrored_key(key: FindingKey) -> FindingKey:
    side = key.condition.side
    return FindingKey(Condition.of(key.condition.group, side.opposite if side else None), key.level)


def _mirrored_mark(mark: Landmark, series: dict[str, MRSeries]) -> Landmark:
    one, index = series[mark.series_id], mark.slice_index
    if one.role is not SeriesRole.AXIAL_T2:
        index = len(one.slices) - 1 - index
    point = _reflected(mark.point_lps_mm)
    return replace(mark, key=_mirrored_key(mark.key), point_lps_mm=point, slice_index=index)


def _mirrored(body: Body) -> Body:
    series, landmarks = body
    marks = [_mirrored_mark(mark, series) for mark in landmarks]
    return {name: _mirrored_series(one) for name, one in series.items()}, Landmarks(
        {mark.key: mark for mark in marks}
    )


@pytest.mark.parametrize("group", list(ConditionGroup))
def test_a_mirrored_body_gives_the_same_input_with_sides_exchanged(body: Body, group: ConditionGroup) -> None:
    series, landmarks = body
    there, marks = _mirrored(body)
    for key in [k for k in landmarks.points if k.condition.group is group]:
        views = finding_views(key, landmarks, series, 54.0)
        opposite = finding_views(_mirrored_key(key), marks, there, 54.0)
        if key.condition.side is None:
            opposite = mirrored_views(opposite)
        here = fusion_input(key, views, series, SHAPE, {})
        mirrored = fusion_input(_mirrored_key(key), opposite, there, SHAPE, {})
        assert set(views) == set(opposite)
        np.testing.assert_allclose(here.views, mirrored.views, atol=1e-3)
        np.testing.assert_array_equal(here.texts, mirrored.texts)
        np.testing.assert_array_equal(here.visible, mirrored.visible)
        assert (here.level, here.group) == (mirrored.level, mirrored.group)


def test_a_point_is_found_in_the_other_series(body: Body) -> None:
    series, landmarks = body
    views = finding_views(CANAL, landmarks, series, 54.0)
    assert set(views) == set(SeriesRole)
    point = landmarks.points[CANAL].point_lps_mm
    for view in views.values():
        one = series[view.series_id]
        assert one.plane_distances_mm(point)[view.annotated] <= 8
        geometry = one.slices[view.annotated].geometry
        (top, left, bottom, right), (row, column) = view.crops[0].box_rc, geometry.pixel_from_lps(point)
        assert ((top + bottom) / 2, (left + right) / 2) == pytest.approx((row, column))
        assert (bottom - top) * geometry.row_spacing_mm == pytest.approx(54)


def test_what_does_not_show_the_point_is_left_out(body: Body) -> None:
    series, landmarks = body
    without_axial = {k: v for k, v in series.items() if v.role is not SeriesRole.AXIAL_T2}
    assert SeriesRole.AXIAL_T2 not in finding_views(CANAL, landmarks, without_axial, 54.0)
    seen = fusion_input(CANAL, finding_views(CANAL, landmarks, without_axial, 54.0), series, SHAPE, {})
    assert seen.visible.tolist() == [role is not SeriesRole.AXIAL_T2 for role in SeriesRole]
    assert not seen.views[2].any()
    assert not seen.texts[2].any()
    assert finding_views(CANAL, Landmarks(), series, 54.0) == {}
    own = landmarks.points[CANAL].series_id
    assert finding_views(CANAL, landmarks, {k: v for k, v in series.items() if k != own}, 54.0) == {}
    far = replace(landmarks.points[CANAL], point_lps_mm=(0.0, 0.0, 5000.0))
    assert set(finding_views(CANAL, landmarks.replacing(far), series, 54.0)) == {SeriesRole.SAGITTAL_T2}


def test_misses_move_the_window_and_stay_in_the_stack(body: Body) -> None:
    series, landmarks = body
    for shift in (-2, -1, 1, 2):
        moves = dict.fromkeys(SeriesRole, Jitter(3.0, -2.0, shift))
        plain = finding_views(CANAL, landmarks, series, 54.0)
        moved = finding_views(CANAL, landmarks, series, 54.0, jitter=moves)
        for role, view in moved.items():
            one = series[view.series_id]
            stack = stack_window(one, view.annotated, 2 * len(one.slices) + 1)
            assert min(stack) <= min(c.slice_index for c in view.crops)
            assert max(c.slice_index for c in view.crops) <= max(stack)
            spacing = one.slices[view.annotated].geometry.row_spacing_mm
            down = (view.crops[0].box_rc[0] - plain[role].crops[0].box_rc[0]) * spacing
            assert down == pytest.approx(3.0)


def test_texts_hold_known_words_alone(body: Body) -> None:
    series, _ = body
    for one in series.values():
        text = series_text(one, 0)
        assert set(text.split()) <= set(WORDS)
        assert one.role is not None
        assert text.startswith(one.role.value.lower())
    with pytest.raises(ValueError, match="has no role, so nothing can be said"):
        series_text(replace(next(iter(series.values())), role=None), 0)


def test_words_get_their_numbers_or_a_hash() -> None:
    numbers = text_numbers("axial t2 mm", {"t2": (7, 8)})
    assert numbers[:4].tolist() == [hashed("axial"), 7, 8, hashed("mm")]
    assert not numbers[4:].any()
    assert all(0 < hashed(word) < HASHED for word in WORDS)
