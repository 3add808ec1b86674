"""``napari-lumbar bundle``: make one of a run, check one, say what is in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import EXIT_STATUS, app
from .failing import expected_errors

bundle_app = typer.Typer(
    name="bundle", help="Make, check or describe a folder of weights.", no_args_is_help=True
)
app.add_typer(bundle_app)

Folder = Annotated[
    Path, typer.Argument(metavar="BUNDLE", exists=True, file_okay=False, help="Folder of weights.")
]


@bundle_app.command(help="Join the trained folds of a run into one bundle.", epilog=EXIT_STATUS)
def make(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", exists=True, file_okay=False, help="Folder of the run.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Where the bundle goes; an older one there is replaced.")
    ],
    jobs: Annotated[int, typer.Option(min=1, help="Processes that grade held-out studies.")] = 1,
) -> None:
    """Write the bundle of a run anew."""
    with expected_errors():
        from ..training.train import export_run

        typer.echo(f"bundle: {export_run(run, out, jobs)}")


@bundle_app.command(
    help="Check every file of a bundle against its SHA-256, and every network against its answers when it "
    "was made.",
    epilog=EXIT_STATUS,
)
def verify(bundle: Folder) -> None:
    """Load and ask everything; a broken bundle ends with its exit status."""
    with expected_errors():
        from ..models.bundle import load_bundle
        from ..models.golden import check_golden

        loaded = load_bundle(bundle)
        typer.echo(f"{loaded.manifest.name}: {len(loaded.networks)} networks are whole; {loaded.sha256}")
        if check_golden(bundle, loaded):
            typer.echo("every network answers as it did when the bundle was made")
        else:
            typer.echo(
                "it holds no golden.json, so that nobody can tell whether its networks answer as they did"
            )


@bundle_app.command(help="Say what a bundle holds and how it was trained.", epilog=EXIT_STATUS)
def info(bundle: Folder) -> None:
    """Print the manifest as a table."""
    with expected_errors():
        from ..models.bundle import load_bundle

        manifest = load_bundle(bundle).manifest
        typer.echo(f"{manifest.name}: recipe {manifest.recipe}, preset {manifest.preset}")
        for name, entry in manifest.networks.items():
            typer.echo(f"  {name:<24} {entry.architecture:<24} {entry.parameters:>12,} values")
        for key, value in manifest.training.items():
            text = str(value)
            typer.echo(f"  {key}: {text if len(text) < 100 else text[:97] + '...'}")
