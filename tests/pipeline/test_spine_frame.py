from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import NotGradable
from napari_lumbar.domain.spine import Level, Side
from napari_lumbar.domain.study import MRSlice
from napari_lumbar.pipeline.foramina import ForamenPoint, find_foramen
from napari_lumbar.pipeline.sagittal_maps import SagittalMaps
from napari_lumbar.pipeline.slice_votes import canal_places
from napari_lumbar.pipeline.spine_frame import caudal_direction, find_spine
from napari_lumbar.preprocess.channels import NAMED_DISCS, SAGITTAL_MAPS

N_SLICES, SHAPE = 15, (80, 60)
STEP_MM, SPACING = 4.0, 0.6
CANAL_COLUMN, DISC_COLUMN = 38.0, 30.0
ROWS = [8.0 + 12 * i for i in range(6)]


def blob(row: float, column: float, sigma: float = 1.3) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2))


def straight_spine(canal: bool = True, foramen_slice: dict[Side, int] | None = None) -> SagittalMaps:
    """A straight spine in the middle of 15 slices, 8 map pixels (24 mm) in front of its canal."""
    slices = tuple(
        MRSlice(
            SliceGeometry((STEP_MM * (i - 7), -90, 120), (0, 1, 0), (0, 0, -1), SPACING, SPACING, 400, 300),
            np.zeros((400, 300), np.float32),
            f"1.{i}",
            i,
        )
        for i in range(N_SLICES)
    )
    named = np.stack([0.9 * blob(r, DISC_COLUMN) / blob(r, DISC_COLUMN).sum() for r in ROWS])
    columns = np.indices(SHAPE)[1]
    near = np.abs(np.arange(N_SLICES) - 7) <= 2
    maps = {name: np.zeros((N_SLICES, *SHAPE), np.float32) for name in SAGITTAL_MAPS}
    maps["any_disc"][:] = np.max([0.9 * blob(r, DISC_COLUMN) for r in ROWS], axis=0)
    maps["sacrum"][:, round(ROWS[-1]) + 3 :] = 0.9
    if canal:
        maps["canal"][near] = np.abs(columns - CANAL_COLUMN) <= 2
    for place in (foramen_slice or {}).values():
        maps["foramen"][place] = np.max([0.9 * blob(r - 2, CANAL_COLUMN - 1) for r in ROWS], axis=0)
    return SagittalMaps(
        slices=slices,
        first_index=0,
        named=np.repeat(named[None], N_SLICES, axis=0).astype(np.float32),
        absent=np.full((N_SLICES, len(NAMED_DISCS)), 0.1, np.float32),
        maps=maps,
    )


def test_the_canal_is_stepped_to_behind_each_disc() -> None:
    spine = find_spine(straight_spine())
    assert list(spine.levels) == list(Level)
    for frame in spine.levels.values():
        offset = frame.canal_lps_mm - frame.disc_lps_mm
        np.testing.assert_allclose(offset, [0, 24, 0], atol=1.0)  # posterior is +y
        assert frame.canal_seen
        assert frame.cranial[2] == pytest.approx(1, abs=0.01)
        assert frame.left[0] == pytest.approx(1)


def test_a_canal_nobody_sees_is_assumed_and_said_so() -> None:
    frame = find_spine(straight_spine(canal=False)).levels[Level.L3_L4]
    assert not frame.canal_seen
    assert np.linalg.norm(frame.canal_lps_mm - frame.disc_lps_mm) == pytest.approx(25)
    assert frame.confidence < 0.5


def test_a_tilted_stack_of_another_direction_gives_the_same_points() -> None:
    """Slices from left to right: the patient does not change."""
    maps = straight_spine()
    turned = SagittalMaps(
        maps.slices[::-1], 0, maps.named[::-1], maps.absent[::-1], {k: v[::-1] for k, v in maps.maps.items()}
    )
    here, there = find_spine(maps), find_spine(turned)
    for level in Level:
        np.testing.assert_allclose(
            here.levels[level].canal_lps_mm, there.levels[level].canal_lps_mm, atol=1e-6
        )


