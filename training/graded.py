"""Studies of a cache graded by a bundle, several at a time; nothing is graded twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from ..models.bundle import load_bundle
from ..pipeline import System, load_system
from ..pipeline.run import analyze
from .figures.records import Rows, study_rows
from .kept_landmarks import keeping_landmarks
from .processes import map_in_processes
from .rsna.cohort import CachedStudies


def graded_studies(bundle: Path, studies: CachedStudies, jobs: int, say: Callable[[str], None]) -> list[Rows]:
    """Analyse studies with a bundle; the rows of each are kept in the cache, by the bundle's weights."""
    name = load_bundle(bundle).manifest.name
    folder = studies.folder / f"rows_{load_bundle(bundle).sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_keep_rows, bundle, studies.folder, folder)
    missing = [study for study in studies.study_ids if not (folder / f"{study}.npy").is_file()]
    for done, _ in enumerate(map_in_processes(work, missing, jobs), 1):
        if done % 20 == 0 or done == len(missing):
            say(f"{name}: {done} of {len(missing)} studies graded")
    return [np.load(folder / f"{study}.npy") for study in studies.study_ids]


@lru_cache(maxsize=1)
def _system(bundle: Path, landmarks: Path) -> System:
    return keeping_landmarks(load_system(bundle, "cpu"), bundle, landmarks)


def _keep_rows(bundle: Path, cache_folder: Path, folder: Path, study_id: str) -> None:
    (labelled,) = CachedStudies(cache_folder, [study_id])
    analysis = analyze(labelled.study, _system(bundle, cache_folder))
    temporary = folder / f".{study_id}.part.npy"
    np.save(temporary, study_rows(labelled, analysis))
    temporary.replace(folder / f"{study_id}.npy")
