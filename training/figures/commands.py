"""``python -m napari_lumbar.training figures NAME``: measure a bundle and keep the figures in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...domain.errors import LumbarError

if TYPE_CHECKING:
    from ...models.bundle import Bundle
    from .runs import Runs
    from .schema import Figure, FigureMaker

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Measure a bundle.")

BundleFolder = Annotated[Path, typer.Option("--bundle", help="folder of weights")]
OutFile = Annotated[Path | None, typer.Option("--out", help="figures.json; without it, that of the bundle")]
DataFolder = Annotated[Path, typer.Option("--data", envvar="LUMBAR_DATA", help="folder of real studies")]
WorkFolder = Annotated[Path, typer.Option("--work", help="where the rows of analysed studies are kept")]
Studies = Annotated[int, typer.Option(min=1, help="how many studies")]
Jobs = Annotated[int, typer.Option(min=1, help="processes at a time")]
Seed = Annotated[int, typer.Option(min=0, help="the first study's seed")]

DEFAULT_BUNDLE = Path("src/napari_lumbar/bundles/default")
DEFAULT_DATA = Path("../shared/data")
DEFAULT_WORK = Path("runs/figures")


@app.command()
def spider(
    bundle: BundleFolder = DEFAULT_BUNDLE, out: OutFile = None, data: DataFolder = DEFAULT_DATA
) -> None:
    """Levels and canal of real patients, each read by networks that never saw that patient."""
    from .spider_figures import spider_figures  # noqa: PLC0415

    with _measuring("spider", bundle) as (_, make):
        _keep(spider_figures(bundle, data / "spider", make, say=_say), bundle, out)


@app.command()
def midsagittal(
    bundle: BundleFolder = DEFAULT_BUNDLE, out: OutFile = None, data: DataFolder = DEFAULT_DATA
) -> None:
    """Whether T1 and T2 of one patient are named alike."""
    from .midsagittal import midsagittal_figures  # noqa: PLC0415

    with _measuring("midsagittal", bundle) as (loaded, make):
        seen = {case.split("_")[0] for case in loaded.manifest.training["spider_cases"]}
        figures = midsagittal_figures(loaded, data / "spider" / "midsagittal", seen, make, _say)
        _keep(figures, bundle, out)


@app.command()
def rsna(bundle: BundleFolder = DEFAULT_BUNDLE, out: OutFile = None, data: DataFolder = DEFAULT_DATA) -> None:
    """The one real study with a reader's points and grades."""
    from ...pipeline import load_system  # noqa: PLC0415
    from .rsna import rsna_figures  # noqa: PLC0415

    with _measuring("rsna", bundle) as (_, make):
        program = data.parent / "tools" / "score_study.py"
        _keep(rsna_figures(load_system(bundle, "cpu"), data / "rsna", program, make), bundle, out)


@app.command()
def phantoms(
    bundle: BundleFolder = DEFAULT_BUNDLE,
    out: OutFile = None,
    work: WorkFolder = DEFAULT_WORK,
    studies: Studies = 200,
    seed: Seed = 5_000_000,
    jobs: Jobs = 2,
) -> None:
    """The whole pipeline on test phantoms."""
    from ...phantom.holdout import make_test_phantom  # noqa: PLC0415
    from .phantom_figures import phantom_figures  # noqa: PLC0415
    from .runs import StudySet, rows_of  # noqa: PLC0415

    with _measuring("phantoms", bundle) as (_, make):
        wanted = StudySet("phantoms", range(seed, seed + studies), make_test_phantom)
        _keep(phantom_figures(rows_of(_runs(bundle, work, jobs), wanted, _say), make), bundle, out)


@app.command()
def special(
    bundle: BundleFolder = DEFAULT_BUNDLE,
    out: OutFile = None,
    work: WorkFolder = DEFAULT_WORK,
    studies: Studies = 15,
    seed: Seed = 6_000_000,
    jobs: Jobs = 2,
) -> None:
    """Test phantoms that are out of the ordinary."""
    from .special import special_figures  # noqa: PLC0415

    with _measuring("special", bundle) as (_, make):
        seeds = range(seed, seed + studies)
        _keep(special_figures(_runs(bundle, work, jobs), seeds, make, _say), bundle, out)


@app.command()
def evidence(
    bundle: BundleFolder = DEFAULT_BUNDLE,
    out: OutFile = None,
    work: WorkFolder = DEFAULT_WORK,
    studies: Studies = 12,
    seed: Seed = 7_000_000,
    jobs: Jobs = 2,
) -> None:
    """Whether the heatmaps show what counts."""
    from ...phantom.holdout import make_test_phantom  # noqa: PLC0415
    from .evidence import change_figures, phantom_changes  # noqa: PLC0415
    from .runs import StudySet, rows_of  # noqa: PLC0415

    with _measuring("evidence", bundle) as (_, make):
        wanted = StudySet("evidence", range(seed, seed + studies), make_test_phantom, phantom_changes)
        _keep(change_figures(rows_of(_runs(bundle, work, jobs), wanted, _say), make), bundle, out)


@app.command()
def card(bundle: BundleFolder = DEFAULT_BUNDLE) -> None:
    """Write the model card again, from the manifest and the figures."""
    from ...models.bundle import load_bundle  # noqa: PLC0415
    from ..model_card import write_model_card  # noqa: PLC0415

    with _expected_errors():
        write_model_card(bundle, load_bundle(bundle).manifest)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="figures.json of one bundle")],
    second: Annotated[Path, typer.Argument(help="figures.json of the other")],
) -> None:
    """Show two bundles' figures side by side; status 1 if any interval lies apart from the other's."""
    from .compare import Verdict, compared, summary  # noqa: PLC0415
    from .schema import load_figures  # noqa: PLC0415

    with _expected_errors():
        pairs = compared(load_figures(first), load_figures(second))
    for pair in pairs:
        typer.echo(pair.line)
    typer.echo(summary(pairs))
    if any(pair.verdict is Verdict.APART for pair in pairs):
        raise typer.Exit(1)


@contextmanager
def _measuring(section: str, bundle: Path) -> Iterator[tuple[Bundle, FigureMaker]]:
    """The bundle and what makes its figures; expected errors end with one line and status 1."""
    from ...models.bundle import load_bundle  # noqa: PLC0415
    from .schema import FigureMaker  # noqa: PLC0415

    with _expected_errors():
        loaded = load_bundle(bundle)
        yield loaded, FigureMaker(section, _command(), loaded.sha256)


@contextmanager
def _expected_errors() -> Iterator[None]:
    try:
        yield
    except LumbarError as error:
        _say(f"error: {error}")
        raise typer.Exit(1) from error


def _command() -> str:
    """The line that was typed, without the names of folders, which differ from place to place."""
    words = iter(sys.argv[1:])
    kept = []
    for word in words:
        if word in ("--bundle", "--out", "--data", "--work"):
            next(words, None)
        elif not word.startswith(("--bundle=", "--out=", "--data=", "--work=")):
            kept.append(word)
    return " ".join(["python -m napari_lumbar.training", *kept])


def _runs(bundle: Path, work: Path, jobs: int) -> Runs:
    from .runs import Runs  # noqa: PLC0415

    return Runs(bundle, work, jobs)


def _keep(figures: Sequence[Figure], bundle: Path, out: Path | None) -> None:
    from .schema import FIGURES_FILE, save_figures  # noqa: PLC0415

    save_figures(out or bundle / FIGURES_FILE, figures)
    for figure in figures:
        typer.echo(figure.line)


def _say(text: str) -> None:
    typer.echo(text, err=True)
