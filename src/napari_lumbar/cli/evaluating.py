"""``napari-lumbar evaluate``: on phantoms that are made on the spot, or on labelled studies in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from ..domain.errors import LumbarError


@dataclass(frozen=True)
class Evaluating:
    """The options of the command."""

    studies: int
    seed: int
    bundles: Sequence[Path]
    device: str
    data: Path | None
    out: Path | None
    jobs: int


def evaluate_bundles(options: Evaluating) -> None:
    """Print the figures of one bundle on phantoms, or write the comparison of some on labelled studies.

    Raises
    ------
    LumbarError
        If the options do not go together, or the studies or a bundle cannot be used.
    """
    if options.data is not None:
        _compare(options.data, options)
        return
    if len(options.bundles) > 1 or options.out is not None:
        raise LumbarError("several bundles and --out need --data, the studies to compare on")
    from ..training.evaluate import evaluate_phantoms

    say = partial(typer.echo, err=True)
    bundle = options.bundles[0] if options.bundles else None
    for line in evaluate_phantoms(options.studies, options.seed, bundle, options.device, say).lines():
        typer.echo(line)


def _compare(data: Path, options: Evaluating) -> None:
    if options.out is None:
        raise LumbarError("--data needs --out, the folder of the report")
    from ..export import prepare_folder
    from ..models.bundle import default_bundle_path
    from ..training.comparison import Studies, compared
    from ..training.comparison_report import write_comparison

    prepare_folder(options.out)
    bundles = options.bundles or [default_bundle_path()]
    studies = Studies(data, options.out / "cache", options.jobs)
    candidates = compared(
        bundles, studies, f"napari-lumbar evaluate --data {data.name}", partial(typer.echo, err=True)
    )
    counted = len(candidates[0].rows)
    write_comparison(candidates, f"{counted} studies of {data.name}.", options.out)
    for candidate in candidates:
        score = candidate.figure("all/rsna_score")
        typer.echo(f"{candidate.name}: RSNA score {score.shown if score else 'not measured'}")
    typer.echo(f"Report: {options.out / 'report.html'}")
