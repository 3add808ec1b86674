"""Landmark errors and AUROC of a bundle on held-out phantoms.

    python -m benchmarks.accuracy --studies 20 --seed 3000000 [--bundle DIR] [--write]

``--write`` puts the figures into benchmarks/RESULTS.md, replacing those of the same bundle.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.analyze import keep

from napari_lumbar.training.evaluate import evaluate_phantoms


def main() -> None:
    """Measure, print, and with ``--write`` keep the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=3_000_000)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    evaluation = evaluate_phantoms(arguments.studies, arguments.seed, arguments.bundle)
    seeds = f"Seeds {arguments.seed} to {arguments.seed + arguments.studies - 1}."
    text = "\n".join([seeds, "", *(f"- {line}" for line in evaluation.lines())])
    print(text)
    if arguments.write:
        keep(f"accuracy on phantoms, bundle {evaluation.bundle}", text)


if __name__ == "__main__":
    main()
