"""What a run leaves for people and programs to see: losses and figures as CSV and for TensorBoard."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lightning.fabric.loggers import TensorBoardLogger

#: Names of a run's logs.
LOSSES, FIGURES = "losses.csv", "validation.csv"


class RunLog:
    """The logs of one network.

    Rows of steps that are trained again after a crash are taken out first.

    Parameters
    ----------
    run
        Folder of the logs.
    start
        The first step that will be trained now.
    say
        Told every row as a line.
    writes
        False in all but one of several processes: they log nothing.
    """

    def __init__(self, run: Path, start: int, say: Callable[[str], None], writes: bool) -> None:
        self._run, self._say, self._writes = run, say, writes
        self._started = time.monotonic()
        self._waited_s = 0.0
        self._board = TensorBoardLogger(run, name="", version="tensorboard") if writes else None
        if writes:
            self._earlier_s = max(_forget(run / LOSSES, start), _forget(run / FIGURES, start))

    def waited(self, seconds: float) -> None:
        """Add time that the network had to wait for its batches."""
        self._waited_s += seconds

    def losses(self, step: int, losses: Mapping[str, float]) -> None:
        """Log the losses of a step."""
        self._row(LOSSES, step, {"waited_s": round(self._waited_s, 1), **losses})

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Log what was measured on held-out studies after a step."""
        self._row(FIGURES, step, figures)

    def _row(self, name: str, step: int, values: Mapping[str, float]) -> None:
        if not self._writes or self._board is None:
            return
        seconds = self._earlier_s + time.monotonic() - self._started
        path = self._run / name
        new = not path.exists()
        with path.open("a", newline="") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(["step", "seconds", *values])
            writer.writerow([step, f"{seconds:.1f}", *(f"{v:.5g}" for v in values.values())])
        self._board.log_metrics({f"{Path(name).stem}/{k}": v for k, v in values.items()}, step)
        self._say(
            f"{self._run.name} step {step} {seconds:.0f}s "
            + " ".join(f"{k}={v:.4g}" for k, v in values.items())
        )


def _forget(path: Path, start: int) -> float:
    """Take the rows from ``start`` on out of a log; return the seconds of the last row that stays."""
    if not path.exists():
        return 0.0
    with path.open(newline="") as stream:
        head, *rows = csv.reader(stream)
    # A row that a kill cut short is shorter than the head, or its step is no number.
    kept = [row for row in rows if len(row) == len(head) and row[0].isdigit() and int(row[0]) < start]
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *kept])
    temporary.replace(path)
    return float(kept[-1][1]) if kept else 0.0
