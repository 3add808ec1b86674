"""M-SCAN from a study to findings, with small networks that learnt nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.findings import Finding
from napari_lumbar.domain.landmarks import Dependence, Landmarks, dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.models.bundle import BundleManifest, write_manifest, write_network
from napari_lumbar.models.catalog import build_network
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.mscan_localizer import find_point
from napari_lumbar.pipeline.progress import CancelToken, Progress, ignore_progress
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.system import load_system
from napari_lumbar.training.recipes.mscan import RECIPE

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
CANALS = [FindingKey(Condition.SPINAL_CANAL_STENOSIS, level) for level in Level]
LEFT_RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(11, SMALL)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    """The tiny networks of two folds."""
    folder = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(1)
    entries = {}
    for stage in RECIPE.presets["tiny"]():
        for fold in range(2):
            name, network = f"{stage.name}_{fold}", build_network(stage.architecture, asdict(stage.config))
            entries[name] = write_network(folder, name, stage.architecture, stage.config, network)
    manifest = BundleManifest(name="m", recipe=RECIPE.name, preset="tiny", networks=entries, training={})
    write_manifest(folder, manifest)
    return load_system(Path(folder), "cpu")


def grade(
    system: System, study: Study, landmarks: Landmarks, keys: Sequence[FindingKey] = ALL_FINDINGS
) -> dict[FindingKey, Finding]:
    return dict(system.grader.grade(study, landmarks, keys, ignore_progress, CancelToken()))


def lacking(study: Study, role: SeriesRole) -> Study:
    return replace(study, series=tuple(one for one in study.series if one.role is not role))


def probs(findings: dict[FindingKey, Finding]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    graded = [findings[key].probs for key in CANALS]
    return np.array([one.as_tuple for one in graded if one is not None])


def test_every_finding_is_graded_or_says_why(system: System, phantom: PhantomStudy) -> None:
    findings = grade(system, phantom.study, phantom.landmarks)
    assert set(findings) == set(ALL_FINDINGS)
    for key, finding in findings.items():
        if key.condition.group is not ConditionGroup.CANAL:
            assert finding.not_gradable is not None
            assert finding.not_gradable.code == "canal_only"
            continue
        roles = [crop.role for crop in finding.evidence]
        assert roles == [SeriesRole.SAGITTAL_T2] + [SeriesRole.AXIAL_T2] * 3
        for role in set(roles):
            weights = [crop.weight for crop in finding.evidence if crop.role is role]
            assert sum(weights) == pytest.approx(1)


def test_boxes_lie_around_the_points_on_the_files(system: System, phantom: PhantomStudy) -> None:
    finding = grade(system, phantom.study, phantom.landmarks, CANALS[:1])[CANALS[0]]
    for crop in finding.evidence:
        geometry = phantom.study.by_id(crop.series_id).slices[crop.slice_index].geometry
        top, left, bottom, right = crop.box_rc
        middle = geometry.lps_from_pixel([(top + bottom) / 2, (left + right) / 2])
        distance = np.linalg.norm(middle - phantom.landmarks.points[CANALS[0]].point_lps_mm)
        assert distance < 20
        side = 52.2 if crop.role is SeriesRole.SAGITTAL_T2 else 79.2
        assert (bottom - top) * geometry.row_spacing_mm == pytest.approx(side, abs=0.1)


def test_without_axial_series_the_sagittal_crops_are_graded(system: System, phantom: PhantomStudy) -> None:
    findings = grade(system, lacking(phantom.study, SeriesRole.AXIAL_T2), phantom.landmarks)
    assert {crop.role for key in CANALS for crop in findings[key].evidence} == {SeriesRole.SAGITTAL_T2}
    assert np.isfinite(probs(findings)).all()
    assert len(probs(findings)) == len(Level)


def test_axial_points_are_regressed_where_no_recess_is_known(system: System, phantom: PhantomStudy) -> None:
    canal = Landmarks({key: phantom.landmarks.points[key] for key in CANALS})
    findings = grade(system, phantom.study, canal)
    assert len(probs(findings)) == len(Level)
    assert not np.allclose(probs(findings), probs(grade(system, phantom.study, phantom.landmarks)))


def test_a_missing_level_has_no_grade_and_the_others_do(system: System, phantom: PhantomStudy) -> None:
    points = {key: point for key, point in phantom.landmarks.points.items() if key != CANALS[2]}
    findings = grade(system, phantom.study, Landmarks(points))
    assert findings[CANALS[2]].not_gradable is not None
    assert len(probs(findings)) == len(Level) - 1


def test_one_finding_alone_is_graded_as_among_all(system: System, phantom: PhantomStudy) -> None:
    alone = grade(system, phantom.study, phantom.landmarks, [CANALS[3]])
    together = grade(system, phantom.study, phantom.landmarks)
    assert alone[CANALS[3]].probs == together[CANALS[3]].probs


def test_work_can_be_stopped(system: System, phantom: PhantomStudy) -> None:
    cancel = CancelToken()
    stages: list[str] = []

    def stop(progress: Progress) -> None:
        stages.append(progress.stage)
        cancel.cancel()

    with pytest.raises(Cancelled):
        system.grader.grade(phantom.study, phantom.landmarks, CANALS, stop, cancel)
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        system.localizer.locate(phantom.study, stop, cancel)
    assert len(stages) == 2


def test_the_localiser_answers_for_all_findings(system: System, phantom: PhantomStudy) -> None:
    found = system.localizer.locate(phantom.study, ignore_progress, CancelToken())
    assert set(found.points) | set(found.missing) == set(ALL_FINDINGS)
    assert {key for key, why in found.missing.items() if why.code == "canal_only"} == set(ALL_FINDINGS) - set(
        CANALS
    )
    for landmark in found:
        geometry = phantom.study.by_id(landmark.series_id).slices[landmark.slice_index].geometry
        np.testing.assert_allclose(
            geometry.lps_from_pixel(landmark.pixel_rc), landmark.point_lps_mm, atol=1e-3
        )


def test_without_sagittal_t2_there_is_a_reason(system: System, phantom: PhantomStudy) -> None:
    study = lacking(phantom.study, SeriesRole.SAGITTAL_T2)
    found = system.localizer.locate(study, ignore_progress, CancelToken())
    assert {found.missing[key].code for key in CANALS} == {"no_series"}
    assert grade(system, study, found)[CANALS[0]].not_gradable == found.missing[CANALS[0]]


def maps(size: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = np.array([0.2, 0.7, 0.3], np.float32)
    boxes = np.tile(np.array([0.4, 0.4, 0.6, 0.6], np.float32), (3, 1))
    blobs = np.zeros((3, size, size), np.float32)
    blobs[1, 18:21, 20:23] = 0.8  # in the box of the best slice
    blobs[1, 19, 21] = 0.9
    blobs[1, 2:5, 2:5] = 1.0  # somewhere else
    return scores, boxes, blobs


def test_the_detector_chooses_the_slice_and_the_unet_the_point_in_its_box() -> None:
    point = find_point(*maps())
    assert point is not None
    assert point.slice_index == 1
    np.testing.assert_allclose(point.fraction_rc, (19.5 / 40, 21.5 / 40))
    assert point.confidence == pytest.approx(0.7)


def test_one_network_alone_finds_a_point_that_is_trusted_less() -> None:
    scores, boxes, blobs = maps()
    box_only = find_point(scores, boxes, np.zeros_like(blobs))
    blob_only = find_point(np.zeros_like(scores), boxes, blobs)
    assert box_only is not None
    assert blob_only is not None
    np.testing.assert_allclose(box_only.fraction_rc, (0.5, 0.5))
    assert box_only.confidence == pytest.approx(0.35)
    np.testing.assert_allclose(blob_only.fraction_rc, (3.5 / 40, 3.5 / 40))
    assert find_point(np.zeros_like(scores), boxes, np.zeros_like(blobs)) is None


def test_any_moved_landmark_makes_every_grade_stale(system: System) -> None:
    assert system.grader.dependence is Dependence.STUDY
    assert dependent_findings(LEFT_RECESS, Dependence.STUDY) == set(ALL_FINDINGS)
