from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.landmarks import Landmark
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.pipeline.confidence import LandmarkConfidence

LANDMARK = Landmark(
    FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4), (0.0, 0.0, 0.0), "1", 3, (1.0, 2.0), 0.5
)


def test_raw_evidence_becomes_a_probability_and_survives_the_manifest() -> None:
    fitted = LandmarkConfidence({ConditionGroup.CANAL: ([0.0, 1.0], [0.2, 0.8])})
    read = LandmarkConfidence.from_settings(fitted.to_settings())
    assert read.calibrated(LANDMARK).confidence == pytest.approx(0.5)
    assert read.calibrated(replace(LANDMARK, confidence=1.0)).confidence == pytest.approx(0.8)


def test_a_bundle_without_a_fit_keeps_the_raw_evidence() -> None:
    assert LandmarkConfidence.from_settings({}).calibrated(LANDMARK) == LANDMARK
