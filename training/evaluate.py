"""``napari-lumbar evaluate``: the whole pipeline against exact truth on phantoms nobody trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import RESEARCH_USE_ONLY
from ..domain.errors import LumbarError
from ..phantom.holdout import make_test_phantom
from ..pipeline import load_system
from ..pipeline.run import analyze
from .default_bundle import FIRST_TRAINING_SEED
from .figures import Figure, FigureMaker
from .figures.phantom_figures import phantom_figures
from .figures.records import Rows, study_rows
from .metrics import NO_SKILL_LOG_LOSS

#: Fewer than for a model card: a person waits for them.
_DRAWS = 200


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate_phantoms``."""

    studies: int
    bundle: str
    figures: tuple[Figure, ...]

    def lines(self) -> list[str]:
        """Plain text for a terminal or a log."""
        head = f"{self.studies} phantom studies, bundle {self.bundle}; intervals hold 95 %"
        return [head, *(f"{f.title}: {f.shown}" for f in self.figures), _NO_SKILL, RESEARCH_USE_ONLY]


_NO_SKILL = f"no skill (equal probabilities): macro AUROC 0.500, log loss {NO_SKILL_LOG_LOSS:.3f}"


def check_seeds(studies: int, seed: int) -> range:
    """The seeds of an evaluation.

    Raises
    ------
    LumbarError
        If there is none, or one that a bundle may have been trained on.
    """
    if studies < 1 or seed + studies > FIRST_TRAINING_SEED:
        raise LumbarError(
            f"{studies} studies from seed {seed}: need at least one, and seeds below {FIRST_TRAINING_SEED}, "
            "because the seeds above it are for training"
        )
    return range(seed, seed + studies)


def evaluate_phantoms(
    studies: int,
    seed: int,
    bundle: Path | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Analyse phantoms ``seed`` .. ``seed + studies - 1`` and compare with their truth.

    Raises
    ------
    LumbarError
        If a seed is one the default bundle may have been trained on.
    """
    seeds = check_seeds(studies, seed)
    system = load_system(bundle, device)
    rows: list[Rows] = []
    for each in seeds:
        phantom = make_test_phantom(each)
        rows.append(study_rows(phantom, analyze(phantom.study, system)))
        say(f"analysed {len(rows)} of {studies}")
    command = f"napari-lumbar evaluate --studies {studies} --seed {seed}"
    make = FigureMaker("evaluate", command, system.bundle_sha256)
    return Evaluation(studies, system.bundle_name, tuple(phantom_figures(rows, make, _DRAWS)))
