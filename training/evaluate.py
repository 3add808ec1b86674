"""``napari-lumbar evaluate``: the whole pipeline against exact truth on phantoms nobody trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import RESEARCH_USE_ONLY
from ..domain.errors import LumbarError
from ..domain.findings import Analysis
from ..domain.landmarks import Landmarks
from ..domain.spine import ALL_FINDINGS, ConditionGroup, FindingKey, Level
from ..phantom import PhantomStudy, make_phantom
from ..pipeline import System, load_system
from ..pipeline.run import analyze
from .default_bundle import FIRST_TRAINING_SEED
from .metrics import NO_SKILL_LOG_LOSS, balanced_accuracy, macro_auroc, weighted_log_loss


@dataclass(frozen=True)
class GroupFigures:
    """Figures of one condition group over all studies and levels."""

    group: ConditionGroup
    landmarks: int
    missing: int
    median_mm: float
    p95_mm: float
    wrong_level: int
    wrong_side: int
    macro_auroc: float
    weighted_log_loss: float
    balanced_accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate_phantoms``."""

    studies: int
    bundle: str
    median_mm: float
    studies_named_right: int
    groups: tuple[GroupFigures, ...]

    def lines(self) -> list[str]:
        """Plain text for a terminal or a log."""
        head = (
            f"{self.studies} phantom studies, bundle {self.bundle}: median landmark error "
            f"{self.median_mm:.2f} mm, all levels named right in {self.studies_named_right} of {self.studies}"
        )
        return [head, *(_line(figures) for figures in self.groups), _NO_SKILL, RESEARCH_USE_ONLY]


_NO_SKILL = f"no skill (equal probabilities): macro AUROC 0.500, log loss {NO_SKILL_LOG_LOSS:.3f}"


def _line(f: GroupFigures) -> str:
    return (
        f"{f.group.value:26s} landmarks {f.landmarks} (missing {f.missing}), "
        f"error median {f.median_mm:.2f} mm, "
        f"95 % {f.p95_mm:.2f} mm, wrong level {f.wrong_level}, wrong side {f.wrong_side}, "
        f"macro AUROC {f.macro_auroc:.3f}, log loss {f.weighted_log_loss:.3f}, "
        f"balanced accuracy {f.balanced_accuracy:.3f}"
    )


@dataclass(frozen=True, eq=False)
class _Result:
    truth: PhantomStudy
    analysis: Analysis


def evaluate_phantoms(
    studies: int,
    seed: int,
    bundle: Path | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Analyse phantoms ``seed`` .. ``seed + studies - 1`` and compare with their truth.

    Raises
    ------
    LumbarError
        If a seed is one the default bundle may have been trained on.
    """
    if studies < 1 or seed + studies > FIRST_TRAINING_SEED:
        raise LumbarError(
            f"{studies} studies from seed {seed}: need at least one, and seeds below {FIRST_TRAINING_SEED}, "
            "because the seeds above it are for training"
        )
    system = load_system(bundle, device)
    results = []
    for result in _analysed(system, range(seed, seed + studies)):
        results.append(result)
        say(f"analysed {len(results)} of {studies}")
    return _evaluation(results, system.bundle_name)


def _analysed(system: System, seeds: range) -> Iterator[_Result]:
    for seed in seeds:
        phantom = make_phantom(seed)
        yield _Result(phantom, analyze(phantom.study, system))


def _evaluation(results: list[_Result], bundle: str) -> Evaluation:
    errors = [error for result in results for error in _errors(result, ALL_FINDINGS)]
    return Evaluation(
        studies=len(results),
        bundle=bundle,
        median_mm=float(np.median(errors)) if errors else float("nan"),
        studies_named_right=sum(_all_named_right(result) for result in results),
        groups=tuple(_figures(results, group) for group in ConditionGroup),
    )


def _keys(group: ConditionGroup) -> tuple[FindingKey, ...]:
    return tuple(key for key in ALL_FINDINGS if key.condition.group is group)


def _figures(results: list[_Result], group: ConditionGroup) -> GroupFigures:
    keys = _keys(group)
    errors = [error for result in results for error in _errors(result, keys)]
    graded = [
        (finding.probs.as_tuple, int(result.truth.severities[key]))
        for result in results
        for key in keys
        if (finding := result.analysis.findings[key]).probs is not None
    ]
    probs = np.array([p for p, _ in graded]).reshape(-1, 3)
    labels = np.array([label for _, label in graded], dtype=np.int64)
    return GroupFigures(
        group=group,
        landmarks=len(errors),
        missing=len(keys) * len(results) - len(errors),
        median_mm=float(np.median(errors)) if errors else float("nan"),
        p95_mm=float(np.percentile(errors, 95)) if errors else float("nan"),
        wrong_level=sum(_wrong_levels(result, keys) for result in results),
        wrong_side=sum(_wrong_sides(result, keys) for result in results),
        macro_auroc=macro_auroc(probs, labels),
        weighted_log_loss=weighted_log_loss(probs, labels) if len(labels) else float("nan"),
        balanced_accuracy=balanced_accuracy(probs, labels) if len(labels) else float("nan"),
    )


def _errors(result: _Result, keys: tuple[FindingKey, ...]) -> list[float]:
    """Distance in mm of each landmark that was found."""
    return [
        _distance(result.truth.landmarks, key, landmark.point_lps_mm)
        for key in keys
        if (landmark := result.analysis.landmarks.get(key)) is not None
    ]


def _distance(truth: Landmarks, key: FindingKey, point_lps_mm: tuple[float, float, float]) -> float:
    return float(np.linalg.norm(np.subtract(point_lps_mm, truth.points[key].point_lps_mm)))


def _wrong_levels(result: _Result, keys: tuple[FindingKey, ...]) -> int:
    """Landmarks that lie nearer to another level's truth than to their own."""
    return sum(
        _nearest_level(result, key) is not key.level
        for key in keys
        if key in result.analysis.landmarks.points
    )


def _nearest_level(result: _Result, key: FindingKey) -> Level:
    point = result.analysis.landmarks.points[key].point_lps_mm
    truth = result.truth.landmarks
    return min(Level, key=lambda level: _distance(truth, FindingKey(key.condition, level), point))


def _wrong_sides(result: _Result, keys: tuple[FindingKey, ...]) -> int:
    """One-sided landmarks that lie nearer to the other side's truth."""
    wrong = 0
    for key in keys:
        landmark, side = result.analysis.landmarks.get(key), key.condition.side
        if landmark is not None and side is not None:
            mirror = FindingKey(key.condition.of(key.condition.group, side.opposite), key.level)
            point, truth = landmark.point_lps_mm, result.truth.landmarks
            wrong += _distance(truth, mirror, point) < _distance(truth, key, point)
    return wrong


def _all_named_right(result: _Result) -> bool:
    """Every landmark found, and none nearer to another level's truth."""
    keys = ALL_FINDINGS
    return len(result.analysis.landmarks) == len(keys) and _wrong_levels(result, keys) == 0
