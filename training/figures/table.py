"""Figures as Markdown tables, for the model card and for benchmarks/RESULTS.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from .schema import Figure

#: Heading and one sentence per command, in the order of the card.
SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "spider": (
        "Levels on real patients",
        "SPIDER, each patient read by the one network of the ensemble that was trained without that patient.",
    ),
    "midsagittal": (
        "T1 and T2 of the same patient",
        "Single slices of other patients, each contrast read alone; agreement is not truth.",
    ),
    "rsna": (
        "One real study with a reader's labels",
        "A single patient: it shows that the way from files to grades holds, and nothing about how well "
        "patients are graded.",
    ),
    "phantoms": (
        "Whole studies with exact truth",
        "Test phantoms of a generator that no network was trained on; intervals draw whole studies.",
    ),
    "special": (
        "Special cases",
        "Test phantoms of one kind each. Not found: landmarks of the truth that were not claimed.",
    ),
    "evidence": (
        "Whether the heatmaps show what counts",
        "The hottest tenth of every crop is blurred away, and for comparison a random connected tenth.",
    ),
}
_HEAD = "| what | value [95 % interval] | n | target | |\n|---|---|---|---|---|"
_MET = {True: "met", False: "**missed**", None: ""}


def figure_tables(figures: Sequence[Figure], bundle: str, heading: str = "###") -> str:
    """All figures as Markdown, a table per command.

    Parameters
    ----------
    bundle
        SHA-256 of the manifest that the figures should be of; others are called out.
    heading
        Marks of a section's heading.
    """
    by_section = {name: [f for f in figures if f.section == name] for name in SECTIONS}
    parts = [_section(name, some, bundle, heading) for name, some in by_section.items() if some]
    unmeasured = [title for name, (title, _) in SECTIONS.items() if not by_section[name]]
    if unmeasured:
        parts.append(f"Not measured: {', '.join(unmeasured)}.")
    return "\n\n".join(parts)


def _section(name: str, figures: Sequence[Figure], bundle: str, heading: str) -> str:
    title, sentence = SECTIONS[name]
    commands = dict.fromkeys(f"`{figure.command}`" for figure in figures)
    stale = any(figure.bundle != bundle for figure in figures)
    warning = " **Measured with other weights than these.**" if stale else ""
    table = _matrix(figures) if name == "special" else _rows(figures)
    return f"{heading} {title}\n\n{sentence}{warning} {', '.join(commands)}\n\n{table}"


def _rows(figures: Sequence[Figure]) -> str:
    lines = [f"| {f.title} | {f.shown} | {f.n} | {f.target} | {_MET[f.met]} |" for f in figures]
    return "\n".join([_HEAD, *lines])


def _matrix(figures: Sequence[Figure]) -> str:
    """A row per kind of study and a column per figure; names are ``special/{kind}/{figure}``."""
    columns = dict.fromkeys(figure.what for figure in figures)
    lines = [f"| kind | n | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for kind, row in groupby(figures, key=lambda figure: figure.name.split("/")[1]):
        cells = {figure.what: figure for figure in row}
        n = max(figure.n for figure in cells.values())
        shown = (cells[column].shown if column in cells else "" for column in columns)
        lines.append(f"| {kind} | {n} | {' | '.join(shown)} |")
    return "\n".join(lines)
