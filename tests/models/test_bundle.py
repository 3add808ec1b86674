from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.bundle import (
    MANIFEST,
    BundleManifest,
    default_bundle_path,
    load_bundle,
    write_manifest,
    write_network,
)
from napari_lumbar.models.golden import GOLDEN, answers, check_golden, write_golden
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


@pytest.mark.parametrize("change", ["missing", "extra", "renamed"])
def test_keys_must_be_exactly_those_of_the_architecture(folder: Path, change: str) -> None:
    tensors = safetensors.torch.load_file(folder / "net.safetensors")
    if change != "extra":
        tensors["head.wait" if change == "renamed" else "stem.bias"] = tensors.pop("head.weight")
    else:
        tensors["another"] = torch.zeros(1)
    replace_weights(folder, safetensors.torch.save(tensors))
    with pytest.raises(BundleError, match=r"net\.safetensors do not fit their architecture"):
        load_bundle(folder)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    change_manifest(folder, ("networks", "net", "architecture"), "axial_point")
    change_manifest(folder, ("networks", "net", "config"), {"size": 64, "encoder": "resnet10t"})
    with pytest.raises(BundleError, match="do not fit their architecture"):
        load_bundle(folder)


def test_another_order_of_the_classes_is_refused(folder: Path) -> None:
    change_manifest(folder, ("severities",), ["Severe", "Moderate", "Normal/Mild"])
    with pytest.raises(BundleError, match=r"the classes are \('Severe', .* every answer is read as"):
        load_bundle(folder)


def test_a_pickle_is_never_run(folder: Path, tmp_path: Path) -> None:
    """Not even one whose SHA-256 the manifest confirms, under the name of weights."""
    marker = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (marker,)

    torch.save({"head.weight": Trap()}, folder / "saved.pt")
    for data in (pickle.dumps(Trap()), (folder / "saved.pt").read_bytes()):
        replace_weights(folder, data)
        with pytest.raises(
            BundleError, match=r"net\.safetensors are no safetensors; .* pickles among them, are never read"
        ):
            load_bundle(folder)
    change_manifest(folder, ("networks", "net", "file"), "saved.pt")
    with pytest.raises(BundleError, match="malformed"):
        load_bundle(folder)
    assert not marker.exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_value_of_weights_may_be_anything_but_finite(tmp_path: Path, value: float) -> None:
    network = HeatmapUNet(CONFIG)
    with torch.no_grad():
        network.absent.bias[0] = value
    with pytest.raises(BundleError, match=r"not finite in \['absent.bias'\]"):
        load_bundle(write(tmp_path, network))


def test_golden_answers_belong_to_one_manifest(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert not check_golden(folder, bundle)
    write_golden(folder)
    assert check_golden(folder, bundle)
    change_manifest(folder, ("preset",), "paper")
    with pytest.raises(
        BundleError, match=r"golden\.json belongs to the bundle\.json of SHA-256 .* not to this"
    ):
        check_golden(folder, load_bundle(folder))
    (folder / GOLDEN).write_text("{}")
    with pytest.raises(BundleError, match=r"golden\.json of .* is malformed"):
        check_golden(folder, load_bundle(folder))


def test_classes_that_changed_places_in_the_weights_are_noticed(folder: Path) -> None:
    write_golden(folder)
    swapped = load_bundle(folder)
    head = swapped.network("net", HeatmapUNet).head
    head.weight.copy_(head.weight[[1, 0, 2]])
    head.bias.copy_(head.bias[[1, 0, 2]]) if head.bias is not None else None
    with pytest.raises(BundleError, match="'net' does not answer as it did"):
        check_golden(folder, swapped)


def test_answers_that_are_not_finite_are_never_golden(folder: Path) -> None:
    bundle = load_bundle(folder)
    bundle.network("net", HeatmapUNet).head.weight.fill_(float("nan"))
    with pytest.raises(BundleError, match="'net' gives values that are not finite"):
        answers(bundle)


def test_the_embedded_bundle_answers_as_it_did() -> None:
    assert check_golden(default_bundle_path(), load_bundle(default_bundle_path()))


def replace_weights(folder: Path, data: bytes) -> None:
    (folder / "net.safetensors").write_bytes(data)
    change_manifest(folder, ("networks", "net", "sha256"), hashlib.sha256(data).hexdigest())


def change_manifest(folder: Path, place: tuple[str, ...], value: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    inner = manifest
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    (folder / MANIFEST).write_text(json.dumps(manifest))


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
