"""The grader of one network per sequence with untrained weights: reasons, evidence, sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, ConditionGroup
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.bundle import (
    Bundle,
    BundleManifest,
    NetworkEntry,
    load_bundle,
    write_manifest,
    write_network,
)
from napari_lumbar.models.sequence_efficientnet import SequenceConfig, SequenceEfficientNet
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.judge import NO_PROBABILITIES
from napari_lumbar.pipeline.progress import CancelToken, Progress, ignore_progress
from napari_lumbar.pipeline.sequence_grader import SequenceGrader

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
CONFIG = SequenceConfig(
    size=64,
    encoder="resnet10t",
    encoder_options={"channels": (8, 8, 8, 16), "stem_width": 8},
    heatmap_layer="layer3",
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(11, SMALL)


def _bundle(folder: Path, config: SequenceConfig = CONFIG) -> Bundle:
    entries: dict[str, NetworkEntry] = {}
    for name in ("grade_canal_0", "grade_canal_1", "grade_foraminal", "grade_subarticular"):
        torch.manual_seed(len(entries))
        entries[name] = write_network(
            folder, name, "sequence_efficientnet", config, SequenceEfficientNet(config)
        )
    manifest = BundleManifest(
        name="made", recipe="sequence_efficientnet", preset="tiny", networks=entries, training={}
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> SequenceGrader:
    return SequenceGrader(_bundle(tmp_path_factory.mktemp("made")), CPU)


def test_every_finding_is_graded_from_its_own_slice(grader: SequenceGrader, phantom: PhantomStudy) -> None:
    said: list[Progress] = []
    findings = grader.grade(phantom.study, phantom.landmarks, ALL_FINDINGS, said.append, CancelToken())
    assert list(findings) == list(ALL_FINDINGS)
    assert said
    for key, finding in findings.items():
        assert (finding.probs is None) == (key not in phantom.landmarks.points)
        if finding.probs is None:
            continue
        mark = phantom.landmarks.points[key]
        (crop,) = finding.evidence
        assert (crop.series_id, crop.slice_index, crop.weight) == (mark.series_id, mark.slice_index, 1.0)
        geometry = phantom.study.by_id(crop.series_id).slices[crop.slice_index].geometry
        assert crop.box_rc == pytest.approx((-0.5, -0.5, geometry.rows - 0.5, geometry.columns - 0.5))
        assert 0 <= crop.heatmap.min() <= crop.heatmap.max() <= 1
        assert finding.certainty.spread is not None
        assert (finding.certainty.spread > 0) == (key.condition.group is ConditionGroup.CANAL)


def test_a_window_lies_around_the_landmark(tmp_path: Path, phantom: PhantomStudy) -> None:
    grader = SequenceGrader(_bundle(tmp_path, replace(CONFIG, window_mm=60.0)), CPU)
    keys = list(phantom.landmarks.points)
    findings = grader.grade(phantom.study, phantom.landmarks, keys, ignore_progress, CancelToken())
    for key, finding in findings.items():
        (crop,) = finding.evidence
        top, left, bottom, right = crop.box_rc
        centre = (top + bottom) / 2, (left + right) / 2
        assert centre == pytest.approx(phantom.landmarks.points[key].pixel_rc, abs=1e-3)


def test_what_is_missing_is_said(grader: SequenceGrader, phantom: PhantomStudy) -> None:
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
    nowhere = grader.grade(study, Landmarks(), marked[:1], ignore_progress, CancelToken())[marked[0]]
    assert nowhere.not_gradable is not None
    assert nowhere.not_gradable.code == "no_landmark"


def test_grading_stops_when_it_is_asked_to(grader: SequenceGrader, phantom: PhantomStudy) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        grader.grade(phantom.study, phantom.landmarks, ALL_FINDINGS, ignore_progress, cancel)


def test_a_network_that_answers_nan_grades_nothing(tmp_path: Path, phantom: PhantomStudy) -> None:
    grader = SequenceGrader(_bundle(tmp_path), CPU)
    for network in grader._ensembles[ConditionGroup.CANAL]:
        next(network.parameters()).fill_(float("nan"))
    keys = list(phantom.landmarks.points)
    findings = grader.grade(phantom.study, phantom.landmarks, keys, ignore_progress, CancelToken())
    for key, finding in findings.items():
        assert (finding.severity is None) == (key.condition.group is ConditionGroup.CANAL)
        assert finding.probs or finding.not_gradable == NO_PROBABILITIES
