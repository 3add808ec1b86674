"""Every architecture of the catalog goes through the same battery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.bundle import BundleManifest, load_bundle, write_manifest, write_network
from napari_lumbar.models.catalog import ARCHITECTURES, build_network
from napari_lumbar.models.convnext3d import _PairwiseDepthwise
from napari_lumbar.models.golden import check_golden, write_golden
from napari_lumbar.models.heatmap_unet import named_probabilities, pad_to_multiple
from napari_lumbar.models.mscan import MscanInput

SMALL_RESNET = {"encoder": "resnet10t", "encoder_options": {"channels": [8, 8, 8, 8], "stem_width": 8}}
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "heatmap_unet": {"named": 3, "maps": 2, "widths": [4, 8, 8, 8, 8], "bottom_kernel": 5},
    "slice_index_convnext3d": {"heads": 5, "size": 32, "stem_width": 8, "widths": [8, 8, 8, 8]},
    "lstm_mil": {
        "planes": ["sagittal", "axial"],
        "encoder_options": {"channels": [8, 8, 8, 8], "stem_width": 8},
    },
    "grade_calibration": {"features": 6},
    "point_regressor": {
        "points": 5,
        "size": 32,
        "encoder": "resnet10t",
        "encoder_options": {"channels": [8, 8, 8, 8], "stem_width": 8},
    },
    "multiview_transformer": {
        "shape": [5, 32, 64],
        "encoder": "resnet10t",
        "encoder_options": {"channels": [8, 8, 8, 8], "stem_width": 8},
        "feedforward": 16,
    },
    "point_unet": {**SMALL_RESNET, "decoder": [16, 16, 8, 8, 8], "size": 64},
    "level_detector": {**SMALL_RESNET, "width": 32, "depth": 1, "size": 64},
    "axial_point": {**SMALL_RESNET, "size": 64},
    "crop_grader": {**SMALL_RESNET, "heatmap_layer": "layer2", "size": 32, "features": 16},
    "mscan": {
        "sagittal": {**SMALL_RESNET, "size": 32, "features": 16},
        "axial": {**SMALL_RESNET, "size": 48, "features": 24},
        "width": 16,
    },
    "sequence_efficientnet": {
        "size": 64,
        "encoder": "resnet10t",
        "encoder_options": {"channels": [8, 8, 8, 8], "stem_width": 8},
        "heatmap_layer": "layer3",
    },
    "three_way": {
        "size": 64,
        "image": "timm",
        "image_options": {"channels": [8, 8, 8, 8], "stem_width": 8},
        "vocabulary": 4,
        "joint_width": 8,
        "hidden": 8,
    },
}
INPUTS: Mapping[str, Callable[[], Any]] = {
    "heatmap_unet": lambda: torch.rand(2, 1, 48, 32),
    "slice_index_convnext3d": lambda: torch.rand(2, 1, 32, 32, 32),
    "lstm_mil": lambda: (torch.rand(2, 5, 1, 64, 64), torch.rand(2, 5, 1, 64, 64)),
    "grade_calibration": lambda: torch.rand(2, 3),
    "point_regressor": lambda: torch.rand(2, 3, 32, 32),
    "multiview_transformer": lambda: (
        torch.rand(2, 3, 5, 32, 64),
        torch.ones(2, 3, 5, dtype=torch.bool),
        torch.tensor([0, 4]),
    ),
    "point_unet": lambda: torch.rand(2, 1, 64, 64),
    "level_detector": lambda: torch.rand(2, 1, 64, 64),
    "axial_point": lambda: torch.rand(2, 1, 64, 64),
    "crop_grader": lambda: torch.rand(2, 1, 32, 32),
    "mscan": lambda: MscanInput(
        torch.rand(2, 5, 1, 32, 32),
        torch.rand(2, 5, 3, 1, 48, 48),
        torch.tensor([[[True, True]] * 4 + [[False, False]]] * 2),
    ),
    "sequence_efficientnet": lambda: (torch.rand(2, 1, 64, 64), torch.tensor([0, 4])),
    "three_way": lambda: (
        torch.rand(2, 3, 3, 64, 64),
        torch.ones(2, 3, dtype=torch.bool),
        torch.tensor([[[1, 2, 3]] * 3, [[1, 0, 0]] * 3]),
        torch.tensor([0, 4]),
        torch.tensor([0, 2]),
    ),
}
#: Fitted, not trained.
WITHOUT_WEIGHTS = {"grade_calibration"}


def tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    if output is None:  # heads that a configuration leaves out
        return []
    parts = output if isinstance(output, tuple) else vars(output).values()
    return [t for part in parts for t in tensors(part)]


def test_every_architecture_is_in_the_battery() -> None:
    assert set(CONFIGS) == set(INPUTS) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - WITHOUT_WEIGHTS))
def test_results_are_finite_and_every_weight_learns(name: str) -> None:
    torch.manual_seed(0)
    network: nn.Module = build_network(name, CONFIGS[name])
    for parameter in network.parameters():  # a residual branch may start at zero and pass no gradient
        parameter.data.add_(0.05 * torch.rand_like(parameter))
    outputs = tensors(network(INPUTS[name]()))
    assert all(torch.isfinite(t).all() for t in outputs)
    sum((t * torch.rand_like(t)).sum() for t in outputs).backward()  # type: ignore[union-attr]
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_answers_written_with_a_bundle_come_again_and_other_weights_are_noticed(
    name: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network: Any = build_network(name, CONFIGS[name])
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.add_(0.1 * torch.rand_like(value))
    bundle_of(tmp_path, name, network)
    write_golden(tmp_path)
    assert check_golden(tmp_path, load_bundle(tmp_path))
    altered = load_bundle(tmp_path)
    for value in altered.networks["net"].state_dict().values():
        if value.is_floating_point():
            value.copy_(value.flip(0) if value.ndim else value + 1)
    with pytest.raises(BundleError, match="'net' does not answer as it did when the bundle was made"):
        check_golden(tmp_path, altered)


def bundle_of(folder: Path, architecture: str, network: Any) -> None:
    entry = write_network(folder, "net", architecture, network.config, network)
    networks = {"net": entry}
    write_manifest(
        folder, BundleManifest(name="one", recipe="mscan", preset="tiny", networks=networks, training={})
    )


def test_an_unknown_architecture_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match=r"'yolo' is none of \[.*'grade_calibration'"):
        build_network("yolo", {})


def test_a_configuration_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BundleError, match="does not fit 'heatmap_unet'"):
        build_network("heatmap_unet", {"depth": 3})


def test_named_maps_and_absence_are_one_distribution() -> None:
    places, absent = named_probabilities(torch.randn(2, 3, 5, 4), torch.randn(2, 3))
    torch.testing.assert_close(places.sum((-2, -1)) + absent, torch.ones(2, 3))


def test_padding_reaches_the_next_multiple_of_sixteen() -> None:
    assert pad_to_multiple(torch.zeros(1, 1, 17, 32)).shape[-2:] == (32, 32)


def test_the_pairwise_convolution_is_the_3d_one() -> None:
    layer = _PairwiseDepthwise(3)
    full = nn.Conv3d(3, 3, (2, 7, 7), padding=(0, 3, 3), groups=3)
    with torch.no_grad():
        full.weight.copy_(torch.stack([layer.this.weight, layer.following.weight], dim=2))
        assert full.bias is not None
        assert layer.this.bias is not None
        full.bias.copy_(layer.this.bias)
        x = torch.randn(2, 3, 6, 9, 9)
        expected = full(nn.functional.pad(x, (0, 0, 0, 0, 0, 1)))
        torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-4)
