"""What holds for the stages of every recipe alike."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from napari_lumbar.models.bundle import BundleManifest, load_bundle, write_manifest, write_network
from napari_lumbar.models.catalog import build_network
from napari_lumbar.models.golden import check_golden, write_golden
from napari_lumbar.training.recipes import RECIPES


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_bundle_of_a_tiny_preset_keeps_what_each_network_answers(recipe: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    stages = [stage for stage in RECIPES[recipe].presets["tiny"]() if stage.exported]
    networks = {}
    for stage in stages:
        network = build_network(stage.architecture, asdict(stage.config)).eval()
        networks[stage.name] = write_network(tmp_path, stage.name, stage.architecture, stage.config, network)
    manifest = BundleManifest(name="one", recipe=recipe, preset="tiny", networks=networks, training={})
    write_manifest(tmp_path, manifest)
    write_golden(tmp_path)
    assert check_golden(tmp_path, load_bundle(tmp_path))
