"""Where a person's landmark ends up in patient space."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.domain.landmarks import LandmarkSource
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.session import landmark_at, landmark_on_slice

KEY = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L1_L2)


def test_a_pixel_becomes_a_point_in_patient_space(small_study: Study) -> None:
    landmark = landmark_at(small_study.by_id("t2"), KEY, 3, (10, 20))
    # slice 3 lies at x = 0; columns run to posterior by 1.5 mm, rows to caudal by 2 mm
    assert landmark.point_lps_mm == pytest.approx((0.0, -48 + 30, 80 - 20))
    assert (landmark.source, landmark.confidence) == (LandmarkSource.CORRECTED, None)


@given(row=st.floats(-500, 500), column=st.floats(-500, 500))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_landmark_never_leaves_the_image(small_study: Study, row: float, column: float) -> None:
    series = small_study.by_id("ax")
    landmark = landmark_at(series, KEY, 14, (row, column))
    assert series.slices[14].geometry.contains(landmark.pixel_rc)


def test_moving_to_another_slice_keeps_the_place_in_the_plane(small_study: Study) -> None:
    series = small_study.by_id("t2")
    landmark = landmark_on_slice(series, landmark_at(series, KEY, 3, (10, 20)), 4)
    assert landmark.slice_index == 4
    assert landmark.point_lps_mm == pytest.approx((4.0, -18, 60))
