"""Whether the canal's grade follows the width of the canal in SPIDER's masks, front to back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...domain.geometry import FloatArray
from ...domain.spine import Condition, FindingKey, Level
from ...pipeline import System
from ...pipeline.progress import CancelToken, ignore_progress
from ..metrics import bootstrap, rank_correlation
from ..spider_canal import canal_widths
from .schema import Figure, FigureMaker
from .spider_studies import SpiderCase, locate


def canal_figures(root: Path, cases: Iterable[tuple[SpiderCase, System]], make: FigureMaker) -> list[Figure]:
    """The rank correlation; ``cases`` come with networks that never saw them, intervals draw patients."""
    pairs = [expected_and_width(root, case, system) for case, system in cases]
    correlation = bootstrap(pairs, _narrowness_correlation)
    what = "canal's expected severity against how narrow its mask is, rank correlation"
    return [make("canal_width_rank_correlation", what, correlation, len(pairs))]


def expected_and_width(root: Path, case: SpiderCase, system: System) -> FloatArray:
    """Expected severity (0..2) and width in mm of each level that has both, shape (n, 2)."""
    keys = [FindingKey(Condition.SPINAL_CANAL_STENOSIS, level) for level in Level]
    landmarks = locate(system, case.study)
    findings = system.grader.grade(case.study, landmarks, keys, ignore_progress, CancelToken())
    widths = canal_widths(root, case.name)
    pairs = [
        (probs.moderate + 2 * probs.severe, widths[key.level].width_mm)
        for key in keys
        if (probs := findings[key].probs) is not None and key.level in widths
    ]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _narrowness_correlation(pairs: Sequence[FloatArray]) -> float:
    expected, width = np.concatenate(pairs).T
    return rank_correlation(expected, -width)
