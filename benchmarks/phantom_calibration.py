"""Phantoms beside the statistics of RSNA's and SPIDER's studies: frequencies, places, distances, slices.

    python -m benchmarks.phantom_calibration --studies 60 [--seed 7000000] [--all] [--write]

The statistics are read from ``statistics/`` in the folder that LUMBAR_DATA names (default
``../shared/data`` beside the checkout). The phantoms have the default options; only their matrix is small,
for no figure here looks at a pixel, and all places are fractions of the image.

A figure is *off* where it differs by more than 25 %, the mean of a place or an angle by more than half a
standard deviation of the real studies - and in any case by more than twice its own standard error, found by
drawing the studies again with repetition. ``--write`` puts the table into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.analyze import keep
from benchmarks.phantom_figures import Figures, figures, measure, stack, taken
from benchmarks.real_figures import Expected, expected

from napari_lumbar.phantom import PhantomConfig, make_phantom

DATA = Path(os.environ.get("LUMBAR_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
SMALL = PhantomConfig(sagittal_matrices=(64,), axial_matrices=(64,), voxel_mm=3.0)
RESAMPLED = 200


@dataclass(frozen=True)
class Row:
    """One figure: real studies, phantoms, the phantoms' standard error."""

    name: str
    real: Expected
    phantom: float
    error: float

    @property
    def off(self) -> bool:
        """Whether the difference is neither small nor chance."""
        return not abs(self.phantom - self.real.value) <= max(self.real.tolerance, 2 * self.error)

    def __str__(self) -> str:
        difference = self.phantom - self.real.value
        relative = f"{100 * difference / self.real.value:+.0f} %" if self.real.value else ""
        mark = " **off**" if self.off else ""
        return f"| {self.name} | {self.real.value:.3g} | {self.phantom:.3g} | {relative}{mark} |"


def main() -> None:
    """Measure, print, and with ``--write`` keep the figures."""
    arguments = parse()
    rows, alone = compare(arguments.studies, arguments.seed)
    said = [summary(rows), unmatched(alone)]
    print("\n".join(as_table(rows if arguments.all else [row for row in rows if row.off])))
    print("\n".join(said))
    if arguments.write:
        seeds = f"{arguments.studies} studies from seed {arguments.seed}"
        text = "\n".join([*said, "", *as_table([row for row in rows if row.off])])
        keep("phantoms beside RSNA's and SPIDER's statistics", f"{seeds}. {text}")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7_000_000)
    parser.add_argument("--all", action="store_true", help="print the figures that agree, too")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def compare(studies: int, seed: int) -> tuple[list[Row], Figures]:
    """Measure phantoms; return every figure beside the real one, and those that have none."""
    real = expected(DATA / "statistics")
    table = stack(measure(make_phantom(s, SMALL)) for s in range(seed, seed + studies))
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        # A figure that no study of a sample shows (no severe L1/L2, no ascending series) is NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = figures(table)
        drawn = [figures(taken(table, rng.integers(0, studies, studies))) for _ in range(RESAMPLED)]
        errors = {name: float(np.nanstd([d[name] for d in drawn])) for name in found}
    rows = [
        Row(name, value, found[name], max(errors[name], chance(value, studies)))
        for name, value in real.items()
    ]
    return rows, {name: value for name, value in found.items() if name not in real}


def chance(real: Expected, studies: int) -> float:
    """Standard error that a share has if the real one is true: a sample may hold none of the rare ones."""
    return float(np.sqrt(real.value * (1 - real.value) / studies)) if real.share else 0.0


def summary(rows: list[Row]) -> str:
    """Say how many figures of each kind are off."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.name.partition(":")[0], []).append(row)
    off = [f"{kind} {sum(r.off for r in members)} of {len(members)}" for kind, members in kinds.items()]
    return "Figures that are off: " + ", ".join(off) + "."


def unmatched(alone: Figures) -> str:
    """List what the real statistics do not say."""
    return "Without a real counterpart: " + ", ".join(f"{n} {v:.3g}" for n, v in alone.items()) + "."


def as_table(rows: list[Row]) -> list[str]:
    """Return a Markdown table."""
    return ["| figure | real | phantom | difference |", "|---|---|---|---|", *map(str, rows)]


if __name__ == "__main__":
    main()
