"""Landmarks that a localiser found, kept beside the decoded studies: several systems share one localiser."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import FindingKey
from ..domain.study import Study
from ..models.bundle import load_bundle
from ..pipeline import Localizer, System
from ..pipeline.progress import CancelToken, ProgressCallback
from .fold_bundle import LOCALISER_ARCHITECTURES
from .recipes import RECIPES

#: What any system's networks that find landmarks are built as.
_FINDING_ARCHITECTURES = LOCALISER_ARCHITECTURES | {"point_unet", "level_detector", "axial_point"}


class _Kept(BaseModel):
    points: list[Landmark]
    missing: list[tuple[FindingKey, NotGradable]]
    notes: list[str]


class KeptLocalizer:
    """Asks a localiser about a study only once."""

    def __init__(self, localizer: Localizer, folder: Path) -> None:
        self._localizer, self._folder = localizer, folder

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return what was found before, or find it."""
        path = self._folder / f"{study.study_id}.json"
        if path.is_file():
            kept = _Kept.model_validate_json(path.read_bytes())
            points = {landmark.key: landmark for landmark in kept.points}
            return Landmarks(points, dict(kept.missing), tuple(kept.notes))
        found = self._localizer.locate(study, report, cancel)
        kept = _Kept(points=list(found), missing=list(found.missing.items()), notes=list(found.notes))
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(kept.model_dump_json(), encoding="utf-8")
        temporary.replace(path)
        return found


def keeping_landmarks(system: System, bundle: Path, folder: Path) -> System:
    """The system with landmarks kept under ``folder``, by the weights that may have found them."""
    manifest = load_bundle(bundle).manifest
    shared = manifest.recipe in RECIPES and not RECIPES[manifest.recipe].localizes
    weights = sorted(
        entry.sha256 for entry in manifest.networks.values() if entry.architecture in _FINDING_ARCHITECTURES
    )
    facts = "".join(["shared" if shared else manifest.recipe, str(manifest.settings), *weights])
    name = hashlib.sha256(facts.encode()).hexdigest()[:12]
    return replace(system, localizer=KeptLocalizer(system.localizer, folder / f"landmarks_{name}"))
