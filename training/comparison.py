"""Bundles side by side on the same studies: what each says of them, as figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain.errors import LumbarError
from ..models.bundle import Bundle, load_bundle
from .figures import Figure, FigureMaker
from .figures.phantom_figures import phantom_figures
from .figures.records import Rows
from .graded import graded_studies
from .rsna.cache import cache_studies
from .rsna.cohort import CachedStudies
from .rsna.studies import studies_with_images
from .rsna.tables import read_tables

#: Draws per interval; enough for two digits.
_DRAWS = 500


@dataclass(frozen=True, eq=False)
class Candidate:
    """A bundle: its name, recipe and size, the rows of each study, and the figures of all."""

    name: str
    recipe: str
    parameters: int
    rows: Sequence[Rows]
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure | None:
        """A figure by the last parts of its name, for example ``canal/macro_auroc``."""
        return next((figure for figure in self.figures if figure.name.endswith(f"/{name}")), None)


@dataclass(frozen=True)
class Studies:
    """Labelled studies to compare on, decoded into ``cache``."""

    root: Path
    cache: Path
    jobs: int = 1

    def prepared(self, say: Callable[[str], None]) -> CachedStudies:
        """Decode what is not decoded yet.

        Raises
        ------
        LumbarError
            If the tables cannot be read, or no study has images.
        """
        tables = read_tables(self.root)
        studies = studies_with_images(tables, self.root)
        if not studies:
            raise LumbarError(f"no study of {self.root} has images in train_images")
        cache_studies(tables, self.root, studies, self.cache, self.jobs, say)
        return CachedStudies(self.cache, studies)


def compared(
    bundles: Sequence[Path], studies: Studies, command: str, say: Callable[[str], None]
) -> list[Candidate]:
    """Each bundle on all studies.

    Raises
    ------
    LumbarError
        If the studies cannot be read.
    """
    prepared = studies.prepared(say)
    names = _distinct([load_bundle(bundle).manifest.name for bundle in bundles])
    return [
        _candidate(name, load_bundle(bundle), graded_studies(bundle, prepared, studies.jobs, say), command)
        for name, bundle in zip(names, bundles, strict=True)
    ]


def _candidate(name: str, bundle: Bundle, rows: Sequence[Rows], command: str) -> Candidate:
    figures = tuple(phantom_figures(rows, FigureMaker(name, command, bundle.sha256), _DRAWS))
    parameters = sum(entry.parameters for entry in bundle.manifest.networks.values())
    return Candidate(name, bundle.manifest.recipe, parameters, rows, figures)


def _distinct(names: Sequence[str]) -> list[str]:
    """Number names that stand for more than one bundle."""
    return [
        name if names.count(name) == 1 else f"{name}-{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
