from __future__ import annotations

import math

import numpy as np
import pytest

from napari_lumbar.domain.findings import (
    Analysis,
    Finding,
    GradeSource,
    Override,
    Provenance,
    SeverityProbs,
    probs_from_array,
)
from napari_lumbar.domain.landmarks import Landmarks, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, Severity
from napari_lumbar.domain.study import FileAccounting

FIRST, SECOND, THIRD = ALL_FINDINGS[:3]
WHY = NotGradable("no_series", "there is no axial series")


@pytest.mark.parametrize(
    "values", [(math.nan, 0.5, 0.5), (math.inf, 0, 0), (-0.1, 0.6, 0.5), (1.2, -0.1, -0.1)]
)
def test_a_probability_is_never_nan_nor_outside_0_to_1(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"must be finite and within 0\.\.1"):
        SeverityProbs(*values)


def test_probabilities_sum_to_one() -> None:
    with pytest.raises(ValueError, match=r"sum to 0\.9000, not 1"):
        SeverityProbs(0.3, 0.3, 0.3)


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ((0.7, 0.2, 0.1), Severity.NORMAL_MILD),
        ((0.1, 0.2, 0.7), Severity.SEVERE),
        ((0.4, 0.4, 0.2), Severity.MODERATE),
    ],
)
def test_the_most_probable_severity_and_of_equals_the_worse(
    values: tuple[float, float, float], severity: Severity
) -> None:
    probs = probs_from_array(np.array(values, dtype=np.float32))
    assert probs.severity is severity
    assert probs.confidence == pytest.approx(max(values))


def test_a_finding_has_probabilities_or_a_grade_by_hand_or_a_reason() -> None:
    probs, by_hand = SeverityProbs(0.2, 0.3, 0.5), Override(Severity.MODERATE)
    assert Finding(FIRST, probs, None).severity is Severity.SEVERE
    assert Finding(FIRST, None, None, not_gradable=WHY).severity is None
    overridden = Finding(FIRST, None, None, override=by_hand, source=GradeSource.OVERRIDDEN)
    assert overridden.severity is Severity.MODERATE
    for some, why, count in ((probs, WHY, 2), (None, None, 0)):
        with pytest.raises(ValueError, match=f"or a reason why not; it has {count} of them"):
            Finding(FIRST, some, None, not_gradable=why)
    with pytest.raises(ValueError, match="it has 2 of them"):
        Finding(FIRST, probs, None, override=by_hand, source=GradeSource.OVERRIDDEN)


def test_only_a_grade_by_hand_is_called_overridden() -> None:
    for finding in (
        {"override": Override(Severity.SEVERE)},
        {"not_gradable": WHY, "source": GradeSource.OVERRIDDEN},
    ):
        with pytest.raises(ValueError, match="only a grade by hand has the source 'overridden'"):
            Finding(FIRST, None, None, **finding)


def test_an_analysis_lists_what_was_graded() -> None:
    graded = Finding(FIRST, SeverityProbs(1, 0, 0), None)
    abstained = Finding(SECOND, None, None, not_gradable=WHY)
    provenance = Provenance("bundle", "0" * 64, "cpu", {}, "2026-01-01T00:00:00+00:00")
    by_hand = Finding(THIRD, None, None, override=Override(Severity.SEVERE), source=GradeSource.OVERRIDDEN)
    findings = {FIRST: graded, SECOND: abstained, THIRD: by_hand}
    analysis = Analysis("1", Landmarks(), findings, (), FileAccounting(), provenance)
    assert analysis.graded == (graded, by_hand)
