"""The model card of a bundle, written from its manifest and its figures: no training is needed for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import RESEARCH_USE_ONLY
from ..models.bundle import MANIFEST, MODEL_CARD, BundleManifest
from ..models.weights import file_sha256
from .curves import CURVES
from .figures import FIGURES_FILE, Figure, load_figures
from .figures.table import figure_tables
from .metrics import NO_SKILL_LOG_LOSS

_TEXT = """# Model card: {name}

{research}

**What it does.** Finds the five lumbar disc levels, 25 landmarks and 25 grades (three severities) in a lumbar
MR study with sagittal T1, sagittal T2 and axial T2 series. Structure: `{recipe}`, preset `{preset}`.

**What it was trained on.** {phantoms} synthetic studies (parametric anatomy, random appearance, exact truth)
and {spider} patients of SPIDER (CC BY 4.0): J. W. van der Graaf et al., "Lumbar spine segmentation in MR
images: a dataset and a public benchmark", Scientific Data 11, 264 (2024). SPIDER has no grades: it taught the
levels and, where its canal is a source of grades, the width measured on its masks.
**No grade of a real patient was ever seen**: on real studies the landmarks are the useful part, and the
grades show how the reader works, not how the patient is.

Probabilities lean on how often each severity is met at each level in the RSNA 2024 tables.

**What was looked at while it was made.** The rules that join discs to names were settled on ten of the SPIDER
patients and on the pairs of T1 and T2, so these figures are not blind. How much of the image a disc named
L5/S1 needs below it was settled on the very cuts that its figure counts. The one RSNA study was looked at
again and again. Graders were tried on 80 other test phantoms (seeds from 8,000,000 on):
what misled them there led to more variety in the training phantom's foramina and canal, to crops of a fixed
size in millimetres, to a foraminal grade without its axial crop, and to the misses and targets that graders
learn with. After the 200 phantoms below had been measured, these were changed: how the canal graders meet
SPIDER's canals (twice), how many canal and foraminal graders there are, the threshold of the prediction
sets (twice), how much the usual place of a foramen counts (less, for the sake of spines like those of the
RSNA tables, which made the figure here worse), and how much the fat in front of the sac differs between the
phantoms of the canal's graders: 49 of those other test phantoms, made again with less of that fat, had
shown that the graders took it for a part of the sac. That a
spine whose levels are missing is looked at a second time was settled on the pairs of T1 and T2. That T1
names the levels where T2's names are doubtful was made because of one of the 200, whose levels T2 had put
before the sacrum; 40 other test phantoms are named as before.
Nothing was trained or calibrated on test phantoms.

**What it cannot do.** It counts levels from the sacrum; a transitional vertebra (L6, sacralised L5) shifts
every name, and without the sacrum in view no disc is called L5/S1. It was not validated on patients with
surgery, tumour, fracture or marked scoliosis. It has no notion of image quality.

## Figures

{summary}

{figures}

## Training

Made by `{command}`, seed {seed}.{curves}

| | |
|---|---|
{log}

| network | architecture | parameters | SHA-256 |
|---|---|---|---|
{networks}
"""
_LONGEST_CELL = 300


def write_model_card(folder: Path, manifest: BundleManifest) -> None:
    """Write ``MODEL_CARD.md`` beside the weights, from the manifest and the ``figures.json`` lying there."""
    path = folder / MANIFEST
    figures = load_figures(folder / FIGURES_FILE)
    bundle = file_sha256(path) if path.is_file() else ""
    text = _TEXT.format(
        name=manifest.name,
        research=RESEARCH_USE_ONLY,
        recipe=manifest.recipe,
        preset=manifest.preset,
        phantoms=_count(manifest.training["phantoms"]),
        spider=len(manifest.training["spider_cases"]),
        command=manifest.training["command"],
        seed=manifest.training["seed"],
        summary=_summary(figures),
        figures=figure_tables(figures, bundle),
        curves=f"\n\n![Loss over the steps of training]({CURVES})" if (folder / CURVES).is_file() else "",
        log="\n".join(f"| {name} | {_cell(value)} |" for name, value in manifest.training.items()),
        networks="\n".join(
            f"| {name} | {entry.architecture} | {entry.parameters:,} | {entry.sha256[:16]} |"
            for name, entry in manifest.networks.items()
        ),
    )
    (folder / MODEL_CARD).write_text(text, encoding="utf-8")


def _summary(figures: tuple[Figure, ...]) -> str:
    """How many targets are met, and which are not."""
    judged = [figure for figure in figures if figure.met is not None]
    if not judged:
        return "None was measured yet."
    missed = [f"{figure.section}: {figure.title}" for figure in judged if not figure.met]
    which = f" Missed: {'; '.join(missed)}." if missed else ""
    return (
        f"{len(judged) - len(missed)} of {len(judged)} targets are met.{which} Intervals hold 95 % of 1,000 "
        "bootstrap draws of whole patients or studies; a figure without one is of a single patient. "
        f"A blind answer scores a macro AUROC of 0.5 and a log loss of {NO_SKILL_LOG_LOSS:.3f}."
    )


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]} ..."
