"""``python -m napari_lumbar.training``: train the default bundle, and measure it."""

from __future__ import annotations

import json
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


@app.command()
def preflight(
    data: Annotated[Path, typer.Option(help="folder with RSNA's train.csv and train_images")],
    as_json: Annotated[bool, typer.Option("--json", help="everything, for a program")] = False,
) -> None:
    """Look for what is wrong with training data in RSNA's layout, before training on them."""
    from ..domain.errors import LumbarError  # noqa: PLC0415
    from .rsna.preflight import look_at  # noqa: PLC0415

    try:
        found = look_at(data)
    except LumbarError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(found.as_json(), indent=1) if as_json else "\n".join(found.lines()))


@app.command()
def spider_points(
    spider: Annotated[Path, typer.Argument(help="folder with SPIDER's slices, masks and discs.csv")],
    out: Annotated[Path, typer.Option(help="where the table and its images go")],
) -> None:
    """Make a table of disc points of SPIDER's slices, to pretrain with (LUMBAR_POINTS)."""
    from ..domain.errors import LumbarError  # noqa: PLC0415
    from .spider_points import convert_spider  # noqa: PLC0415

    try:
        typer.echo(str(convert_spider(spider, out)))
    except LumbarError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
