"""One row per finding of a study: what was found and graded, beside the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...domain.findings import Analysis, Finding
from ...domain.landmarks import Landmark, Landmarks
from ...domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity

#: Columns. ``expected`` says whether the truth has the finding, ``outside`` whether it has nothing at that
#: level, ``found`` whether a landmark was claimed; distances are NaN where one of both is missing,
#: probabilities where there is no grade. ``truth`` is -1 where the finding is not in the truth. Slices and
#: attention count slices away from the true slice.
ROW = np.dtype(
    [
        ("condition", "i1"),
        ("level", "i1"),
        ("truth", "i1"),
        ("expected", "?"),
        ("outside", "?"),
        ("found", "?"),
        ("error_mm", "f4"),
        ("wrong_level", "?"),
        ("wrong_side", "?"),
        ("slices_off", "f4"),
        ("attention_off", "f4"),
        ("confidence", "f4"),
        ("probs", "f4", (3,)),
        ("in_set", "?", (3,)),
        ("spread", "f4"),
        ("strangeness", "f4"),
        ("unsure_numbering", "?"),
    ]
)
Rows = npt.NDArray[np.void]

_CONDITIONS = list(Condition)


class Truth(Protocol):
    """What is known of a study: where its landmarks are, and its severities; both may lack findings."""

    @property
    def landmarks(self) -> Landmarks:
        """Where readers pointed."""
        ...

    @property
    def severities(self) -> Mapping[FindingKey, Severity]:
        """What readers said."""
        ...


def study_rows(truth: Truth, analysis: Analysis) -> Rows:
    """The 25 rows of a study, in the order of ``ALL_FINDINGS``."""
    rows = np.zeros(len(ALL_FINDINGS), ROW)
    landmarks = analysis.landmarks
    inside = {landmark.key.level for landmark in truth.landmarks}
    for row, key in zip(rows, ALL_FINDINGS, strict=True):
        row["condition"], row["level"] = _CONDITIONS.index(key.condition), key.level.rank
        row["truth"] = truth.severities.get(key, -1)
        row["unsure_numbering"], row["outside"] = analysis.is_numbering_doubted, key.level not in inside
        _put_landmark(row, key, truth.landmarks, landmarks.get(key))
        _put_grade(row, analysis.findings[key], truth.landmarks.get(key))
    return rows


def _put_landmark(row: np.void, key: FindingKey, truth: Landmarks, found: Landmark | None) -> None:
    true = truth.get(key)
    row["expected"], row["found"] = true is not None, found is not None
    row["error_mm"] = row["slices_off"] = row["confidence"] = np.nan
    if found is None:
        return
    row["confidence"] = np.nan if found.confidence is None else found.confidence
    if true is not None:
        row["wrong_level"] = _nearest_level(found, truth) is not key.level
        row["wrong_side"] = _is_on_the_other_side(found, truth)
        row["error_mm"] = _distance(found, true)
        if found.series_id == true.series_id:
            row["slices_off"] = abs(found.slice_index - true.slice_index)


def _put_grade(row: np.void, finding: Finding, true: Landmark | None) -> None:
    row["probs"] = finding.probs.as_tuple if finding.probs else np.nan
    certainty = finding.certainty
    row["in_set"] = [s in (certainty.prediction_set or ()) for s in Severity]
    row["spread"] = np.nan if certainty.spread is None else certainty.spread
    row["strangeness"] = np.nan if certainty.strangeness is None else certainty.strangeness
    row["attention_off"] = np.nan if true is None else _attention_off(finding, true)


def _attention_off(finding: Finding, true: Landmark) -> float:
    """Slices from the one the grader looked at most to the true one; NaN without a crop of that series."""
    weights: dict[int, float] = defaultdict(float)
    for crop in finding.evidence:
        if crop.series_id == true.series_id:
            weights[crop.slice_index] += crop.weight
    return abs(max(weights, key=lambda i: weights[i]) - true.slice_index) if weights else float("nan")


def _distance(found: Landmark, true: Landmark) -> float:
    return float(np.linalg.norm(np.subtract(found.point_lps_mm, true.point_lps_mm)))


def _nearest_level(found: Landmark, truth: Landmarks) -> Level:
    """The level whose true point of the same condition lies nearest."""
    of_condition = [true for true in truth if true.key.condition is found.key.condition]
    return min(of_condition, key=lambda true: _distance(found, true)).key.level


def _is_on_the_other_side(found: Landmark, truth: Landmarks) -> bool:
    side = found.key.condition.side
    if side is None:
        return False
    condition = Condition.of(found.key.condition.group, side.opposite)
    mirror = truth.get(FindingKey(condition, found.key.level))
    return mirror is not None and _distance(found, mirror) < _distance(found, truth.points[found.key])
