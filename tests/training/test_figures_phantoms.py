"""Rows of findings, and figures made of them, on a small phantom whose analysis is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from napari_lumbar.domain.doubts import Doubt, DoubtKind
from napari_lumbar.domain.findings import (
    Analysis,
    Certainty,
    CropEvidence,
    Finding,
    Provenance,
    SeverityProbs,
)
from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.landmarks import Landmark, Landmarks, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Severity
from napari_lumbar.domain.study import FileAccounting, SeriesRole
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.training.figures import FigureMaker
from napari_lumbar.training.figures.phantom_figures import phantom_figures, rows_of_group
from napari_lumbar.training.figures.records import Rows, study_rows

SMALL = PhantomConfig(sagittal_matrices=(64,), axial_matrices=(64,), voxel_mm=2.0)
CANAL_L3_L4 = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)


@cache
def phantom() -> PhantomStudy:
    return make_phantom(11, SMALL)


def probs_of(severity: Severity, confidence: float = 0.8) -> SeverityProbs:
    rest = (1 - confidence) / 2
    return SeverityProbs(*(confidence if s is severity else rest for s in Severity))


def finding(key: FindingKey, landmark: Landmark | None) -> Finding:
    if landmark is None:
        return Finding(key, None, None, not_gradable=NotGradable("none", "none"))
    crops = tuple(
        CropEvidence(
            SeriesRole.AXIAL_T2, landmark.series_id, landmark.slice_index + k, (0, 0, 1, 1), w, BLANK
        )
        for k, w in ((-2, 0.3), (1, 0.2), (1, 0.2), (2, 0.3))
    )
    certainty = Certainty((Severity.NORMAL_MILD, Severity.MODERATE), 0.1, 0.5)
    return Finding(key, probs_of(phantom().severities[key]), landmark, crops, certainty=certainty)


BLANK = np.zeros((2, 2), np.float32)


def analysis(points: Mapping[FindingKey, Landmark]) -> Analysis:
    return Analysis(
        study_id="1",
        landmarks=Landmarks(dict(points)),
        findings={key: finding(key, points.get(key)) for key in ALL_FINDINGS},
        series=(),
        accounting=FileAccounting(),
        provenance=Provenance("b", "0", "cpu", {}, ""),
        doubts=(Doubt(DoubtKind.NUMBERING_UNCERTAIN, "The numbering of the levels is unsure."),),
    )


def rows_with(points: Mapping[FindingKey, Landmark]) -> Rows:
    return study_rows(phantom(), analysis(points))


def moved(key: FindingKey, by_lps_mm: tuple[float, float, float], slices: int = 0) -> Landmark:
    mark = phantom().landmarks.points[key]
    point = vector3(np.add(mark.point_lps_mm, by_lps_mm))
    return replace(mark, point_lps_mm=point, slice_index=mark.slice_index + slices)


def row_of(rows: Rows, key: FindingKey) -> np.void:
    return rows[ALL_FINDINGS.index(key)]


def test_the_truth_itself_is_without_fault() -> None:
    rows = rows_with(phantom().landmarks.points)
    assert rows["found"].all()
    assert rows["expected"].all()
    assert rows["error_mm"].max() == 0
    assert not rows["wrong_level"].any()
    assert not rows["wrong_side"].any()
    assert (rows["probs"].argmax(1) == rows["truth"]).all()
    assert (rows["attention_off"] == 1).all()  # two crops of one slice add up to more than any other
    assert rows["unsure_numbering"].all()


def test_a_shifted_landmark_is_counted_in_millimetres_slices_and_levels() -> None:
    points = dict(phantom().landmarks.points)
    points[CANAL_L3_L4] = moved(CANAL_L3_L4, (0.0, 3.0, 4.0), slices=2)
    row = row_of(rows_with(points), CANAL_L3_L4)
    assert row["error_mm"] == pytest.approx(5)
    assert row["slices_off"] == 2
    assert not row["wrong_level"]
    above = phantom().landmarks.points[FindingKey(CANAL_L3_L4.condition, Level.L2_L3)]
    points[CANAL_L3_L4] = replace(above, key=CANAL_L3_L4)
    assert row_of(rows_with(points), CANAL_L3_L4)["wrong_level"]


def test_the_other_side_is_the_wrong_side() -> None:
    left = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
    right = phantom().landmarks.points[FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)]
    points = {**phantom().landmarks.points, left: replace(right, key=left)}
    rows = rows_with(points)
    assert rows["wrong_side"].sum() == 1
    assert row_of(rows, left)["wrong_side"]


def test_what_is_missing_has_no_distance_and_no_grade() -> None:
    points = {k: v for k, v in phantom().landmarks.points.items() if k != CANAL_L3_L4}
    row = row_of(rows_with(points), CANAL_L3_L4)
    assert row["expected"]
    assert not row["found"]
    assert np.isnan(row["error_mm"])
    assert np.isnan(row["probs"]).all()


def test_a_level_outside_the_truth_may_still_be_claimed() -> None:
    truth = {k: v for k, v in phantom().landmarks.points.items() if k.level is not Level.L5_S1}
    outside = replace(phantom(), landmarks=Landmarks(truth))
    rows = study_rows(outside, analysis(phantom().landmarks.points))
    claimed = rows[rows["found"] & ~rows["expected"]]
    assert set(claimed["level"]) == {Level.L5_S1.rank}
    assert claimed["outside"].all()
    assert not claimed["wrong_level"].any()
    make = FigureMaker("phantoms", "measure", "b")
    assert phantom_figures([rows], make, draws=2)[0].value == 0  # nothing may be claimed there


def test_figures_of_groups_and_of_all() -> None:
    right = rows_with(phantom().landmarks.points)
    shifted = {**phantom().landmarks.points, CANAL_L3_L4: moved(CANAL_L3_L4, (0, 0, 8.0))}
    make = FigureMaker("phantoms", "measure", "b")
    figures = {f.name: f for f in phantom_figures([right, rows_with(shifted)], make, draws=20)}
    assert figures["phantoms/all/named_right"].value == 1
    assert figures["phantoms/canal/landmark_p95"].value == pytest.approx(np.percentile([8.0] + [0] * 9, 95))
    assert figures["phantoms/canal/accuracy"].value == 1
    assert figures["phantoms/canal/calibration_error"].value == pytest.approx(0.2)
    severe = np.mean(rows_of_group(right, ConditionGroup.FORAMINAL)["truth"] == Severity.SEVERE)
    assert figures["phantoms/foraminal/set_coverage"].value == pytest.approx(1 - severe)
    assert figures["phantoms/foraminal/set_size"].value == 2
    assert "phantoms/canal/wrong_side" not in figures
    assert figures["phantoms/subarticular/wrong_side"].value == 0
    assert figures["phantoms/all/confident_near"].value == pytest.approx(49 / 50)
    assert figures["phantoms/all/strange"].value == 0


def test_kept_rows_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_lumbar.training.figures import runs

    made: list[int] = []

    def analysed(seed: int) -> PhantomStudy:
        made.append(seed)
        return phantom()

    class System:
        bundle_sha256 = "0123456789abcdef"

    monkeypatch.setattr(runs, "system_of", lambda *_: System())
    monkeypatch.setattr(runs, "analyze", lambda *_: analysis(phantom().landmarks.points))
    plan, studies = runs.Runs(tmp_path, tmp_path), runs.StudySet("some", range(3, 5), analysed)
    first = runs.rows_of(plan, studies, print)
    again = runs.rows_of(plan, replace(studies, seeds=range(3, 6)), print)
    assert made == [3, 4, 5]
    np.testing.assert_array_equal(first[0]["probs"], again[0]["probs"])
