"""What a side is called changes no grade: networks are asked by the side that a point lies on in images."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from napari_lumbar.domain.findings import Analysis, Finding
from napari_lumbar.domain.landmarks import Landmarks, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Side
from napari_lumbar.domain.study import Study
from napari_lumbar.phantom import make_phantom
from napari_lumbar.pipeline import System, load_system
from napari_lumbar.pipeline.mirrored import are_sides_mirrored, mirrored, named_back
from napari_lumbar.pipeline.progress import CancelToken, ProgressCallback
from napari_lumbar.pipeline.run import analyze, regrade

RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture
def small_landmarks(small_analysis: Analysis) -> Landmarks:
    return small_analysis.landmarks


class AskedSides:
    """A grader that notes whether what it is called left is on the patient's left in the images."""

    def __init__(self, inner: object) -> None:
        self.dependence = inner.dependence  # type: ignore[attr-defined]
        self.right_way: list[bool] = []
        self._inner = inner

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        for key in keys:
            if key.condition.side and key in landmarks.points:
                is_left = landmarks.points[key].point_lps_mm[0] > landmarks.points[CANAL].point_lps_mm[0]
                self.right_way.append(is_left == (key.condition.side is Side.LEFT))
        found: Mapping[FindingKey, Finding] = self._inner.grade(  # type: ignore[attr-defined]
            study, landmarks, keys, report, cancel
        )
        return found


def test_a_point_is_named_by_the_side_it_lies_on(small_landmarks: Landmarks) -> None:
    assert not are_sides_mirrored(small_landmarks)
    other = mirrored(small_landmarks)
    assert are_sides_mirrored(other)
    assert other.points[RECESS].point_lps_mm == small_landmarks.points[RECESS.opposite].point_lps_mm
    assert other.points[RECESS].key == RECESS
    assert other.points[CANAL] == small_landmarks.points[CANAL]
    assert mirrored(other) == small_landmarks
    assert not are_sides_mirrored(Landmarks())


def test_one_point_put_on_the_wrong_side_mirrors_nothing(small_landmarks: Landmarks) -> None:
    there = small_landmarks.points[RECESS.opposite]
    assert not are_sides_mirrored(small_landmarks.replacing(replace(there, key=RECESS)))


def test_reasons_are_named_back(small_landmarks: Landmarks) -> None:
    why = NotGradable("no_series", f"{RECESS.text}: no slice shows this disc")
    ((key, finding),) = named_back(
        {RECESS: Finding(RECESS, None, None, not_gradable=why)}, small_landmarks
    ).items()
    assert key == finding.key == RECESS.opposite
    assert finding.landmark == small_landmarks.points[RECESS.opposite]
    assert finding.not_gradable == NotGradable(
        "no_series", f"{RECESS.opposite.text}: no slice shows this disc"
    )


def test_a_localiser_with_the_sides_wrong_is_graded_by_the_images_too(
    small_study: Study, fake_system: System
) -> None:
    grader = AskedSides(fake_system.grader)
    found = fake_system.localizer.locate(small_study, lambda _: None, CancelToken())

    class Wrong:
        def locate(self, *_: object) -> Landmarks:
            return mirrored(found)

    analysis = analyze(small_study, replace(fake_system, localizer=Wrong(), grader=grader))
    assert all(grader.right_way)
    assert all(finding.severity is None for key, finding in analysis.findings.items() if key.condition.side)


def test_the_embedded_networks_grade_a_place_as_before_whatever_it_is_called() -> None:
    study, system = make_phantom(9002).study, load_system(None, "cpu")
    found = analyze(study, system)
    again = regrade(study, system, mirrored(found.landmarks), ALL_FINDINGS)
    graded = [key for key in ALL_FINDINGS if found.findings[key].probs is not None]
    assert len(graded) > 15
    for key in graded:
        now, before = again[key.opposite].probs, found.findings[key].probs
        assert now is not None
        assert before is not None
        assert now.as_tuple == pytest.approx(before.as_tuple, abs=1e-4)  # by the order within a batch
