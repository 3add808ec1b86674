"""What a missing series is told as."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.landmarks import NotGradable
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.phantom import make_phantom
from napari_lumbar.pipeline.missing_series import no_series

T1, T2 = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2
WHY = "no Sagittal T1 series was found in the study"


@pytest.fixture(scope="module")
def study() -> Study:
    return make_phantom(3).study


def without(study: Study, role: SeriesRole) -> Study:
    return replace(study, series=tuple(s for s in study.series if s.role is not role))


def roleless(study: Study, role: SeriesRole) -> Study:
    series = tuple(s.given(None, "by hand") if s.role is role else s for s in study.series)
    return replace(study, series=series)


def test_where_nothing_is_left_there_is_nothing_to_do(study: Study) -> None:
    assert no_series(without(study, T1), T1) == NotGradable("no_series", WHY)


def test_a_series_without_a_role_is_pointed_out_if_it_lies_in_the_plane(study: Study) -> None:
    hint = "; if the series without a role in its plane is one, give it the role"
    assert no_series(roleless(study, T1), T1).reason == WHY + hint
    assert no_series(roleless(without(study, T1), SeriesRole.AXIAL_T2), T1).reason == WHY


def test_several_are_counted(study: Study) -> None:
    hint = "; if one of the 2 without a role is one, give it the role"
    assert no_series(roleless(roleless(study, T1), T2), T1).reason == WHY + hint
