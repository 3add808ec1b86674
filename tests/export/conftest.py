"""A small hand-made study with one result: 23 graded, one corrected point, two findings without a grade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.findings import (
    Analysis,
    Certainty,
    CropEvidence,
    Finding,
    GradeSource,
    Override,
    Provenance,
    SeriesUse,
    SeverityProbs,
)
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import ABSENT, RENAMED, Landmark, Landmarks, LandmarkSource, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Severity
from napari_lumbar.domain.study import (
    FileAccounting,
    FileOutcome,
    FileRecord,
    MRSeries,
    MRSlice,
    SeriesRole,
    SliceStack,
    Study,
)

NOT_COVERED = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L1_L2)
NO_GRADE = FindingKey(Condition.RIGHT_NEURAL_FORAMINAL_NARROWING, Level.L5_S1)
OPEN = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L2_L3)
STRANGE = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L3_L4)
CORRECTED = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
MARKED_ABSENT = NotGradable(ABSENT, "marked absent by the reader")
AXES = {
    True: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -4.0)),
    False: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (4.0, 0.0, 0.0)),
}
SERIES_OF_GROUP = {
    ConditionGroup.CANAL: ("t2", SeriesRole.SAGITTAL_T2),
    ConditionGroup.FORAMINAL: ("t1", SeriesRole.SAGITTAL_T1),
    ConditionGroup.SUBARTICULAR: ("ax", SeriesRole.AXIAL_T2),
}


def make_series(series_id: str, role: SeriesRole) -> MRSeries:
    """Six 40 x 20 slices, 4 mm apart, numbered 106 down to 101: not their spatial order."""
    along_row, along_column, step = AXES[role is SeriesRole.AXIAL_T2]
    pixels = np.add.outer(np.arange(40.0), np.arange(20.0)).astype(np.float32)
    slices = tuple(
        MRSlice(
            SliceGeometry((i * step[0], i * step[1], i * step[2]), along_row, along_column, 2.0, 3.0, 40, 20),
            pixels,
            f"1.2.{i}",
            106 - i,
        )
        for i in range(6)
    )
    return MRSeries(series_id, f"1.{series_id}", (SliceStack(slices),), role, f"looks like {role.value}")


@pytest.fixture
def study() -> Study:
    series = tuple(make_series(*named) for named in SERIES_OF_GROUP.values())
    records = [FileRecord(f"t2/{i}.dcm", FileOutcome.USED, "used", "") for i in range(18)]
    records += [
        FileRecord(f"x/{i}.dcm", FileOutcome.EXCLUDED, "localizer", "three planes at once") for i in range(30)
    ]
    records.append(FileRecord("<b>notes</b>.txt", FileOutcome.EXCLUDED, "not-dicom", "no DICOM preamble"))
    return Study("4003253", "1.9", series, FileAccounting(tuple(records)), ("frames of reference differ",))


def make_landmark(study: Study, key: FindingKey) -> Landmark:
    series_id, _ = SERIES_OF_GROUP[key.condition.group]
    slice_index = 1 + key.level.rank % 2
    pixel_rc = (4.0 + 6 * key.level.rank, 8.5)
    point = study.by_id(series_id).slices[slice_index].geometry.lps_from_pixel(pixel_rc)
    x, y, z = (float(v) for v in point)
    return Landmark(key, (x, y, z), series_id, slice_index, pixel_rc, 0.875)


def make_finding(study: Study, key: FindingKey) -> Finding:
    if key == NOT_COVERED:
        return Finding(key, None, None, not_gradable=NotGradable("not-covered", "no axial slice reaches it"))
    landmark = make_landmark(study, key)
    if key == CORRECTED:
        landmark = replace(landmark, source=LandmarkSource.CORRECTED, confidence=None)
    if key == NO_GRADE:
        why = NotGradable("crop-outside", "the crop leaves the image <here>")
        return Finding(key, None, landmark, not_gradable=why)
    series_id, role = SERIES_OF_GROUP[key.condition.group]
    row, column = landmark.pixel_rc
    box = (row - 3, column - 3, row + 3, column + 3)
    heatmap = np.ones((2, 2), np.float32)
    evidence = (CropEvidence(role, series_id, landmark.slice_index, box, 0.75, heatmap),)
    probs = ((0.7, 0.2, 0.1), (0.1, 0.65, 0.25), (0.05, 0.15, 0.8))[key.level.rank % 3]
    return Finding(key, SeverityProbs(*probs), landmark, evidence)


@pytest.fixture
def doubtful(analysis: Analysis) -> Analysis:
    """The result with one open grade, one sure grade unlike the training images, and an unsure landmark."""
    open_set = (Severity.NORMAL_MILD, Severity.MODERATE)
    landmark = analysis.landmarks.points[OPEN]
    unsure = replace(landmark, confidence=0.25)
    given = {
        OPEN: replace(analysis.findings[OPEN], certainty=Certainty(open_set, 0.3125, 0.5), landmark=unsure),
        STRANGE: replace(analysis.findings[STRANGE], certainty=Certainty((Severity.SEVERE,), 0.125, 1.5)),
    }
    return replace(
        analysis,
        findings={**analysis.findings, **given},
        landmarks=analysis.landmarks.replacing(unsure),
    )


@pytest.fixture
def overridden(analysis: Analysis) -> Analysis:
    """The result with two grades by hand, one of them where there was none, and a point marked absent."""
    of_network, of_none = analysis.findings[OPEN], analysis.findings[NO_GRADE]
    by_hand = Override(Severity.SEVERE, "motion <artefact>", of_network.probs)
    given = {
        OPEN: replace(of_network, probs=None, override=by_hand, source=GradeSource.OVERRIDDEN),
        NO_GRADE: replace(
            of_none, not_gradable=None, override=Override(Severity.MODERATE), source=GradeSource.OVERRIDDEN
        ),
        STRANGE: Finding(STRANGE, None, None, not_gradable=MARKED_ABSENT, source=GradeSource.ABSENT),
    }
    points = {key: point for key, point in analysis.landmarks.points.items() if key != STRANGE}
    missing = {
        NOT_COVERED: NotGradable(RENAMED, "the level names were moved"),
        STRANGE: MARKED_ABSENT,
    }
    findings = {**analysis.findings, **given}
    return replace(analysis, findings=findings, landmarks=Landmarks(points, missing))


@pytest.fixture
def analysis(study: Study) -> Analysis:
    findings = {key: make_finding(study, key) for key in ALL_FINDINGS}
    points = {key: f.landmark for key, f in findings.items() if f.landmark is not None}
    missing = {NOT_COVERED: NotGradable("not-covered", "no axial slice reaches it")}
    series = tuple(
        SeriesUse(s.series_id, s.description, s.role, s.role_reason, len(s.slices), len(s.stacks))
        for s in study.series
    )
    provenance = Provenance("tiny", "ab" * 32, "cpu", {"torch": "2.15"}, "2026-01-02T03:04:05+00:00")
    timings = {"locate": 1.5, "grade": 2.25}
    landmarks = Landmarks(points, missing)
    return Analysis(
        study.study_id, landmarks, findings, series, study.accounting, provenance, timings, study.warnings
    )
