"""Pictures of how losses fell."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .run_log import LOSSES

CURVES = "curves.png"
_COLUMNS = 4


def plot_curves(run: Path, names: Sequence[str], out: Path) -> None:
    """One small plot of the loss over steps for each network in ``run`` that has a log."""
    logs = {name: _read(run / name / LOSSES) for name in names if (run / name / LOSSES).exists()}
    rows = max(1, -(-len(logs) // _COLUMNS))
    figure = Figure(figsize=(3.2 * _COLUMNS, 2.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, (steps, losses)) in enumerate(logs.items(), start=1):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        axes.semilogy(steps, losses, color="#0072b2", linewidth=1)
        axes.set_title(name, fontsize=8)
        axes.tick_params(labelsize=6)
    figure.supxlabel("step", fontsize=8)
    figure.supylabel("loss", fontsize=8)
    figure.savefig(out, dpi=90, metadata={"Software": None})


def _read(path: Path) -> tuple[list[int], list[float]]:
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [int(row["step"]) for row in rows], [float(row["loss"]) for row in rows]
