"""Landmark errors and AUROC of a bundle on held-out phantoms.

    python -m benchmarks.accuracy --studies 20 --seed 1000000 [--bundle DIR] [--write]

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
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    evaluation = evaluate_phantoms(arguments.studies, arguments.seed, arguments.bundle)
    text = "\n".join(f"- {line}" for line in evaluation.lines())
    print(text)
    if arguments.write:
        keep(f"accuracy on phantoms, bundle {evaluation.bundle}", text)


if __name__ == "__main__":
    main()
