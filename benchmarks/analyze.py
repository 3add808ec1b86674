"""Stage timings of ``analyze`` on a phantom written as DICOM: median, least and most of several runs.

    python benchmarks/analyze.py --runs 5 --device auto [--bundle DIR] [--write]

``--write`` puts the figures into benchmarks/RESULTS.md, replacing those of the same device and machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from napari_lumbar.dicom import read_study
from napari_lumbar.export import write_results
from napari_lumbar.phantom import write_cohort
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import analyze

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = (
    "# Figures\n\nMade by the programs in this folder; seconds unless said otherwise. "
    "How right the embedded bundle is stands in its\n"
    "[model card](../src/napari_lumbar/bundles/default/MODEL_CARD.md).\n"
)

T = TypeVar("T")
Timings = dict[str, float]


def main() -> None:
    """Measure, print, and with ``--write`` keep the figures."""
    arguments = parse()
    system = load_system(arguments.bundle, arguments.device)
    with tempfile.TemporaryDirectory() as scratch:
        (study,) = write_cohort(Path(scratch) / "phantom", 1, arguments.seed)
        out = Path(scratch) / "out"
        measure(study, system, out)  # the first run pays for caches and kernels
        runs = [measure(study, system, out) for _ in range(arguments.runs)]
    heading = f"analyze, {machine(system.device)}"
    table = as_table(runs)
    print(f"{heading}\n\n{table}")
    if arguments.write:
        keep(heading, f"{system.bundle_name}, {arguments.runs} runs after one to warm up.\n\n{table}")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def measure(folder: Path, system: System, out: Path) -> Timings:
    """Read, locate, grade and export one study; return seconds per stage."""
    load_s, study = timed(lambda: read_study(folder))
    _, analysis = timed(lambda: analyze(study, system))
    export_s, _ = timed(lambda: write_results(study, analysis, out))
    stages = {
        "load": load_s,
        "locate": analysis.timings_s["locate"],
        "grade": analysis.timings_s["grade"],
        "export": export_s,
    }
    return {**stages, "total": sum(stages.values())}


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that ``work`` takes, and what it returns."""
    started = time.perf_counter()
    value = work()
    return time.perf_counter() - started, value


def machine(device: str) -> str:
    """Name what the figures were measured on."""
    if device.startswith("cuda"):
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {os.cpu_count()} cores, {platform.machine()}"


def as_table(runs: Sequence[Timings]) -> str:
    """Return a Markdown table with a row per stage."""
    lines = ["| stage | median s | min s | max s |", "|---|---|---|---|"]
    for stage in runs[0]:
        values = [run[stage] for run in runs]
        lines.append(f"| {stage} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |")
    return "\n".join(lines)


def keep(heading: str, text: str, file: Path = RESULTS) -> None:
    """Write a section of a page, in the place of the older one with that heading, or at the end."""
    page = file.read_text("utf-8") if file.exists() else TITLE
    older = re.compile(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    section = f"## {heading}\n\n{text}\n"
    place = found.start() if (found := older.search(page)) else len(page)
    page = page[:place].rstrip() + f"\n\n{section}\n" + older.sub("", page)[place:]
    file.write_text(page.rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
