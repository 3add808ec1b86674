"""The bundle of one fold, filled stage by stage, and the bundle of all folds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from ..domain.errors import LumbarError
from ..models.bundle import (
    MANIFEST,
    BundleManifest,
    NetworkEntry,
    load_bundle,
    write_manifest,
    write_network,
)
from ..models.catalog import build_network
from ..models.weights import load_weights
from .recipes import Recipe, Stage

_ENTRY = "{}.entry.json"
#: What networks that find landmarks are built as.
LOCALISER_ARCHITECTURES = frozenset({"heatmap_unet", "slice_index_convnext3d", "point_regressor"})


class FoldBundle:
    """Networks of one fold in a folder: whole after its last stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, stage: str) -> bool:
        """Whether a stage is finished."""
        return (self.folder / _ENTRY.format(stage)).is_file()

    @property
    def is_whole(self) -> bool:
        """Whether every stage is finished."""
        return (self.folder / MANIFEST).is_file()

    def put(self, stage: Stage, network: nn.Module) -> None:
        """Keep the network of a finished stage."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entry = write_network(self.folder, stage.name, stage.architecture, stage.config, network)
        temporary = self.folder / f"{stage.name}.part"
        temporary.write_text(entry.model_dump_json(), encoding="utf-8")
        temporary.replace(self.folder / _ENTRY.format(stage.name))

    def entry(self, stage: str) -> NetworkEntry:
        """The manifest's entry of a finished stage.

        Raises
        ------
        LumbarError
            If it is not finished.
        """
        if not self.holds(stage):
            raise LumbarError(f"stage {stage!r} of {self.folder.parent.name} is not trained yet")
        return NetworkEntry.model_validate_json((self.folder / _ENTRY.format(stage)).read_bytes())

    def trained(self, stage: str) -> nn.Module:
        """The network of a finished stage, in evaluation mode."""
        entry = self.entry(stage)
        network = build_network(entry.architecture, entry.config)
        load_weights(network, self.folder / entry.file, entry.sha256)
        return network.eval()

    def finish(self, recipe: Recipe, preset: str, stages: Sequence[Stage], localizer: Path) -> None:
        """Write the manifest, and the localiser of another bundle where the recipe has none."""
        entries = {stage.name: self.entry(stage.name) for stage in stages if stage.exported}
        if not recipe.localizes:
            entries |= copied_localizer(localizer, self.folder)
        settings = {} if recipe.localizes else load_bundle(localizer).manifest.settings
        manifest = BundleManifest(
            name=f"{recipe.name}-fold",
            recipe=recipe.name,
            preset=preset,
            networks=entries,
            training={},
            settings=settings,
        )
        write_manifest(self.folder, manifest)


def copied_localizer(bundle: Path, out: Path) -> dict[str, NetworkEntry]:
    """Copy the localiser's networks of a bundle; their entries."""
    manifest = load_bundle(bundle).manifest
    entries = {
        name: entry
        for name, entry in manifest.networks.items()
        if entry.architecture in LOCALISER_ARCHITECTURES
    }
    for entry in entries.values():
        shutil.copyfile(bundle / entry.file, out / entry.file)
    return entries


def join_folds(
    folds: Mapping[int, FoldBundle], out: Path, name: str, training: Mapping[str, Any]
) -> BundleManifest:
    """Write one bundle with the networks of all folds as ``name_0``, ``name_1`` and so on."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    manifests = {k: _manifest(fold) for k, fold in folds.items()}
    first = next(iter(manifests.values()))
    entries: dict[str, NetworkEntry] = {}
    for k, manifest in manifests.items():
        for network, entry in manifest.networks.items():
            shared = not folds[k].holds(network)
            new = network if shared else f"{network}_{k}"
            file = f"{new}.safetensors"
            shutil.copyfile(folds[k].folder / entry.file, out / file)
            entries[new] = entry.model_copy(update={"file": file})
    manifest = first.model_copy(update={"name": name, "networks": entries, "training": dict(training)})
    write_manifest(out, manifest)
    return manifest


def _manifest(fold: FoldBundle) -> BundleManifest:
    return BundleManifest.model_validate_json((fold.folder / MANIFEST).read_bytes())


def stages_as_json(stages: Sequence[Stage]) -> str:
    """What a run's stages were, for people: names, configurations, schedules."""
    facts = [
        {
            "name": stage.name,
            "architecture": stage.architecture,
            "config": asdict(stage.config),
            "schedule": asdict(stage.schedule),
        }
        for stage in stages
    ]
    return json.dumps(facts, indent=1)
