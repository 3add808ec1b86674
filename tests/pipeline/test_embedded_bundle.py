"""The embedded bundle on a phantom nobody trained on, from DICOM files to findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_lumbar.dicom import read_study
from napari_lumbar.domain.errors import BundleError, Cancelled, ProposalError
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.landmarks import Landmarks, LandmarkSource
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.phantom import PhantomStudy, make_phantom, write_study
from napari_lumbar.pipeline import System, load_system
from napari_lumbar.pipeline.progress import CancelToken, Progress, ProgressCallback
from napari_lumbar.pipeline.run import analyze, propose_recesses, regrade
from napari_lumbar.preprocess.planes import PLANES

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture(scope="module")
def system() -> System:
    return load_system(None, "cpu")


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(2_000_000)


@pytest.fixture(scope="module")
def study(phantom: PhantomStudy, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("dicom") / phantom.study.study_id
    write_study(phantom, folder)
    return read_study(folder)


@pytest.fixture(scope="module")
def analysis(study: Study, system: System) -> Analysis:
    return analyze(study, system)


def distance(analysis: Analysis, phantom: PhantomStudy, key: FindingKey, truth_key: FindingKey) -> float:
    found, truth = analysis.landmarks.points[key], phantom.landmarks.points[truth_key]
    return float(np.linalg.norm(np.subtract(found.point_lps_mm, truth.point_lps_mm)))


def test_all_landmarks_are_found_near_their_truth(analysis: Analysis, phantom: PhantomStudy) -> None:
    errors = [distance(analysis, phantom, key, key) for key in ALL_FINDINGS]
    assert np.median(errors) <= 4


def test_no_landmark_carries_another_levels_name_or_side(analysis: Analysis, phantom: PhantomStudy) -> None:
    for key in ALL_FINDINGS:
        levels = {lv: distance(analysis, phantom, key, FindingKey(key.condition, lv)) for lv in Level}
        assert min(levels, key=lambda lv: levels[lv]) is key.level
        side = key.condition.side
        if side is not None:
            mirror = FindingKey(Condition.of(key.condition.group, side.opposite), key.level)
            assert distance(analysis, phantom, key, key) < distance(analysis, phantom, key, mirror)


def test_left_is_the_patients_left(analysis: Analysis) -> None:
    for group in (ConditionGroup.FORAMINAL, ConditionGroup.SUBARTICULAR):
        for level in Level:
            left, right = (
                analysis.landmarks.points[FindingKey(Condition.of(group, side), level)].point_lps_mm[0]
                for side in (Side.LEFT, Side.RIGHT)
            )
            assert left > right


def test_every_finding_is_graded_with_evidence_of_each_plane(analysis: Analysis) -> None:
    for key, finding in analysis.findings.items():
        assert finding.probs is not None
        planes: dict[SeriesRole, float] = {}
        for crop in finding.evidence:
            planes[crop.role] = planes.get(crop.role, 0.0) + crop.weight
            assert crop.heatmap.ndim == 2
            assert 0 <= crop.heatmap.min() <= crop.heatmap.max() <= 1
        assert len(planes) == len(PLANES[key.condition.group])
        assert all(total == pytest.approx(1, abs=1e-3) for total in planes.values())


def test_a_crop_stands_once_in_the_evidence(analysis: Analysis) -> None:
    """The canal is looked at with either side's axial crop, but its sagittal crops are the same."""
    for finding in analysis.findings.values():
        places = [(c.series_id, c.slice_index, c.box_rc) for c in finding.evidence]
        assert len(places) == len(set(places))
    canal = [c for c in analysis.findings[CANAL].evidence if c.role is SeriesRole.SAGITTAL_T2]
    assert len(canal) == 5


def test_crop_boxes_hold_their_landmark(analysis: Analysis) -> None:
    for finding in analysis.findings.values():
        assert finding.landmark is not None
        row, column = finding.landmark.pixel_rc
        own = [c for c in finding.evidence if c.series_id == finding.landmark.series_id]
        assert own
        for crop in own:
            top, left, bottom, right = crop.box_rc
            assert top < row < bottom
            assert left < column < right