def test_the_last_disc_takes_the_curve_beyond_its_chord() -> None:
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 2.0], [29.0, 6.0]])
    chord = (centres[3] - centres[2]) / np.linalg.norm(centres[3] - centres[2])
    tangent = caudal_direction(centres, 3)
    assert np.linalg.norm(tangent) == pytest.approx(1)
    assert tangent[1] > chord[1]


@pytest.mark.parametrize("side", Side)
def test_a_foramen_is_found_on_its_own_side(side: Side) -> None:
    lateral = {Side.LEFT: 11, Side.RIGHT: 3}  # x = +16 and -16 mm
    maps = straight_spine(foramen_slice=lateral)
    frame = find_spine(maps).levels[Level.L3_L4]
    votes = np.array([lateral[side], lateral[side]], dtype=float)
    point = find_foramen(maps, Level.L3_L4, frame, side, votes)
    assert isinstance(point, ForamenPoint)
    assert point.place == lateral[side]
    expected = maps.pixel_from_map(np.array([ROWS[3] - 2, CANAL_COLUMN - 1]))
    np.testing.assert_allclose(point.pixel_rc, expected, atol=2.5)


@pytest.mark.parametrize("side", Side)
def test_votes_for_the_wrong_side_cannot_carry_a_foramen_across(side: Side) -> None:
    maps = straight_spine()
    frame = find_spine(maps).levels[Level.L4_L5]
    wrong = np.array([3.0, 3.0]) if side is Side.LEFT else np.array([11.0, 11.0])
    point = find_foramen(maps, Level.L4_L5, frame, side, wrong)
    assert isinstance(point, ForamenPoint)
    assert (point.place > 7) is (side is Side.LEFT)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("beside", "level"), [(2, Level.L1_L2), (3, Level.L5_S1)])
def test_no_foramen_is_placed_on_a_slice_that_cannot_show_one(side: Side, beside: int, level: Level) -> None:
    """Slices up to 8 or 12 mm beside the canal on this side, all there are on the other."""
    whole = straight_spine(foramen_slice={Side.LEFT: 11, Side.RIGHT: 3})
    kept = slice(0, 8 + beside) if side is Side.LEFT else slice(7 - beside, N_SLICES)
    maps = SagittalMaps(
        whole.slices[kept],
        0,
        whole.named[kept],
        whole.absent[kept],
        {k: v[kept] for k, v in whole.maps.items()},
    )
    frame = find_spine(maps).levels[level]
    why = find_foramen(maps, level, frame, side, np.zeros(0))
    assert isinstance(why, NotGradable)
    assert why.code == "no_foraminal_slice"
    assert isinstance(find_foramen(maps, level, frame, side.opposite, np.zeros(0)), ForamenPoint)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("lacking", "is_found"), [([10, 11, 12], False), ([11], True)])
def test_a_slice_beyond_a_gap_does_not_stand_in_for_a_foramen(
    side: Side, lacking: list[int], is_found: bool
) -> None:
    """Slices 12, 16 and 20 mm beside the canal lack, or the middle one of them."""
    whole = straight_spine()
    lost = lacking if side is Side.LEFT else [14 - place for place in lacking]
    kept = [place for place in range(N_SLICES) if place not in lost]
    maps = SagittalMaps(
        tuple(whole.slices[place] for place in kept),
        0,
        whole.named[kept],
        whole.absent[kept],
        {k: v[kept] for k, v in whole.maps.items()},
    )
    for level, frame in find_spine(maps).levels.items():
        point = find_foramen(maps, level, frame, side, np.zeros(0))
        assert isinstance(point, ForamenPoint) is is_found
        assert isinstance(find_foramen(maps, level, frame, side.opposite, np.zeros(0)), ForamenPoint)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("moved_mm", "levels"), [(-60, [Level.L5_S1]), (60, [Level.L1_L2])])
def test_a_foramen_beyond_the_image_is_not_looked_for_on_its_border(
    side: Side, moved_mm: float, levels: list[Level]
) -> None:
    """The levels were named on another series, whose images reach further."""
    maps = straight_spine(foramen_slice={Side.LEFT: 11, Side.RIGHT: 3})
    for level, frame in find_spine(maps).levels.items():
        there = frame.canal_lps_mm + np.array([0, 0, moved_mm])
        point = find_foramen(maps, level, replace(frame, canal_lps_mm=there), side, np.zeros(0))
        assert isinstance(point, NotGradable) is (level in levels)
        if isinstance(point, NotGradable):
            assert point.code == "outside_field"
            assert point.reason == (
                f"the images of Sagittal T1 end before the {side.value.lower()} foramen at {level.value}"
            )


