"""Leave out one part of a system at a time, as the papers do, and measure what that costs on phantoms.

    python -m benchmarks.ablations [--out runs/recipes] [--only RECIPE ...] [--jobs 2] [--finished] [--write]

The whole systems are those of ``benchmarks.recipes``, which runs first; a variant takes over the networks
that it shares with its system and trains the others on the same studies. Of the multistage system only the
recesses are graded anew: they are seen in one plane, so that no other can make up for what is left out.
``--write`` puts the tables into training/README.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.analyze import keep
from benchmarks.recipes import GROUPS, HELD_OUT, README, cell, is_finished, make_cohorts

from napari_lumbar.training.comparison import Candidate, Studies, compared
from napari_lumbar.training.engine import Machine, one_thread
from napari_lumbar.training.recipes import RECIPES, Stage, mscan, multistage_mil, multiview_transformer
from napari_lumbar.training.recipes.multistage_parts import Ablation
from napari_lumbar.training.train import TrainPlan, Watcher, train

Stages = Callable[[], Sequence[Stage]]


@dataclass(frozen=True)
class Variant:
    """A system without one of its parts.

    Parameters
    ----------
    name
        For people.
    stages
        The variant's.
    trained
        Names of the stages that are trained anew; the others are taken over.
    groups
        Condition groups that the variant tells something of.
    """

    recipe: str
    name: str
    stages: Stages
    trained: tuple[str, ...]
    groups: tuple[str, ...] = GROUPS


def _mil(name: str, ablation: Ablation) -> Variant:
    stages = partial(multistage_mil.tiny_stages, ablation)
    return Variant("multistage_mil", name, stages, ("grade_subarticular",), ("subarticular",))


def _one_series(role: str) -> Variant:
    config = replace(multiview_transformer.TINY, roles=(role,))
    stages = partial(multiview_transformer.tiny_stages, config)
    return Variant("multiview_transformer", f"{role} alone", stages, ("grade_discs",))


VARIANTS = (
    _mil("without the Bi-LSTM", Ablation(recurrent=False)),
    _mil("without auxiliary losses", Ablation(auxiliary=False)),
    _mil("without jitter", Ablation(jitter=False)),
    Variant("mscan", "sagittal alone", partial(mscan.tiny_stages, views="sagittal"), ("fusion",), ("canal",)),
    *(_one_series(role) for role in multiview_transformer.TINY.roles),
)


def train_variant(out: Path, data: Path, variant: Variant) -> Path:
    """Train what a variant does not share with its system; return its bundle."""
    run = run_folder(out, variant)
    if is_finished(run):
        return run / "bundle"
    if not run.exists():
        _take_over(out / variant.recipe / "fold_0", run / "fold_0", variant.trained)
    log = run / "log.txt"
    with log.open("a") as stream:
        watcher = Watcher(lambda line: print(line, file=stream, flush=True))
        recipe = replace(RECIPES[variant.recipe], presets={"tiny": variant.stages})
        plan = TrainPlan(
            variant.recipe, data, run, fold=0, cache=out / "cache", machine=Machine("cpu"), resume=True
        )
        return train(plan, watcher, recipe)


def run_folder(out: Path, variant: Variant) -> Path:
    """Where a variant is trained."""
    name = variant.name.replace(" ", "-").replace("/", "-")
    return out / "ablations" / f"{variant.recipe}-{name}"


def _take_over(system: Path, fold: Path, without: Sequence[str]) -> None:
    """Copy the finished networks of a fold but for some, and what its localiser misses."""
    (fold / "bundle").mkdir(parents=True)
    for entry in sorted((system / "bundle").glob("*.entry.json")):
        stage = entry.name.removesuffix(".entry.json")
        if stage not in without:
            for file in (entry, *(system / "bundle").glob(f"{stage}.safetensors")):
                shutil.copy2(file, fold / "bundle")
    for file in system.glob("*.safetensors"):
        shutil.copy2(file, fold)


def table(rows: Sequence[tuple[str, Candidate, Sequence[str]]]) -> str:
    """A row per system and variant; groups that it tells nothing of stay empty."""
    return "\n".join(_lines(rows))


def _lines(rows: Sequence[tuple[str, Candidate, Sequence[str]]]) -> Iterator[str]:
    heads = [f"{group} {what}" for group in GROUPS for what in ("log loss", "AUROC")]
    yield f"| system | {' | '.join(heads)} |"
    yield "|" + "---|" * (len(heads) + 1)
    for name, candidate, groups in rows:
        cells = [
            cell(candidate, f"{group}/{figure}") if group in groups else ""
            for group in GROUPS
            for figure in ("log_loss", "macro_auroc")
        ]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Train, measure; print the table, and with ``--write`` keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--only", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--finished", action="store_true", help="measure what is trained, train nothing")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    training, held_out = make_cohorts(options.out, options.jobs)
    variants = [variant for variant in VARIANTS if variant.recipe in options.only]
    if options.finished:
        variants = [variant for variant in variants if is_finished(run_folder(options.out, variant))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context, initializer=one_thread) as pool:
        trained = list(pool.map(partial(train_variant, options.out, training), variants))
    wholes = list(dict.fromkeys(variant.recipe for variant in variants))
    bundles = [*(options.out / recipe / "bundle" for recipe in wholes), *trained]
    studies = Studies(held_out, options.out / "held_out_cache", options.jobs)
    candidates = compared(bundles, studies, "python -m benchmarks.ablations", print)
    whole = dict(zip(wholes, candidates, strict=False))
    rows: list[tuple[str, Candidate, Sequence[str]]] = []
    for recipe in wholes:
        own = [(v, c) for v, c in zip(variants, candidates[len(wholes) :], strict=True) if v.recipe == recipe]
        told = [group for group in GROUPS if any(group in variant.groups for variant, _ in own)]
        rows.append((f"`{recipe}`, whole", whole[recipe], told))
        rows += [(variant.name, candidate, variant.groups) for variant, candidate in own]
    text = table(rows)
    print(text)
    if options.write:
        note = f"{HELD_OUT[0]} held-out phantoms, 95 % intervals by study; one seed each."
        keep("Parts left out", f"{note}\n\n{text}", README)


if __name__ == "__main__":
    main()