def test_regrading_grades_what_was_asked_for_and_sees_the_moved_point(
    study: Study, system: System, analysis: Analysis
) -> None:
    point = analysis.landmarks.points[CANAL]
    same = regrade(study, system, analysis.landmarks, [CANAL])
    assert set(same) == {CANAL}
    assert same[CANAL].probs == analysis.findings[CANAL].probs
    moved = replace(
        point,
        point_lps_mm=vector3(np.add(point.point_lps_mm, (0, 0, 20))),
        source=LandmarkSource.CORRECTED,
    )
    again = regrade(study, system, analysis.landmarks.replacing(moved), [CANAL])[CANAL]
    assert again.probs != analysis.findings[CANAL].probs
    assert again.landmark is not None
    assert again.landmark.source is LandmarkSource.CORRECTED


def mirrored_storage(series: MRSeries) -> MRSeries:
    """The same patient, every image stored with its columns the other way round."""

    def turn(mr_slice: MRSlice) -> MRSlice:
        g = mr_slice.geometry
        corner = vector3(g.lps_from_pixel((0, g.columns - 1)))
        turned = replace(g, position_lps_mm=corner, along_row=vector3(-np.array(g.along_row)))
        return replace(mr_slice, geometry=turned, pixels=mr_slice.pixels[:, ::-1])

    stacks = tuple(SliceStack(tuple(turn(s) for s in stack.slices)) for stack in series.stacks)
    return replace(series, stacks=stacks)


def test_how_images_are_stored_changes_nothing(study: Study, system: System, analysis: Analysis) -> None:
    turned = replace(study, series=tuple(mirrored_storage(s) for s in study.series))
    other = analyze(turned, system)
    for key in ALL_FINDINGS:
        here, there = analysis.landmarks.points[key], other.landmarks.points[key]
        np.testing.assert_allclose(here.point_lps_mm, there.point_lps_mm, atol=1e-3)
        first, second = analysis.findings[key].probs, other.findings[key].probs
        assert first is not None
        assert second is not None
        np.testing.assert_allclose(first.as_tuple, second.as_tuple, atol=1e-4)


def test_every_grade_says_how_sure_it_is(analysis: Analysis) -> None:
    for finding in analysis.findings.values():
        certainty = finding.certainty
        assert certainty.prediction_set is not None
        assert certainty.spread is not None
        assert certainty.strangeness is not None
        # The severity named is never ruled out.
        assert finding.severity in certainty.prediction_set
        assert 0 < certainty.spread <= 1
        assert certainty.strangeness > 0


def moved_left(series: MRSeries, by_mm: float) -> MRSeries:
    def move(mr_slice: MRSlice) -> MRSlice:
        position = vector3(np.add(mr_slice.geometry.position_lps_mm, (by_mm, 0, 0)))
        return replace(mr_slice, geometry=replace(mr_slice.geometry, position_lps_mm=position))

    stacks = tuple(SliceStack(tuple(move(s) for s in stack.slices)) for stack in series.stacks)
    return replace(series, stacks=stacks)


def test_a_patient_who_moved_before_the_axial_series_keeps_the_sagittal_points(
    study: Study, system: System, analysis: Analysis
) -> None:
    by_mm = 6.0
    shifted = tuple(moved_left(s, by_mm) if s.role is SeriesRole.AXIAL_T2 else s for s in study.series)
    found = system.localizer.locate(replace(study, series=shifted), lambda _: None, CancelToken())
    for key, landmark in found.points.items():
        before = analysis.landmarks.points[key].point_lps_mm[0]
        if key.condition.group is ConditionGroup.SUBARTICULAR:
            assert landmark.point_lps_mm[0] - before == pytest.approx(by_mm, abs=2.5)
        else:
            assert landmark.point_lps_mm[0] == pytest.approx(before, abs=1e-6)


def test_members_of_an_ensemble_can_be_asked_alone(study: Study, analysis: Analysis) -> None:
    """So that a patient is read only by networks that never saw them."""
    alone = load_system(None, "cpu", {"sagittal": ("sagittal_0",)})
    found = alone.localizer.locate(study, lambda _: None, CancelToken())
    apart = [
        np.subtract(found.points[key].point_lps_mm, analysis.landmarks.points[key].point_lps_mm)
        for key in found.points
    ]
    assert 0 < np.median(np.linalg.norm(apart, axis=1)) < 5
    with pytest.raises(BundleError, match="sagittal_9"):
        load_system(None, "cpu", {"sagittal": ("sagittal_9",)})


