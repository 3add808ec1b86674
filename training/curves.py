"""Pictures of how losses fell."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .run_log import FIGURES, LOSSES

CURVES = "curves.png"
_COLUMNS = 4
#: What is drawn of the measurements on held-out studies, where they have it.
_MEASURED = "log_loss"


def plot_curves(run: Path, names: Sequence[str], out: Path) -> None:
    """One small plot for each network in ``run`` that has a log: loss over steps, measurements as dots."""
    logs = {name: _read(run / name / LOSSES, "loss") for name in names if (run / name / LOSSES).exists()}
    rows = max(1, -(-len(logs) // _COLUMNS))
    figure = Figure(figsize=(3.2 * _COLUMNS, 2.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, (steps, losses)) in enumerate(logs.items(), start=1):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        axes.semilogy(steps, losses, color="#0072b2", linewidth=1)
        axes.plot(*_read(run / name / FIGURES, _MEASURED), "o", color="#d55e00", markersize=3)
        axes.set_title(name, fontsize=8)
        axes.tick_params(labelsize=6)
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("loss; dots: log loss, held-out studies", fontsize=8)
    figure.savefig(out, dpi=90, metadata={"Software": None})


def _read(path: Path, column: str) -> tuple[list[int], list[float]]:
    """Steps and values of a column of a log; nothing where there is no such log or column."""
    if not path.exists():
        return [], []
    with path.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if column in row]
    return [int(row["step"]) for row in rows], [float(row[column]) for row in rows]
