"""``python -m napari_lumbar.training``: train the default bundle, and measure it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .figures.commands import app as figures

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Training, headless.")
app.add_typer(figures, name="figures")


@app.callback()
def _training() -> None:
    """Training, headless."""


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="where the bundle goes")] = Path(
        "src/napari_lumbar/bundles/default"
    ),
    run: Annotated[Path, typer.Option(help="checkpoints, logs, phantoms")] = Path("runs/bundle"),
    seed: Annotated[int, typer.Option(help="decides everything")] = 2024,
    phantoms: Annotated[int, typer.Option(help="how many synthetic studies")] = 600,
    jobs: Annotated[int, typer.Option(help="processes at a time")] = 2,
    effort: Annotated[float, typer.Option(help="scales every schedule")] = 1.0,
) -> None:
    """Train the default bundle from phantoms and, where LUMBAR_DATA has them, SPIDER slices."""
    from .default_bundle import BundlePlan, make_bundle  # noqa: PLC0415

    data = Path(os.environ.get("LUMBAR_DATA", "../shared/data"))
    make_bundle(BundlePlan(out, run, data / "spider", phantoms, seed, jobs=jobs, effort=effort))


if __name__ == "__main__":
    app()
