"""Figures of the whole pipeline on phantoms, from their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...domain.spine import ALL_FINDINGS, Condition, ConditionGroup, Severity
from .. import metrics
from .records import Rows
from .schema import Figure, FigureMaker

#: Short names of the groups, in figures and tables.
GROUP_NAMES = {
    ConditionGroup.CANAL: "canal",
    ConditionGroup.FORAMINAL: "foraminal",
    ConditionGroup.SUBARTICULAR: "subarticular",
}
#: A landmark this confident should lie this near.
_CONFIDENT, _NEAR_MM = 0.9, 5.0


class Measure(NamedTuple):
    """A figure of the rows of several studies: key, a person's name, unit, and how to compute it."""

    name: str
    what: str
    unit: str
    of: Callable[[Rows], float]


def phantom_figures(studies: Sequence[Rows], make: FigureMaker, draws: int = 1000) -> list[Figure]:
    """All figures of a set of studies; intervals from ``draws`` draws of whole studies."""
    figures = measured(studies, OVERALL, make, "all", draws)
    for group, name in GROUP_NAMES.items():
        figures += measured([rows_of_group(rows, group) for rows in studies], PER_GROUP, make, name, draws)
    return figures


def measured(
    studies: Sequence[Rows], measures: Sequence[Measure], make: FigureMaker, part: str, draws: int
) -> list[Figure]:
    """The figures that can be measured on these studies, named ``{section}/{part}/{measure}``."""
    figures = []
    together, places = np.stack(studies), range(len(studies))  # joining draw by draw would take minutes
    for measure in measures:
        interval = metrics.bootstrap(places, _of_places(measure.of, together), draws)
        if not np.isnan(interval.value):
            figures.append(make(f"{part}/{measure.name}", measure.what, interval, len(studies), measure.unit))
    return figures


def _of_places(of: Callable[[Rows], float], together: Rows) -> Callable[[Sequence[int]], float]:
    """A statistic of the studies at these places of ``together``, shape (studies, rows)."""
    return lambda places: of(together[list(places)].ravel())


_ONE_SIDED = np.array([condition.side is not None for condition in Condition])
_GROUP_OF = np.array([list(ConditionGroup).index(condition.group) for condition in Condition])


def rows_of_group(rows: Rows, group: ConditionGroup) -> Rows:
    """The rows of one condition group."""
    return np.asarray(rows[_GROUP_OF[rows["condition"]] == list(ConditionGroup).index(group)])


def share(which: npt.NDArray[np.bool_]) -> float:
    """How many are true; NaN of none."""
    return float(which.mean()) if len(which) else float("nan")


def known(rows: Rows, column: str) -> npt.NDArray[np.float64]:
    """The values of a column that are not NaN."""
    values = rows[column].astype(np.float64)
    return np.asarray(values[~np.isnan(values)])


def landmark_percentile(rows: Rows, percent: float) -> float:
    """Percentile of the landmark error in mm; NaN where no landmark was found."""
    errors = known(rows, "error_mm")
    return float(np.percentile(errors, percent)) if len(errors) else float("nan")


def _named_right(rows: Rows) -> float:
    """Share of studies (25 rows each) with every landmark found, and none at another level or outside."""
    missing = rows["expected"] & ~rows["found"]
    return share(~(missing | named_wrong(rows)).reshape(-1, len(ALL_FINDINGS)).any(axis=1))


def named_wrong(rows: Rows) -> npt.NDArray[np.bool_]:
    """Landmarks at another level than they say, or of a level that the study does not show."""
    return np.asarray(rows["wrong_level"] | (rows["found"] & rows["outside"]))


def _wrong_side(rows: Rows) -> float:
    return share(rows["wrong_side"][rows["found"] & _ONE_SIDED[rows["condition"]]])


def missing(rows: Rows) -> float:
    """Share of the landmarks in the truth that were not found."""
    return share(~rows["found"][rows["expected"]])


def _graded(of: Callable[[metrics.Probs, metrics.Labels], float]) -> Callable[[Rows], float]:
    """A metric over the findings that have a grade and a truth."""

    def statistic(rows: Rows) -> float:
        graded = graded_rows(rows)
        if len(graded) == 0:
            return float("nan")
        return of(graded["probs"].astype(np.float64), graded["truth"].astype(np.int64))

    return statistic


def graded_rows(rows: Rows) -> Rows:
    """The rows that have a grade and a truth."""
    return np.asarray(rows[~np.isnan(rows["probs"][:, 0]) & (rows["truth"] >= 0)])


