"""How far a localiser misses, and how crops are moved by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.training.misses import misses_of, random_jitter

SMALL = PhantomConfig(sagittal_matrices=(64,), axial_matrices=(64,), voxel_mm=3.0)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
RECESS = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, Side.LEFT), Level.L3_L4)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(4, SMALL)


def test_a_miss_is_measured_in_the_plane_and_in_slices(phantom: PhantomStudy) -> None:
    true = phantom.landmarks.points[CANAL]
    series = phantom.study.by_id(true.series_id)
    neighbour = series.slices[true.slice_index + 1].geometry
    down, back = (np.array(axis) for axis in (neighbour.along_column, neighbour.along_row))
    place = neighbour.lps_from_pixel(true.pixel_rc) + 3.0 * down - 2.0 * back
    found = replace(true, point_lps_mm=tuple(place), slice_index=true.slice_index + 1)
    measured = misses_of(Landmarks({CANAL: found}), phantom.landmarks, phantom.study.series)
    np.testing.assert_allclose(measured[ConditionGroup.CANAL], [[3.0, -2.0, 1.0]], atol=1e-6)
    assert measured[ConditionGroup.SUBARTICULAR].shape == (0, 3)


def test_a_landmark_on_another_series_is_no_miss(phantom: PhantomStudy) -> None:
    true = phantom.landmarks.points[RECESS]
    found = Landmarks({RECESS: replace(true, series_id="another")})
    assert len(misses_of(found, phantom.landmarks, phantom.study.series)[ConditionGroup.SUBARTICULAR]) == 0


def test_crops_are_moved_as_was_measured_and_now_and_then_far() -> None:
    rng = np.random.default_rng(3)
    drawn = [random_jitter(rng, np.array([[2.0, -4.0, 1.0]])) for _ in range(400)]
    moved = [(j.rows_mm, j.columns_mm, j.slices) for j in drawn]
    assert 0.93 < np.mean([m == (2.0, -4.0, 1) for m in moved]) < 1.0


def test_without_a_measured_miss_crops_move_all_the_same() -> None:
    rng = np.random.default_rng(3)
    drawn = [random_jitter(rng, np.zeros((0, 3))) for _ in range(400)]
    assert 4.0 < np.std([j.rows_mm for j in drawn]) < 6.0
    assert {j.slices for j in drawn} == {-2, -1, 0, 1, 2}