@pytest.mark.parametrize("side", Side)
def test_a_foramen_fades_with_the_distance_of_its_slice(side: Side) -> None:
    """Without a network for the slice, the brightest of three neighbouring slices is taken."""
    places = {Side.LEFT: 11, Side.RIGHT: 3}
    maps = straight_spine(foramen_slice=places)
    for place in places.values():
        for beside in (place - 1, place + 1):
            maps.maps["foramen"][beside] = 0.5 * maps.maps["foramen"][place]
    frame = find_spine(maps).levels[Level.L3_L4]
    point = find_foramen(maps, Level.L3_L4, frame, side, np.zeros(0))
    assert isinstance(point, ForamenPoint)
    assert point.place == places[side]


@pytest.mark.parametrize("side", Side)
def test_a_foramen_further_out_than_usual_stays_where_it_is_seen(side: Side) -> None:
    """L1/L2 24 mm beside the canal instead of 15; its neighbours show it nearly as well."""
    places = {Side.LEFT: 13, Side.RIGHT: 1}
    maps = straight_spine(foramen_slice=places)
    for place in places.values():
        for beside, share in ((1, 0.9), (2, 0.7), (3, 0.5)):
            inwards = place - beside if place > 7 else place + beside
            maps.maps["foramen"][inwards] = share * maps.maps["foramen"][place]
    frame = find_spine(maps).levels[Level.L1_L2]
    point = find_foramen(maps, Level.L1_L2, frame, side, np.zeros(0))
    assert isinstance(point, ForamenPoint)
    assert point.place == places[side]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_foramen_that_no_network_sees_is_where_anatomy_puts_it(side: Side, noise: float) -> None:
    maps = straight_spine()
    maps.maps["foramen"][13 if side is Side.LEFT else 1] = noise
    frame = find_spine(maps).levels[Level.L3_L4]
    point = find_foramen(maps, Level.L3_L4, frame, side, np.zeros(0))
    assert isinstance(point, ForamenPoint)
    assert point.place == (11 if side is Side.LEFT else 3)  # 16 of 16.4 mm
    assert point.confidence < 0.15


def test_each_level_of_a_bent_spine_has_its_own_middle() -> None:
    maps = straight_spine()
    columns = np.indices(SHAPE)[1]
    rows = np.indices(SHAPE)[0]
    canal = np.zeros((N_SLICES, *SHAPE), np.float32)
    for rank, row in enumerate(ROWS):
        here = (np.abs(columns - CANAL_COLUMN) <= 2) & (np.abs(rows - row) <= 6)
        canal[5 + rank - 2 : 5 + rank + 3, here] = 1
    maps.maps["canal"] = canal
    across = [float(frame.canal_lps_mm[0]) for frame in find_spine(maps).levels.values()]
    np.testing.assert_allclose(across, [STEP_MM * (6 + rank - 7) for rank in range(5)], atol=0.5)


def test_the_canal_lies_on_one_slice_unless_the_spine_bends_out_of_it() -> None:
    maps = straight_spine()
    levels = dict(find_spine(maps).levels)
    none = np.zeros((0, 5))
    assert set(canal_places(maps, levels, none).values()) == {7}
    here = levels[Level.L1_L2]
    levels[Level.L1_L2] = here.moved_to(here.canal_lps_mm + 0.6 * STEP_MM * here.left)
    assert set(canal_places(maps, levels, none).values()) == {7}
    levels[Level.L1_L2] = here.moved_to(here.canal_lps_mm + 2.1 * STEP_MM * here.left)
    places = canal_places(maps, levels, none)
    assert places.pop(Level.L1_L2) == 9
    assert set(places.values()) == {7}
    assert set(canal_places(maps, levels, np.full((2, 5), 8.0)).values()) == {8}
    assert canal_places(maps, {}, none) == {}