def _rsna_score(rows: Rows) -> float:
    """The challenge's metric over the findings that have a grade and a truth; 25 rows a study."""
    studies = rows.reshape(-1, len(ALL_FINDINGS))
    graded = ~np.isnan(studies["probs"][:, :, 0])
    if not graded.any():
        return float("nan")
    probs = np.where(graded[:, :, None], studies["probs"], 1.0)
    labels = np.where(graded, studies["truth"], -1)
    return metrics.rsna_score(probs.astype(np.float64), labels.astype(np.int64)).mean


def _with_sets(of: Callable[[metrics.Sets, metrics.Labels], float]) -> Callable[[Rows], float]:
    def statistic(rows: Rows) -> float:
        some = rows[rows["in_set"].any(axis=1) & (rows["truth"] >= 0)]
        return of(some["in_set"], some["truth"].astype(np.int64)) if len(some) else float("nan")

    return statistic


def _class_auroc(severity: Severity, probs: metrics.Probs, labels: metrics.Labels) -> float:
    return metrics.class_auroc(probs, labels, severity)


def _confident_near(rows: Rows) -> float:
    confident = rows[(rows["confidence"] >= _CONFIDENT) & ~np.isnan(rows["error_mm"])]
    return share(confident["error_mm"] <= _NEAR_MM)


OVERALL = (
    Measure("named_right", "studies with all levels found and named right", "", _named_right),
    Measure("landmark_median", "landmark error, median", "mm", lambda r: landmark_percentile(r, 50)),
    Measure("landmark_p95", "landmark error, 95th percentile", "mm", lambda r: landmark_percentile(r, 95)),
    Measure("missing", "landmarks not found", "", missing),
    Measure(
        "confident", "landmarks with confidence >= 0.9", "", lambda r: share(known(r, "confidence") >= 0.9)
    ),
    Measure("confident_near", "of those, within 5 mm of the truth", "", _confident_near),
    Measure("strange", "findings called unlike training", "", lambda r: share(known(r, "strangeness") > 1)),
    Measure("log_loss", "weighted log loss", "", _graded(metrics.weighted_log_loss)),
    Measure("rsna_score", "score of the RSNA 2024 challenge", "", _rsna_score),
    Measure("set_coverage", "truth within the prediction set", "", _with_sets(metrics.set_coverage)),
)

PER_GROUP = (
    Measure("landmark_median", "landmark error, median", "mm", lambda r: landmark_percentile(r, 50)),
    Measure("landmark_p95", "landmark error, 95th percentile", "mm", lambda r: landmark_percentile(r, 95)),
    Measure("missing", "landmarks not found", "", missing),
    Measure("wrong_level", "landmarks at another level", "", lambda r: share(r["wrong_level"][r["found"]])),
    Measure("wrong_side", "landmarks on the other side", "", _wrong_side),
    Measure("slice_exact", "landmarks on the true slice", "", lambda r: share(known(r, "slices_off") == 0)),
    Measure("slice_within_one", "within one slice", "", lambda r: share(known(r, "slices_off") <= 1)),
    Measure("slice_within_two", "within two slices", "", lambda r: share(known(r, "slices_off") <= 2)),
    Measure("macro_auroc", "macro AUROC", "", _graded(metrics.macro_auroc)),
    *(
        Measure(
            f"auroc_{severity.name.lower()}",
            f"AUROC of {severity.label.lower()} against the others",
            "",
            _graded(partial(_class_auroc, severity)),
        )
        for severity in Severity
    ),
    Measure("log_loss", "weighted log loss", "", _graded(metrics.weighted_log_loss)),
    Measure(
        "log_loss_prior",
        "no skill: the best constant answer",
        "",
        _graded(lambda _, labels: metrics.prior_log_loss(labels)),
    ),
    Measure("log_loss_share", "weighted log loss as a share of that", "", _graded(metrics.log_loss_share)),
    Measure("accuracy", "accuracy", "", _graded(metrics.accuracy)),
    Measure("balanced_accuracy", "balanced accuracy", "", _graded(metrics.balanced_accuracy)),
    Measure("quadratic_kappa", "quadratic kappa", "", _graded(metrics.quadratic_kappa)),
    Measure(
        "calibration_error", "expected calibration error", "", _graded(metrics.expected_calibration_error)
    ),
    Measure("brier", "Brier score", "", _graded(metrics.brier_score)),
    Measure("set_coverage", "truth within the prediction set", "", _with_sets(metrics.set_coverage)),
    Measure(
        "set_size",
        "severities in the prediction set",
        "",
        _with_sets(lambda sets, _: metrics.mean_set_size(sets)),
    ),
    Measure(
        "attention_within_one",
        "attention's peak within one slice of the true one",
        "",
        lambda r: share(known(r, "attention_off") <= 1),
    ),
)
