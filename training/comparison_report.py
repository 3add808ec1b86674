"""The comparison of bundles for people: one HTML page, the same figures as CSV, and plots."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture

from .. import RESEARCH_USE_ONLY
from ..domain.spine import ConditionGroup, Severity
from ..export.severity_style import SEVERITY_STYLES
from . import metrics
from .comparison import Candidate
from .figures.phantom_figures import GROUP_NAMES, graded_rows, rows_of_group
from .figures.records import Rows

#: What stands in the table of each group, by the last parts of the figures' names.
_COLUMNS = {
    "log_loss": "weighted log loss",
    "log_loss_prior": "no skill",
    "macro_auroc": "macro AUROC",
    "auroc_normal_mild": "normal/mild",
    "auroc_moderate": "moderate",
    "auroc_severe": "severe",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "quadratic_kappa": "kappa, quadratic",
    "calibration_error": "calibration error",
    "landmark_median": "landmark error, median",
    "slice_exact": "slice exact",
    "slice_within_one": "within one",
    "slice_within_two": "within two",
    "missing": "not found",
}
_GROUP_TITLES = {
    ConditionGroup.CANAL: "Spinal canal stenosis",
    ConditionGroup.FORAMINAL: "Neural foraminal narrowing, both sides",
    ConditionGroup.SUBARTICULAR: "Subarticular stenosis, both sides",
}


@dataclass(frozen=True)
class GroupTable:
    """One group's figures: a row per candidate, and a plot of how well each knows its confidence."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    plot: str


def write_comparison(candidates: Sequence[Candidate], what: str, out: Path) -> None:
    """Write ``report.html``, ``figures.csv`` and ``confusion.csv`` into ``out``.

    Parameters
    ----------
    candidates
        All measured on the same studies.
    what
        A sentence about the studies.
    """
    out.mkdir(parents=True, exist_ok=True)
    _write_figures(candidates, out / "figures.csv")
    _write_confusion(candidates, out / "confusion.csv")
    environment = Environment(
        loader=PackageLoader("napari_lumbar.training", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("comparison.html").render(
        notice=RESEARCH_USE_ONLY,
        what=what,
        candidates=candidates,
        scores=[
            (c.name, c.recipe, f"{c.parameters / 1e6:.1f}", _shown(c, "all/rsna_score")) for c in candidates
        ],
        tables=[_group_table(candidates, group) for group in ConditionGroup],
    )
    (out / "report.html").write_text(page, encoding="utf-8")


def _group_table(candidates: Sequence[Candidate], group: ConditionGroup) -> GroupTable:
    name = GROUP_NAMES[group]
    rows = tuple((c.name, tuple(_shown(c, f"{name}/{column}") for column in _COLUMNS)) for c in candidates)
    plot = base64.b64encode(_plot(candidates, group)).decode()
    return GroupTable(_GROUP_TITLES[group], tuple(_COLUMNS.values()), rows, plot)


def _shown(candidate: Candidate, name: str) -> str:
    figure = candidate.figure(name)
    return "not graded" if figure is None else figure.shown


def _graded(candidate: Candidate, group: ConditionGroup) -> tuple[metrics.Probs, metrics.Labels]:
    rows: Rows = graded_rows(rows_of_group(np.concatenate(list(candidate.rows)), group))
    return rows["probs"].astype(np.float64), rows["truth"].astype(np.int64)


def _plot(candidates: Sequence[Candidate], group: ConditionGroup) -> bytes:
    """A reliability diagram and a confusion matrix per candidate, as PNG."""
    picture = Picture(figsize=(2.4 * len(candidates), 4.6), layout="constrained")
    FigureCanvasAgg(picture)
    for column, candidate in enumerate(candidates, start=1):
        probs, labels = _graded(candidate, group)
        upper = picture.add_subplot(2, len(candidates), column)
        upper.set_title(candidate.name, fontsize=7)
        _draw_reliability(upper, metrics.reliability(probs, labels))
        lower = picture.add_subplot(2, len(candidates), len(candidates) + column)
        _draw_confusion(lower, metrics.confusion(probs, labels))
    stream = io.BytesIO()
    picture.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _draw_reliability(axes: Axes, bins: npt.NDArray[np.float64]) -> None:
    axes.plot([0, 1], [0, 1], color="#9aa0a6", linewidth=1, linestyle="--")
    colour = SEVERITY_STYLES[Severity.NORMAL_MILD].fill
    axes.plot(bins[:, 0], bins[:, 1], marker="o", markersize=3, color=colour)
    axes.set(xlim=(0.3, 1), ylim=(0, 1))
    axes.set_xlabel("confidence", fontsize=7)
    axes.set_ylabel("share right", fontsize=7)
    axes.tick_params(labelsize=6)


def _draw_confusion(axes: Axes, counts: npt.NDArray[np.int64]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    for (true, answer), count in np.ndenumerate(counts):
        ink = "black" if shares[true, answer] > 0.5 else "white"
        axes.text(answer, true, f"{count}", ha="center", va="center", fontsize=7, color=ink)
    labels = ["normal", "moderate", "severe"]
    axes.set_xticks(range(3), labels, fontsize=6)
    axes.set_yticks(range(3), labels, fontsize=6)
    axes.set_xlabel("answer", fontsize=7)
    axes.set_ylabel("truth", fontsize=7)


def _write_figures(candidates: Sequence[Candidate], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["candidate", "recipe", "figure", "what", "value", "low", "high", "unit", "studies"])
        for candidate in candidates:
            for figure in candidate.figures:
                name = figure.name.removeprefix(f"{candidate.name}/")
                numbers = (figure.value, figure.low, figure.high)
                writer.writerow(
                    [candidate.name, candidate.recipe, name, figure.what, *numbers, figure.unit, figure.n]
                )


def _write_confusion(candidates: Sequence[Candidate], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["candidate", "group", "truth", *(f"answer_{s.name.lower()}" for s in Severity)])
        for candidate in candidates:
            for group in ConditionGroup:
                counts = metrics.confusion(*_graded(candidate, group))
                for severity in Severity:
                    row = [int(count) for count in counts[severity]]
                    writer.writerow([candidate.name, GROUP_NAMES[group], severity.label, *row])
