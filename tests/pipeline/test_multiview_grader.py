"""The multi-view grader with untrained weights: reasons, evidence, corrections, absent series."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.findings import Finding
from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.models.bundle import Bundle, BundleManifest, load_bundle, write_manifest, write_network
from napari_lumbar.models.multiview_transformer import MultiviewConfig, MultiviewTransformer
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.multiview_grader import MultiviewGrader
from napari_lumbar.pipeline.progress import CancelToken, Progress, ignore_progress

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
CONFIG = MultiviewConfig(
    shape=(7, 32, 64),
    encoder="resnet10t",
    encoder_options={"channels": (8, 8, 8, 16), "stem_width": 8},
    feedforward=32,
    layers=2,
)
CPU = torch.device("cpu")
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(11, SMALL)


def _bundle(folder: Path, config: MultiviewConfig = CONFIG, networks: int = 2) -> Bundle:
    folder.mkdir()
    entries = {}
    for i in range(networks):
        torch.manual_seed(i)
        network = MultiviewTransformer(config)
        # Untrained heads answer nearly the same to everything.
        network.grade.weight.data.mul_(20)
        name = f"grade_discs_{i}"
        entries[name] = write_network(folder, name, "multiview_transformer", config, network)
    manifest = BundleManifest(
        name="made", recipe="multiview_transformer", preset="tiny", networks=entries, training={}
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> MultiviewGrader:
    return MultiviewGrader(_bundle(tmp_path_factory.mktemp("bundles") / "two"), CPU)


def _grade(
    grader: MultiviewGrader, study: Study, landmarks: Landmarks, *keys: FindingKey
) -> dict[FindingKey, Finding]:
    return dict(grader.grade(study, landmarks, keys, ignore_progress, CancelToken()))


def test_every_finding_is_graded_with_weights_that_sum_to_one(
    grader: MultiviewGrader, phantom: PhantomStudy
) -> None:
    said: list[Progress] = []
    findings = grader.grade(phantom.study, phantom.landmarks, ALL_FINDINGS, said.append, CancelToken())
    assert list(findings) == list(ALL_FINDINGS)
    assert [p.fraction for p in said] == [0, 0.2, 0.4, 0.6, 0.8]
    for key, finding in findings.items():
        assert (finding.probs is None) == (key not in phantom.landmarks.points)
        if finding.probs is None:
            continue
        for role in {crop.role for crop in finding.evidence}:
            weights = [crop.weight for crop in finding.evidence if crop.role is role]
            assert sum(weights) == pytest.approx(1, abs=1e-5)
            assert 3 <= len(weights) <= 7


def test_evidence_lies_on_the_pixels_of_the_files(grader: MultiviewGrader, phantom: PhantomStudy) -> None:
    finding = _grade(grader, phantom.study, phantom.landmarks, LEFT)[LEFT]
    own = phantom.landmarks.points[LEFT]
    row, column = own.pixel_rc
    on_slice = [
        c for c in finding.evidence if (c.series_id, c.slice_index) == (own.series_id, own.slice_index)
    ]
    assert any(c.box_rc[0] < row < c.box_rc[2] and c.box_rc[1] < column < c.box_rc[3] for c in on_slice)
    for crop in finding.evidence:
        spacing = phantom.study.by_id(crop.series_id).slices[crop.slice_index].geometry.spacing_rc_mm
        size = np.subtract(crop.box_rc[2:], crop.box_rc[:2]) * spacing
        assert sorted(size) == pytest.approx([36, 72])
        assert crop.heatmap.min() >= 0
        assert crop.heatmap.max() <= 1


def test_asking_for_one_finding_gives_what_asking_for_all_gives(
    grader: MultiviewGrader, phantom: PhantomStudy
) -> None:
    everything = _grade(grader, phantom.study, phantom.landmarks, *ALL_FINDINGS)
    alone = _grade(grader, phantom.study, phantom.landmarks, CANAL)
    assert set(alone) == {CANAL}
    assert alone[CANAL].probs == everything[CANAL].probs


@pytest.mark.parametrize("group", list(ConditionGroup))
def test_a_moved_landmark_is_used(
    grader: MultiviewGrader, phantom: PhantomStudy, group: ConditionGroup
) -> None:
    key = next(k for k in phantom.landmarks.points if k.condition.group is group)
    moved = phantom.landmarks.replacing(_moved(phantom.study, phantom.landmarks.points[key]))
    before, after = (_grade(grader, phantom.study, where, key)[key] for where in (phantom.landmarks, moved))
    assert after.landmark == moved.points[key]
    assert before.probs != after.probs
    assert {c.box_rc for c in before.evidence} != {c.box_rc for c in after.evidence}


def _moved(study: Study, landmark: Landmark) -> Landmark:
    geometry = study.by_id(landmark.series_id).slices[landmark.slice_index].geometry
    row, column = landmark.pixel_rc
    point = vector3(geometry.lps_from_pixel((row + 5, column + 3)))
    return replace(landmark, point_lps_mm=point, pixel_rc=(row + 5, column + 3))


def test_series_that_are_absent_are_done_without(grader: MultiviewGrader, phantom: PhantomStudy) -> None:
    study = replace(
        phantom.study, series=tuple(s for s in phantom.study.series if s.role is not SeriesRole.SAGITTAL_T1)
    )
    findings = _grade(grader, study, phantom.landmarks, CANAL, LEFT)
    assert findings[CANAL].probs is not None
    assert {c.role for c in findings[CANAL].evidence} <= {SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2}
    why = findings[LEFT].not_gradable
    assert why is not None
    assert why.code == "no_series"
    assert "lies on no Sagittal T1 slice" in why.reason


def test_a_finding_without_landmark_says_so(grader: MultiviewGrader, phantom: PhantomStudy) -> None:
    points = {key: mark for key, mark in phantom.landmarks.points.items() if key != CANAL}
    findings = _grade(grader, phantom.study, Landmarks(points), CANAL, LEFT)
    assert findings[LEFT].probs is not None
    assert SeriesRole.SAGITTAL_T2 not in {c.role for c in findings[LEFT].evidence}
    why = findings[CANAL].not_gradable
    assert why is not None
    assert why.code == "no_landmark"


def test_a_network_of_one_series_grades_every_finding_from_it(tmp_path: Path, phantom: PhantomStudy) -> None:
    config = replace(CONFIG, roles=(SeriesRole.AXIAL_T2.value,))
    grader = MultiviewGrader(_bundle(tmp_path / "axial", config, networks=1), CPU)
    findings = _grade(grader, phantom.study, phantom.landmarks, CANAL, LEFT)
    for finding in findings.values():
        assert finding.probs is not None
        assert {c.role for c in finding.evidence} == {SeriesRole.AXIAL_T2}
    sagittal = tuple(s for s in phantom.study.series if s.role is not SeriesRole.AXIAL_T2)
    why = _grade(grader, replace(phantom.study, series=sagittal), phantom.landmarks, CANAL)[
        CANAL
    ].not_gradable
    assert why is not None
    assert why.reason.endswith("no Axial T2 slice shows this disc")


def test_grading_stops_when_it_is_asked_to(grader: MultiviewGrader, phantom: PhantomStudy) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        grader.grade(phantom.study, phantom.landmarks, [CANAL], ignore_progress, cancel)
