"""The model card of a bundle, written from its manifest."""

from __future__ import annotations

from pathlib import Path

from .. import RESEARCH_USE_ONLY
from ..models.bundle import MODEL_CARD, BundleManifest

_TEXT = """# Model card: {name}

{research}

**What it does.** Finds the five lumbar disc levels, 25 landmarks and 25 grades (three severities) in a lumbar
MR study with sagittal T1, sagittal T2 and axial T2 series. Structure: `{recipe}`, preset `{preset}`.

**What it was trained on.** {phantoms} synthetic studies (parametric anatomy, random appearance, exact truth)
and {spider} patients of SPIDER (CC BY 4.0): J. W. van der Graaf et al., "Lumbar spine segmentation in MR
images: a dataset and a public benchmark", Scientific Data 11, 264 (2024). SPIDER taught levels and canal
only. **No grade of a real patient was ever seen**: on real studies the landmarks are the useful part, and the
grades show how the reader works, not how the patient is.

**What it cannot do.** It counts levels from what it sees below the last disc; a transitional vertebra (L6,
sacralised L5) shifts every name. It was not validated on patients with surgery, tumour, fracture or marked
scoliosis. It has no notion of image quality.

**Made by.** `{command}`, seed {seed}, steps {steps}.

| network | architecture | parameters | SHA-256 |
|---|---|---|---|
{networks}
"""


def write_model_card(folder: Path, manifest: BundleManifest) -> None:
    """Write ``MODEL_CARD.md`` beside the weights."""
    rows = [
        f"| {name} | {entry.architecture} | {entry.parameters:,} | {entry.sha256[:16]} |"
        for name, entry in manifest.networks.items()
    ]
    text = _TEXT.format(
        name=manifest.name,
        research=RESEARCH_USE_ONLY,
        recipe=manifest.recipe,
        preset=manifest.preset,
        phantoms=manifest.training["phantoms"],
        spider=len(manifest.training["spider_cases"]),
        command=manifest.training["command"],
        seed=manifest.training["seed"],
        steps=manifest.training["steps"],
        networks="\n".join(rows),
    )
    (folder / MODEL_CARD).write_text(text, encoding="utf-8")
