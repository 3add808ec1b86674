from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.bundle import (
    MANIFEST,
    BundleManifest,
    load_bundle,
    write_manifest,
    write_network,
)
from napari_lumbar.models.heatmap_unet import HeatmapUNet, HeatmapUNetConfig
from napari_lumbar.models.lstm_mil import LstmMil

CONFIG = HeatmapUNetConfig(named=2, maps=1, widths=(4, 4, 4, 4, 4), bottom_kernel=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, HeatmapUNet(CONFIG))


def write(folder: Path, network: HeatmapUNet) -> Path:
    entry = write_network(folder, "net", "heatmap_unet", CONFIG, network)
    write_manifest(
        folder,
        BundleManifest(
            name="small", recipe="multistage_mil", preset="tiny", networks={"net": entry}, training={}
        ),
    )
    return folder


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    network = HeatmapUNet(CONFIG).half().float()
    loaded = load_bundle(write(tmp_path, network)).network("net", HeatmapUNet)
    image = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(loaded(image), network.eval()(image))


def test_one_changed_bit_is_noticed_before_anything_is_parsed(folder: Path) -> None:
    path = folder / "net.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"net\.safetensors have SHA-256 .* was altered or cut short"):
        load_bundle(folder)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    network = HeatmapUNet(CONFIG)
    torch.nn.init.constant_(network.head.weight, float("nan"))
    with pytest.raises(BundleError, match=r"not finite in \['head.weight'\]"):
        load_bundle(write(tmp_path, network))


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "net.safetensors").unlink()
    with pytest.raises(BundleError, match=r"net\.safetensors are missing from the bundle"):
        load_bundle(folder)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"holds no bundle\.json"):
        load_bundle(tmp_path)


def test_a_path_out_of_the_bundle_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["networks"]["net"]["file"] = "../net.safetensors"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="malformed"):
        load_bundle(folder)


def test_weights_of_other_sizes_are_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["networks"]["net"]["config"]["maps"] = 2
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="do not fit their architecture"):
        load_bundle(folder)


def test_asking_for_another_architecture_says_what_there_is(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"no LstmMil called 'net'; it holds \{'net': 'HeatmapUNet'\}"):
        load_bundle(folder).network("net", LstmMil)


def test_an_ensemble_is_all_its_numbered_networks_or_those_named(tmp_path: Path) -> None:
    entries = {
        name: write_network(tmp_path, name, "heatmap_unet", CONFIG, HeatmapUNet(CONFIG))
        for name in ("net_0", "net_1", "other", "net_extra")
    }
    write_manifest(
        tmp_path,
        BundleManifest(name="many", recipe="multistage_mil", preset="tiny", networks=entries, training={}),
    )
    bundle = load_bundle(tmp_path)
    assert bundle.members("net", HeatmapUNet) == tuple(bundle.networks[n] for n in ("net_0", "net_1"))
    assert bundle.members("net", HeatmapUNet, ["net_1"]) == (bundle.networks["net_1"],)
    assert bundle.members("other", HeatmapUNet) == (bundle.networks["other"],)
    with pytest.raises(BundleError, match="absent"):
        bundle.members("absent", HeatmapUNet)
