"""The figures of a bundle as tables: levels, landmarks, grades, special cases, evidence.

    python -m benchmarks.accuracy [--bundle DIR] [--write]

They are measured by ``python -m napari_lumbar.training figures NAME``, which keeps them in the bundle.
``--write`` puts the tables into benchmarks/RESULTS.md, replacing those of the same bundle.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.analyze import keep

from napari_lumbar.models.bundle import default_bundle_path, load_bundle
from napari_lumbar.training.figures import FIGURES_FILE, load_figures
from napari_lumbar.training.figures.table import figure_tables


def main() -> None:
    """Print the tables, and with ``--write`` keep them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=default_bundle_path())
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    text = figure_tables(load_figures(arguments.bundle / FIGURES_FILE), bundle.sha256)
    print(text)
    if arguments.write:
        keep(f"accuracy, bundle {bundle.manifest.name}", text)


if __name__ == "__main__":
    main()
