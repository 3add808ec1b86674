"""The test phantom: deterministic, with true landmarks, and with the rare spines it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.phantom import PhantomStudy
from napari_lumbar.phantom.holdout import TestPhantomConfig, make_test_phantom
from napari_lumbar.phantom.tissue import Tissue

SMALL = {"sagittal_matrices": (128,), "axial_matrices": (128,)}
ONE = frozenset({SeriesRole.SAGITTAL_T2})
ROLES = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
    ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
}


def _config(**options: object) -> TestPhantomConfig:
    return TestPhantomConfig(**{**SMALL, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_test_phantom(21, _config(transitional="none", cobb_deg=3.0))


def _tissue_at(phantom: PhantomStudy, key: FindingKey) -> int:
    mark = phantom.landmarks.points[key]
    row, column = np.rint(mark.pixel_rc).astype(int)
    return int(phantom.tissues[mark.series_id][mark.slice_index][row, column])


def test_same_seed_gives_the_same_study(phantom: PhantomStudy) -> None:
    again = make_test_phantom(21, _config(transitional="none", cobb_deg=3.0))
    assert again.landmarks.points == phantom.landmarks.points
    assert again.severities == phantom.severities
    assert again.narrowness == phantom.narrowness
    for one, other in zip(again.study.series, phantom.study.series, strict=True):
        assert one.series_id == other.series_id
        assert all((a.pixels == b.pixels).all() for a, b in zip(one.slices, other.slices, strict=True))


def test_numbers_are_a_range_of_their_own(phantom: PhantomStudy) -> None:
    assert phantom.study.study_id == "2000000021"
    assert all(7_000_000_063 <= int(s.series_id) <= 7_000_000_065 for s in phantom.study.series)


def test_every_finding_is_marked_on_the_series_readers_use(phantom: PhantomStudy) -> None:
    assert set(phantom.landmarks.points) == set(ALL_FINDINGS)
    for mark in phantom.landmarks:
        series = phantom.study.by_id(mark.series_id)
        assert series.role is ROLES[mark.key.condition.group]
        geometry = series.slices[mark.slice_index].geometry
        assert geometry.contains(mark.pixel_rc)
        assert abs(float(geometry.signed_distance_mm(mark.point_lps_mm))) < 1e-6


def test_canal_points_lie_in_the_sac(phantom: PhantomStudy) -> None:
    contents = {Tissue.CSF, Tissue.ROOTS, Tissue.CORD, Tissue.EPIDURAL_FAT}
    for level in Level:
        assert _tissue_at(phantom, FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)) in contents


def test_left_is_the_patients_left(phantom: PhantomStudy) -> None:
    points = {key: mark.point_lps_mm for key, mark in phantom.landmarks.points.items()}
    for group, least_mm in ((ConditionGroup.FORAMINAL, 24), (ConditionGroup.SUBARTICULAR, 12)):
        for level in Level:
            left, right = (points[FindingKey(Condition.of(group, side), level)][0] for side in Side)
            assert left > right + least_mm


def test_slices_run_right_to_left_and_downwards(phantom: PhantomStudy) -> None:
    for series in phantom.study.series:
        if series.role is SeriesRole.AXIAL_T2:
            for stack in series.stacks:
                heights = [s.geometry.centre_lps_mm[2] for s in stack.slices]
                assert heights == sorted(heights, reverse=True)
        else:
            assert (np.diff(series.positions_lps_mm[:, 0]) > 0).all()


def test_disc_centres_lie_in_their_discs(phantom: PhantomStudy) -> None:
    series = phantom.study.first(SeriesRole.SAGITTAL_T2)
    assert series is not None
    assert list(phantom.disc_centres_lps_mm) == ["T12/L1", *(level.value for level in Level)]
    for point in phantom.disc_centres_lps_mm.values():
        index = series.nearest_slice_index(point)
        row, column = np.rint(series.slices[index].geometry.pixel_from_lps(point)).astype(int)
        around = phantom.tissues[series.series_id][index][row - 1 : row + 2, column - 1 : column + 2]
        assert {Tissue.DISC_NUCLEUS, Tissue.DISC_ANNULUS} & set(around.ravel())


def test_fluid_is_bright_on_t2_and_dark_on_t1(phantom: PhantomStudy) -> None:
    means = {}
    for series in phantom.study.series:
        labels = np.stack(phantom.tissues[series.series_id])
        pixels = np.stack([s.pixels for s in series.slices])
        means[series.role] = pixels[labels == Tissue.CSF].mean() / pixels[labels == Tissue.VERTEBRA].mean()
    assert means[SeriesRole.SAGITTAL_T1] < 0.8
    assert means[SeriesRole.SAGITTAL_T2] > 1.5
    assert means[SeriesRole.AXIAL_T2] > 1.5


@pytest.mark.parametrize("role", list(SeriesRole))
def test_a_missing_series_takes_its_landmarks_along(role: SeriesRole) -> None:
    made = make_test_phantom(4, _config(roles=frozenset(SeriesRole) - {role}, transitional="none"))
    assert {s.role for s in made.study.series} == frozenset(SeriesRole) - {role}
    lost = {key for key in ALL_FINDINGS if ROLES[key.condition.group] is role}
    assert {key: why.code for key, why in made.landmarks.missing.items()} == dict.fromkeys(lost, "no_series")


def test_a_thoracolumbar_field_ends_above_the_lowest_disc() -> None:
    made = make_test_phantom(9, _config(field="thoracolumbar", transitional="none"))
    lowest = {key for key in ALL_FINDINGS if key.level is Level.L5_S1}
    assert dict.fromkeys(lowest, "outside_field") == {k: w.code for k, w in made.landmarks.missing.items()}
    assert set(made.severities) == set(ALL_FINDINGS)


def test_six_lumbar_vertebrae_are_counted_from_below() -> None:
    five, six = (
        make_test_phantom(9, _config(transitional=kind, cobb_deg=0.0, roles=ONE)) for kind in ("none", "l6")
    )
    assert list(six.disc_centres_lps_mm) == list(five.disc_centres_lps_mm)
    assert len(six.other_disc_centres_lps_mm) == len(five.other_disc_centres_lps_mm) + 1
    assert {why.code for why in six.landmarks.missing.values()} == {"no_series"}


def test_a_sacralised_vertebra_has_a_low_disc() -> None:
    def disc_share(kind: str) -> float:
        made = make_test_phantom(9, _config(transitional=kind, roles=ONE))
        (series,) = made.study.series
        point = made.disc_centres_lps_mm["L5/S1"]
        index = series.nearest_slice_index(point)
        row, column = np.rint(series.slices[index].geometry.pixel_from_lps(point)).astype(int)
        near = made.tissues[series.series_id][index][row - 5 : row + 6, column - 5 : column + 6]
        return float(np.isin(near, (Tissue.DISC_ANNULUS, Tissue.DISC_NUCLEUS)).mean())

    assert disc_share("sacralised") < 0.6 * disc_share("none")


def test_a_curved_spine_leans_by_its_angle() -> None:
    made = make_test_phantom(9, _config(cobb_deg=30.0, transitional="none"))
    points = np.array(list(made.disc_centres_lps_mm.values()))
    lean = np.degrees(np.arctan2(*np.diff(points, axis=0)[:, [0, 2]].T))
    assert 15 < np.ptp(np.unwrap(np.radians(lean)) * 180 / np.pi) < 32
    assert made.landmarks.missing == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": frozenset()}, "at least one series"),
        ({"axial_matrices": (32,)}, "matrix 32 must be at least 64"),
        ({"cobb_deg": 80.0}, "cobb_deg 80.0 must lie within 0..60"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _config(**options)


def test_seed_must_number_a_study() -> None:
    with pytest.raises(ValueError, match=r"seed -1 must lie within 0..999999999"):
        make_test_phantom(-1)
