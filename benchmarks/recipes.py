"""Train the tiny preset of every recipe on the same phantoms, measure all on others, keep the table.

    python -m benchmarks.recipes [--out runs/recipes] [--only RECIPE ...] [--jobs 2] [--write]

400 phantoms, 324 to learn from and 76 to calibrate on, and 100 held out; every severity equally often.
What is finished is not done again; ``--jobs`` recipes train at a time, each on one core. ``--write`` puts the
table into training/README.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.analyze import keep

from napari_lumbar.phantom import PhantomConfig, write_cohort
from napari_lumbar.training.comparison import Candidate, Studies, compared
from napari_lumbar.training.comparison_report import write_comparison
from napari_lumbar.training.recipes import RECIPES

README = Path(__file__).parents[1] / "training" / "README.md"
#: Small images, because a recipe's tiny preset sees smaller ones still.
COHORT = PhantomConfig(balanced=True, sagittal_matrices=(224, 256), axial_matrices=(208, 240), voxel_mm=0.9)
TRAINING, HELD_OUT = (400, 20_000), (100, 30_000)
#: As in the figures' names.
GROUPS = ("canal", "foraminal", "subarticular")


def make_cohorts(out: Path, jobs: int) -> tuple[Path, Path]:
    """The folders of phantoms to learn from and to measure on, made if they are not there."""
    folders = out / "training", out / "held_out"
    for folder, (studies, seed) in zip(folders, (TRAINING, HELD_OUT), strict=True):
        if not (folder / "train.csv").is_file():
            write_cohort(folder, studies, seed, COHORT, jobs=jobs)
    return folders


def train_recipe(out: Path, data: Path, recipe: str) -> Path:
    """Run the command that people run, on one core; return the bundle."""
    run = out / recipe
    if is_finished(run):
        return run / "bundle"
    options = ["--data", data, "--out", run, "--cache", out / "cache", "--fold", "0", "--resume"]
    command = [Path(sys.executable).parent / "napari-lumbar", "train", recipe, *options, "--device", "cpu"]
    with (out / f"{recipe}.log").open("a") as log:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([str(part) for part in command], check=True, stderr=log, env=environment)
    return run / "bundle"


def is_finished(run: Path) -> bool:
    """Whether a run has its bundle."""
    return (run / "bundle" / "bundle.json").is_file()


def training_minutes(run: Path) -> float:
    """What the losses' logs of all stages say."""
    return sum(_last_second(log) for log in run.glob("fold_*/*/losses.csv")) / 60


def _last_second(log: Path) -> float:
    with log.open(newline="") as stream:
        return float(list(csv.DictReader(stream))[-1]["seconds"])


def table(candidates: Sequence[Candidate], minutes: Sequence[float]) -> str:
    """A row per recipe, and the line of no skill."""
    return "\n".join(_lines(candidates, minutes))


def _lines(candidates: Sequence[Candidate], minutes: Sequence[float]) -> Iterator[str]:
    heads = [f"{group} {what}" for group in GROUPS for what in ("log loss", "AUROC")]
    yield f"| recipe | {' | '.join(heads)} | minutes | parameters |"
    yield "|" + "---|" * (len(heads) + 3)
    for candidate, spent in zip(candidates, minutes, strict=True):
        cells = [
            cell(candidate, f"{group}/{figure}") for group in GROUPS for figure in ("log_loss", "macro_auroc")
        ]
        size = f"{candidate.parameters / 1e6:.1f} M"
        yield f"| `{candidate.recipe}` | {' | '.join(cells)} | {spent:.0f} | {size} |"
    chance = [part for group in GROUPS for part in (cell(candidates[0], f"{group}/log_loss_prior"), "0.5")]
    yield f"| no skill | {' | '.join(chance)} | | |"


def cell(candidate: Candidate, name: str) -> str:
    """A figure with its interval."""
    figure = candidate.figure(name)
    return "not graded" if figure is None else figure.shown


def main() -> None:
    """Make, train, measure; print the table, and with ``--write`` keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--only", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    training, held_out = make_cohorts(options.out, options.jobs)
    with ThreadPoolExecutor(options.jobs) as pool:
        bundles = list(pool.map(partial(train_recipe, options.out, training), options.only))
    studies = Studies(held_out, options.out / "held_out_cache", options.jobs)
    candidates = compared(bundles, studies, "python -m benchmarks.recipes", print)
    write_comparison(
        candidates, f"{HELD_OUT[0]} phantoms that nothing was fitted to.", options.out / "report"
    )
    text = table(candidates, [training_minutes(options.out / recipe) for recipe in options.only])
    print(text)
    if options.write:
        keep("Measured on phantoms", text, README)


if __name__ == "__main__":
    main()
