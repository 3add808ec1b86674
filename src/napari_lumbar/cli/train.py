"""``napari-lumbar train``: its options and its progress bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.errors import LumbarError
from .app import EXIT_STATUS, Device, DeviceChoice, Seed, app
from .failing import expected_errors

if TYPE_CHECKING:
    from ..training.train import Watcher

#: The recipes, for the help text; naming them there must not import PyTorch.
RECIPE_NAMES = ("multistage_mil", "sequence_efficientnet", "three_way", "mscan", "multiview_transformer")


class Preset(StrEnum):
    """How large; ``paper`` is the published size."""

    TINY = "tiny"
    PAPER = "paper"


Recipe = Annotated[str, typer.Argument(metavar="RECIPE", help=f"One of {', '.join(RECIPE_NAMES)}.")]
Data = Annotated[
    Path,
    typer.Option("--data", exists=True, file_okay=False, help="Folder with RSNA's tables and train_images."),
]


@app.command(
    help="Train a published system on data in RSNA's layout; ends with a bundle to analyse studies with.",
    epilog=EXIT_STATUS,
)
def train(
    recipe: Recipe,
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")],
    preset: Annotated[Preset, typer.Option(help="tiny trains on a CPU, paper has the published sizes.")] = (
        Preset.TINY
    ),
    fold: Annotated[str, typer.Option(help="Number of the fold to train, or all.")] = "all",
    folds: Annotated[int, typer.Option(min=2, help="How many folds the studies are divided into.")] = 5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    seed: Seed = 2024,
    device: DeviceChoice = Device.AUTO,
    devices: Annotated[int, typer.Option(min=1, help="GPUs, or processes on the CPU.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines, each started by torchrun.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that decode and grade studies.")] = 1,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of decoded studies, to share between runs.")
    ] = None,
    localizer: Annotated[
        Path | None, typer.Option(help="Bundle whose localiser serves recipes that have none of their own.")
    ] = None,
    effort: Annotated[
        float, typer.Option(min=0.001, help="Scales every schedule; below 1 for trials.")
    ] = 1.0,
) -> None:
    """Train a recipe and say where its bundle lies."""
    with expected_errors():
        from ..models.bundle import default_bundle_path
        from ..training.engine import Machine
        from ..training.train import TrainPlan
        from ..training.train import train as train_recipe

        plan = TrainPlan(
            recipe=recipe,
            data=data,
            out=out,
            preset=preset.value,
            folds=folds,
            fold=_fold(fold),
            seed=seed,
            cache=cache,
            localizer=localizer or default_bundle_path(),
            effort=effort,
            jobs=jobs,
            machine=Machine(device.value, devices, nodes),
            resume=resume,
        )
        with _watching() as watcher:
            bundle = train_recipe(plan, watcher)
        typer.echo(f"bundle: {bundle}")


def _fold(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit():
        raise LumbarError(f"--fold {text!r} is neither a number nor all")
    return int(text)


@contextmanager
def _watching() -> Iterator[Watcher]:
    """Lines on standard error, and under them a bar for the stage that is being trained."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..training.train import Watcher

    console = Console(stderr=True, highlight=False)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bars:
        shown = bars.add_task("preparing", total=None)

        def progress(name: str, done: int, of: int) -> None:
            bars.update(shown, description=name, completed=done, total=of)

        yield Watcher(lambda line: console.print(line, markup=False, soft_wrap=True), progress)
