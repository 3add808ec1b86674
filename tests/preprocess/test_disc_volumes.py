"""Where a disc's volumes lie, and that left and right may be exchanged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.geometry import SliceGeometry, Vector3, vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.preprocess.disc_volumes import disc_volumes, mirrored, sample_volume

LEVEL = Level.L3_L4
SHAPE = (36, 72)
T1, T2, AXIAL = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2
SAGITTAL_AXES = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
AXIAL_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
Series = dict[str, MRSeries]


def _stack(corners: list[Vector3], axes: tuple[Vector3, Vector3], sign: float = 1.0) -> SliceStack:
    """Slices whose brightness is a function of the place; ``sign`` -1 exchanges left and right in it."""
    slices = []
    for i, corner in enumerate(corners):
        geometry = SliceGeometry(corner, *axes, 1.0, 1.0, rows=100, columns=100)
        rows, columns = np.mgrid[:100, :100]
        place = geometry.lps_from_pixel(np.stack([rows, columns], axis=-1))
        pixels = np.sin(sign * place[..., 0] / 5) + np.cos(place[..., 1] / 7) + np.sin(place[..., 2] / 6)
        slices.append(MRSlice(geometry, (pixels + 3).astype(np.float32), f"1.{i}", i))
    return SliceStack(tuple(slices))


def _series(sign: float = 1.0) -> Series:
    """Two sagittal stacks of 13 slices from -25.8 to 25.8 mm, and axial blocks of 5 and of 3 slices."""
    sagittal = _stack([(4.3 * i - 25.8, -50, 50) for i in range(13)], SAGITTAL_AXES, sign)
    blocks = [[8.0, 4.0, 0.0, -4.0, -8.0], [-28.0, -32.0, -36.0]]
    axial = tuple(_stack([(-49.5, -50, z) for z in block], AXIAL_AXES, sign) for block in blocks)
    stacks = {T1: (sagittal,), T2: (sagittal,), AXIAL: axial}
    return {role.name: MRSeries(role.name, role.name, stacks[role], role, "given") for role in stacks}


def _landmarks(points: dict[Condition, Vector3], level: Level = LEVEL) -> Landmarks:
    series = _series()
    found = {}
    for condition, point in points.items():
        role = {"Sp": T2, "Ne": T1, "Su": AXIAL}[condition.group.value[:2]]
        index = series[role.name].nearest_slice_index(point)
        pixel = series[role.name].slices[index].geometry.pixel_from_lps(point)
        key = FindingKey(condition, level)
        found[key] = Landmark(key, point, role.name, index, (float(pixel[0]), float(pixel[1])), 1.0)
    return Landmarks(found)


def _side(group: ConditionGroup, side: Side) -> Condition:
    return Condition.of(group, side)


#: Odd decimals keep points from lying half-way between two slices.
POINTS: dict[Condition, Vector3] = {
    Condition.SPINAL_CANAL_STENOSIS: (0.317, 2.0, 0.0),
    _side(ConditionGroup.FORAMINAL, Side.LEFT): (17.013, -2.0, 7.0),
    _side(ConditionGroup.FORAMINAL, Side.RIGHT): (-15.071, -3.0, 6.0),
    _side(ConditionGroup.SUBARTICULAR, Side.LEFT): (8.5, -2.0, 0.413),
    _side(ConditionGroup.SUBARTICULAR, Side.RIGHT): (-9.0, -1.0, -0.229),
}


def _only(*conditions: Condition) -> Landmarks:
    return _landmarks({c: POINTS[c] for c in conditions})


def test_every_box_is_72_by_36_mm() -> None:
    volumes = disc_volumes(LEVEL, _landmarks(POINTS), _series(), 9)
    assert set(volumes) == set(SeriesRole)
    for volume in volumes.values():
        for crop in filter(None, volume.slots):
            top, left, bottom, right = crop.box_rc
            assert (bottom - top, right - left) == pytest.approx((36, 72))


def test_the_canal_lies_in_the_middle_slice_towards_the_back() -> None:
    crop = disc_volumes(LEVEL, _landmarks(POINTS), _series(), 9)[T2].slots[4]
    assert crop is not None
    assert crop.slice_index == 6
    assert crop.box_rc == pytest.approx((50 - 18, 52 - 50, 50 + 18, 52 + 22))


def test_foramina_lie_on_the_last_places_but_one() -> None:
    landmarks, series = _landmarks(POINTS), _series()
    slots = disc_volumes(LEVEL, landmarks, series, 9)[T1].slots
    for place, side in ((1, Side.RIGHT), (7, Side.LEFT)):
        own = landmarks.points[FindingKey(_side(ConditionGroup.FORAMINAL, side), LEVEL)]
        crop = slots[place]
        assert crop is not None
        assert crop.slice_index == own.slice_index
        row, column = own.pixel_rc
        assert crop.box_rc == pytest.approx((row - 14, column - 42, row + 22, column + 30))


def test_axial_slices_stay_in_their_block() -> None:
    slots = disc_volumes(LEVEL, _landmarks(POINTS), _series(), 9)[AXIAL].slots
    places = [None if crop is None else crop.slice_index for crop in slots]
    assert places == [None, None, 0, 1, 2, 3, 4, None, None]
    crop = slots[4]
    assert crop is not None
    middle = (crop.box_rc[1] + crop.box_rc[3]) / 2
    assert middle == pytest.approx(49.5 + (8.5 - 9.0) / 2)


def test_slices_beyond_the_disc_are_left_out_of_a_long_stack() -> None:
    long = _stack([(-49.5, -50, 40.0 - 6 * i) for i in range(15)], AXIAL_AXES)
    series = _series() | {"AXIAL_T2": MRSeries("AXIAL_T2", "ax", (long,), AXIAL, "given")}
    landmarks = _landmarks(POINTS)
    slots = disc_volumes(LEVEL, landmarks, series, 9)[AXIAL].slots
    depths = [series["AXIAL_T2"].slices[c.slice_index].geometry.position_lps_mm[2] for c in slots if c]
    assert 0 < len(depths) < 9
    assert max(abs(z - 0.1) for z in depths) <= 18


@pytest.mark.parametrize("side", list(Side))
def test_one_recess_or_foramen_alone_places_its_volume(side: Side) -> None:
    alone = _only(_side(ConditionGroup.SUBARTICULAR, side), _side(ConditionGroup.FORAMINAL, side))
    volumes = disc_volumes(LEVEL, alone, _series(), 9)
    assert set(volumes) == {AXIAL, T1}
    both = disc_volumes(LEVEL, _landmarks(POINTS), _series(), 9)
    for role in volumes:
        here, there = volumes[role].slots[4], both[role].slots[4]
        assert here is not None
        assert there is not None
        assert np.abs(np.subtract(here.box_rc, there.box_rc)).max() < 3


def test_a_view_without_landmark_series_or_permission_is_left_out() -> None:
    canal = _only(Condition.SPINAL_CANAL_STENOSIS)
    series = _series()
    assert set(disc_volumes(LEVEL, canal, series, 9)) == {T2}
    assert disc_volumes(Level.L1_L2, canal, series, 9) == {}
    assert set(disc_volumes(LEVEL, _landmarks(POINTS), {"AXIAL_T2": series["AXIAL_T2"]}, 9)) == {AXIAL}
    assert set(disc_volumes(LEVEL, _landmarks(POINTS), series, 9, [T1])) == {T1}
    with pytest.raises(ValueError, match="n_slices 8 must be odd and at least 5"):
        disc_volumes(LEVEL, canal, series, 8)


def test_a_canal_marked_on_a_t1_series_makes_no_t2_volume() -> None:
    canal = _only(Condition.SPINAL_CANAL_STENOSIS)
    wrong = {"SAGITTAL_T2": MRSeries("SAGITTAL_T2", "t", _series()["SAGITTAL_T1"].stacks, T1, "given")}
    assert disc_volumes(LEVEL, canal, wrong, 9) == {}


def test_foramina_marked_on_one_side_still_give_a_volume_of_both() -> None:
    points = POINTS | {_side(ConditionGroup.FORAMINAL, Side.LEFT): (-14.0, -2.0, 7.0)}
    slots = disc_volumes(LEVEL, _landmarks(points), _series(), 9)[T1].slots
    reached = [crop.slice_index for crop in slots if crop is not None]
    assert reached == sorted(reached)
    assert reached[-1] - reached[0] >= 5


@given(
    st.fixed_dictionaries(
        {
            condition: st.tuples(*(st.floats(p - 3, p + 3) for p in point))
            for condition, point in POINTS.items()
        }
    ),
    st.sets(st.sampled_from(list(POINTS)), min_size=1),
)
def test_exchanging_left_and_right_mirrors_what_is_seen(
    points: dict[Condition, Vector3], there: set[Condition]
) -> None:
    known = {c: p for c, p in points.items() if c in there}
    opposite = {_exchanged(c): vector3(np.array(p) * (-1, 1, 1)) for c, p in known.items()}
    volumes = disc_volumes(LEVEL, _landmarks(known), series := _series(), 9)
    turned = disc_volumes(LEVEL, _landmarks(opposite), series_turned := _series(sign=-1), 9)
    assert volumes.keys() == turned.keys()
    for role, volume in volumes.items():
        seen = mirrored(*sample_volume(volume, series[role.name], SHAPE), role)
        other = sample_volume(turned[role], series_turned[role.name], SHAPE)
        np.testing.assert_array_equal(seen[1], other[1])
        np.testing.assert_allclose(seen[0], other[0], atol=1e-4)


def _exchanged(condition: Condition) -> Condition:
    return Condition.of(condition.group, condition.side.opposite) if condition.side else condition
