"""Progress as a bar on a terminal, and as one line per stage in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:  # the pipeline package brings PyTorch, which --help can do without
    from ..pipeline.progress import Progress, ProgressCallback


@contextmanager
def stage_progress(console: Console) -> Iterator[ProgressCallback]:
    """Yield a callback that shows on ``console`` what is being done."""
    if not console.is_terminal:
        yield StageLines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda progress: bars.update(task, description=progress.stage, completed=progress.fraction)


class StageLines:
    """Prints a stage's name once, when it begins, with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.perf_counter()
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        """Print a line if this is another stage than the last."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            elapsed = time.perf_counter() - self._started
            self._console.print(f"{elapsed:7.1f} s  {progress.stage}", markup=False)
