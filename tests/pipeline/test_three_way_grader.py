"""The three-way grader with untrained weights: reasons, evidence, missing series, candidates."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.bundle import Bundle, BundleManifest, load_bundle, write_manifest, write_network
from napari_lumbar.models.three_way import ThreeWay, ThreeWayConfig
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.progress import CancelToken, Progress, ignore_progress
from napari_lumbar.pipeline.three_way_grader import ThreeWayGrader

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
CONFIG = ThreeWayConfig(
    size=48,
    image="timm",
    image_options={"channels": (8, 8, 8, 16), "stem_width": 8},
    joint_width=8,
    hidden=16,
)
UNET = replace(CONFIG, image="unet3d", image_options={"widths": (4, 8)}, slices=5)
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
CLIP = replace(CONFIG, image="clip", image_options={**SIZES, "patch_size": 16})
CPU = torch.device("cpu")
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
RIGHT = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(11, SMALL)


def _bundle(folder: Path, config: ThreeWayConfig = CONFIG, networks: int = 2) -> Bundle:
    entries = {}
    for i in range(networks):
        torch.manual_seed(i)
        name = f"grade_findings_{i}"
        entries[name] = write_network(folder, name, "three_way", config, ThreeWay(config))
    write_manifest(
        folder,
        BundleManifest(name="made", recipe="three_way", preset="tiny", networks=entries, training={}),
    )
    return load_bundle(folder)


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> ThreeWayGrader:
    return ThreeWayGrader(_bundle(tmp_path_factory.mktemp("made")), CPU)


def test_every_finding_is_graded_with_weights_that_sum_to_one(
    grader: ThreeWayGrader, phantom: PhantomStudy
) -> None:
    said: list[Progress] = []
    findings = grader.grade(phantom.study, phantom.landmarks, ALL_FINDINGS, said.append, CancelToken())
    assert list(findings) == list(ALL_FINDINGS)
    assert len(said) == 25
    for key, finding in findings.items():
        assert (finding.probs is None) == (key not in phantom.landmarks.points)
        if finding.probs is None:
            continue
        for role in {crop.role for crop in finding.evidence}:
            weights = [crop.weight for crop in finding.evidence if crop.role is role]
            assert sum(weights) == pytest.approx(1)
            assert 2 <= len(weights) <= 3
        for crop in finding.evidence:
            geometry = phantom.study.by_id(crop.series_id).slices[crop.slice_index].geometry
            top, left, bottom, right = crop.box_rc
            assert (bottom - top) * geometry.row_spacing_mm == pytest.approx(60)
            assert (right - left) * geometry.column_spacing_mm == pytest.approx(60)
            assert 0 <= crop.heatmap.min() <= crop.heatmap.max() <= 1


def test_the_crop_of_the_mark_lies_around_it(grader: ThreeWayGrader, phantom: PhantomStudy) -> None:
    finding = grader.grade(phantom.study, phantom.landmarks, [RIGHT], ignore_progress, CancelToken())[RIGHT]
    mark = phantom.landmarks.points[RIGHT]
    own = [c for c in finding.evidence if (c.series_id, c.slice_index) == (mark.series_id, mark.slice_index)]
    (top, left, bottom, right) = own[0].box_rc
    assert ((top + bottom) / 2, (left + right) / 2) == pytest.approx(mark.pixel_rc, abs=1e-3)


def test_series_that_are_absent_are_masked_but_for_the_mark_s_own(
    grader: ThreeWayGrader, phantom: PhantomStudy
) -> None:
    series = tuple(s for s in phantom.study.series if s.role is not SeriesRole.SAGITTAL_T1)
    study = replace(phantom.study, series=series)
    marked = [key for key in ALL_FINDINGS if key in phantom.landmarks.points]
    findings = grader.grade(study, phantom.landmarks, marked, ignore_progress, CancelToken())
    for key, finding in findings.items():
        if key.condition.group is ConditionGroup.FORAMINAL:
            assert finding.not_gradable is not None
            assert finding.not_gradable.code == "no_series"
            assert "has no role in this study" in finding.not_gradable.reason
        else:
            assert finding.probs is not None
            assert SeriesRole.SAGITTAL_T1 not in {crop.role for crop in finding.evidence}
    nowhere = grader.grade(study, Landmarks(), [CANAL], ignore_progress, CancelToken())[CANAL]
    assert nowhere.not_gradable is not None
    assert nowhere.not_gradable.code == "no_landmark"


@pytest.mark.parametrize(("config", "needed"), [(UNET, False), (CLIP, True)], ids=["unet3d", "clip"])
def test_candidates_grade_and_only_clip_needs_transformers(
    tmp_path: Path,
    phantom: PhantomStudy,
    config: ThreeWayConfig,
    needed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not needed:
        monkeypatch.setitem(sys.modules, "transformers", None)
    grader = ThreeWayGrader(_bundle(tmp_path, config, networks=1), CPU)
    finding = grader.grade(phantom.study, phantom.landmarks, [CANAL], ignore_progress, CancelToken())[CANAL]
    assert finding.probs is not None
    assert {crop.heatmap.ndim for crop in finding.evidence} == {2}


def test_grading_stops_when_it_is_asked_to(grader: ThreeWayGrader, phantom: PhantomStudy) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        grader.grade(phantom.study, phantom.landmarks, [CANAL], ignore_progress, cancel)
