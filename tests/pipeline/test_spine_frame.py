from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.spine import Level, Side
from napari_lumbar.domain.study import MRSlice
from napari_lumbar.pipeline.foramina import find_foramen
from napari_lumbar.pipeline.sagittal_maps import SagittalMaps
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
    point = find_foramen(maps, frame, side, votes)
    assert point.place == lateral[side]
    expected = maps.pixel_from_map(np.array([ROWS[3] - 2, CANAL_COLUMN - 1]))
    np.testing.assert_allclose(point.pixel_rc, expected, atol=2.5)


@pytest.mark.parametrize("side", Side)
def test_votes_for_the_wrong_side_cannot_carry_a_foramen_across(side: Side) -> None:
    maps = straight_spine()
    frame = find_spine(maps).levels[Level.L4_L5]
    wrong = np.array([3.0, 3.0]) if side is Side.LEFT else np.array([11.0, 11.0])
    place = find_foramen(maps, frame, side, wrong).place
    assert (place > 7) is (side is Side.LEFT)