def without(study: Study, role: SeriesRole) -> Study:
    return replace(study, series=tuple(s for s in study.series if s.role is not role))


@pytest.mark.parametrize(
    ("role", "group"),
    [
        (SeriesRole.SAGITTAL_T1, ConditionGroup.FORAMINAL),
        (SeriesRole.SAGITTAL_T2, ConditionGroup.CANAL),
        (SeriesRole.AXIAL_T2, ConditionGroup.SUBARTICULAR),
    ],
)
def test_what_needs_a_missing_series_says_so_and_gets_no_grade(
    study: Study, system: System, role: SeriesRole, group: ConditionGroup
) -> None:
    analysis = analyze(without(study, role), system)
    for key, finding in analysis.findings.items():
        if key.condition.group is group:
            assert finding.probs is None
            assert finding.not_gradable is not None
            assert finding.not_gradable.code == "no_series"
            assert role.value in finding.not_gradable.reason
    assert any(f.probs for k, f in analysis.findings.items() if k.condition.group is not group)


def test_without_sagittal_series_nothing_is_named(study: Study, system: System) -> None:
    axial_only = without(without(study, SeriesRole.SAGITTAL_T1), SeriesRole.SAGITTAL_T2)
    analysis = analyze(axial_only, system)
    assert len(analysis.landmarks) == 0
    assert {f.not_gradable.code for f in analysis.findings.values() if f.not_gradable} == {
        "no_sagittal_series"
    }


def test_work_stops_where_it_is_asked_to(study: Study, system: System) -> None:
    cancel = CancelToken()
    stages: list[str] = []

    def stop_at_recesses(progress: Progress) -> None:
        stages.append(progress.stage)
        if "recesses" in progress.stage:
            cancel.cancel()

    with pytest.raises(Cancelled):
        analyze(study, system, stop_at_recesses, cancel)
    assert not any(stage.startswith("grading") for stage in stages)


def test_side_points_are_proposed_where_the_canal_point_was_put(
    study: Study, system: System, analysis: Analysis
) -> None:
    points = analysis.landmarks.points
    above = points[FindingKey(CANAL.condition, Level.L3_L4)]
    proposed = propose_recesses(study, system, replace(above, key=CANAL))
    assert {landmark.key.condition.side for landmark in proposed} == set(Side)
    for landmark in proposed:
        assert (landmark.key.level, landmark.source) == (CANAL.level, LandmarkSource.PROPAGATED)
        there = points[FindingKey(landmark.key.condition, Level.L3_L4)]
        assert (landmark.series_id, landmark.slice_index) == (there.series_id, there.slice_index)
        assert np.linalg.norm(np.subtract(landmark.point_lps_mm, there.point_lps_mm)) < 3


class CanalOnly:
    """A localiser that never looks for recesses."""

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        return Landmarks()


def test_nothing_is_proposed_where_no_axial_slice_is_near(
    study: Study, system: System, analysis: Analysis
) -> None:
    canal = analysis.landmarks.points[CANAL]
    x, y, z = canal.point_lps_mm
    far = replace(canal, point_lps_mm=(x, y, z + 500.0))
    with pytest.raises(ProposalError, match="within 8 mm of the canal point of L4/L5; move its side points"):
        propose_recesses(study, system, far)
    other = replace(system, localizer=CanalOnly())
    with pytest.raises(ProposalError, match="finds no side points; move those of L4/L5 by hand"):
        propose_recesses(study, other, canal)


def test_the_bundle_is_small_and_its_card_honest(system: System) -> None:
    from napari_lumbar.models.bundle import default_bundle_path

    files = list(Path(default_bundle_path()).iterdir())
    assert sum(f.stat().st_size for f in files) < 40e6
    assert "No grade of a real patient was ever seen" in (default_bundle_path() / "MODEL_CARD.md").read_text()
    assert system.bundle_sha256
