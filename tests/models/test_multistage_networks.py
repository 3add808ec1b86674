"""The published networks of the multistage system: their sizes, and that they learn on smaller images."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.convnext3d import (
    NARROW_CLASSES,
    WIDE_CLASSES,
    WIDE_PLACES,
    SliceIndexConfig,
    SliceIndexNet,
)
from napari_lumbar.models.lstm_mil import LstmMil, MilConfig
from napari_lumbar.models.point_regressor import PointRegressor, PointRegressorConfig

#: Published numbers of values with 1000 classes and three channels, width of the features, width of the stem
#: times the pixels of its kernel.
ENCODERS = {
    "convnext_base": (88_591_464, 1024, 128 * 16),
    "convnext_small": (50_223_688, 768, 96 * 16),
    "tf_efficientnetv2_l": (118_515_272, 1280, 32 * 9),
    "tf_efficientnetv2_s": (21_458_488, 1280, 24 * 9),
}
TINY = {"channels": (8, 8, 8, 8), "stem_width": 8}


def values(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def encoder_values(name: str, channels: int) -> int:
    whole, width, stem = ENCODERS[name]
    return whole - 1000 * (width + 1) - (3 - channels) * stem


def slice_values(config: SliceIndexConfig) -> int:
    """Blocks of a paired (2, 7, 7) convolution, GroupNorm and two projections; transitions; heads."""
    widths = config.widths
    blocks = sum(d * (8 * w * w + 106 * w) for w, d in zip(widths, config.depths, strict=True))
    steps = sum(2 * a + 8 * a * b + b for a, b in pairwise(widths))
    stem = config.stem_width * (config.stem**2 + 1 + 2) + (config.stem_width + 1) * widths[0]
    answers = config.heads * (config.n_slices * config.classifies + config.regresses)
    return stem + blocks + steps + 2 * widths[-1] + (widths[-1] + 1) * answers


@pytest.mark.parametrize(
    "config", [NARROW_CLASSES, WIDE_CLASSES, WIDE_PLACES], ids=["narrow", "wide", "places"]
)
def test_slice_networks_have_the_published_sizes(config: SliceIndexConfig) -> None:
    with torch.device("meta"):
        network = SliceIndexNet(config)
        output = network(torch.empty(1, 1, 32, 384, 384))
    assert config.depths == (3, 3, 9, 3)
    assert values(network) == slice_values(config)
    if config.classifies:
        assert output.places is None
        assert output.logits is not None
        assert output.logits.shape == (1, 5, 32)
    else:
        assert output.logits is None
        assert output.places is not None
        assert output.places.shape == (1, 5, 3)


@pytest.mark.parametrize(
    ("encoder", "points", "channels"),
    [("convnext_base", 5, 3), ("convnext_base", 2, 1), ("tf_efficientnetv2_l", 5, 3)],
)
def test_point_networks_have_the_published_sizes(encoder: str, points: int, channels: int) -> None:
    with torch.device("meta"):
        network = PointRegressor(PointRegressorConfig(points, channels, encoder=encoder))
        found = network(torch.empty(1, channels, 384, 384))
    assert found.shape == (1, points, 2)
    heads = points * 2 * (ENCODERS[encoder][1] + 1)
    assert values(network) == encoder_values(encoder, channels) + heads


@pytest.mark.parametrize("encoder", ["convnext_small", "tf_efficientnetv2_s"])
def test_severity_networks_have_the_published_sizes(encoder: str) -> None:
    width, hidden = ENCODERS[encoder][1], ENCODERS[encoder][1] // 2
    with torch.device("meta"):
        network = LstmMil(MilConfig(("sagittal", "axial"), encoder, {}))
        output = network((torch.empty(1, 5, 1, 128, 224), torch.empty(1, 5, 1, 256, 256)))
    lstm = 4 * (4 * hidden * (width + hidden) + 8 * hidden)
    plane = encoder_values(encoder, 1) + lstm + 2 * (width + 1)
    assert values(network) == 2 * plane + 3 * (2 * width + 1) + 3 * (width + 1)
    assert output.logits.shape == (1, 3)
    assert [score.shape for score in output.slice_scores] == [(1, 5), (1, 5)]


def test_the_published_networks_learn_on_smaller_images() -> None:
    torch.manual_seed(0)
    slices, points = SliceIndexNet(NARROW_CLASSES), PointRegressor(PointRegressorConfig(5))
    graded = LstmMil(MilConfig(("axial",), "tf_efficientnetv2_s", {}))
    logits = slices(torch.rand(1, 1, 32, 32, 32)).logits
    assert logits is not None
    found = points(torch.rand(1, 3, 64, 64))
    assert ((found > 0) & (found < 1)).all()
    output = graded((torch.rand(2, 5, 1, 64, 64),))
    (logits.sum() + found.sum() + output.logits.sum() + output.slice_scores[0].sum()).backward()
    for network in (slices, points):
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_without_an_lstm_the_tokens_go_straight_to_the_attentions() -> None:
    config = MilConfig(("axial",), encoder_options=TINY, recurrent=False)
    network = LstmMil(config).eval()
    assert not any("lstm" in name for name in network.state_dict())
    bag = torch.rand(1, 5, 1, 64, 64)
    with torch.no_grad():  # nothing knows the order of the crops then
        torch.testing.assert_close(network((bag,)).logits, network((bag.flip(1),)).logits)


def test_points_pooled_on_a_grid_see_where_things_are() -> None:
    config = PointRegressorConfig(2, 1, 96, "resnet10t", TINY, pooled=3)
    network = PointRegressor(config)
    assert network.place.in_features == 9 * 8
    assert network(torch.rand(2, 1, 96, 96)).shape == (2, 2, 2)


def test_a_slice_network_without_heads_is_refused() -> None:
    with pytest.raises(BundleError, match="has no heads that anybody knows; regress 0, 1 or 3"):
        SliceIndexConfig(5, classifies=False, regresses=0)
