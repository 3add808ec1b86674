"""The published network: its size, what masked slices mean, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.models.multiview_transformer import MultiviewConfig, MultiviewTransformer, Sight

SMALL = MultiviewConfig(
    shape=(5, 32, 64),
    encoder="resnet10t",
    encoder_options={"channels": (8, 8, 8, 16), "stem_width": 8},
    feedforward=32,
)


def sight(config: MultiviewConfig = SMALL, n: int = 2) -> Sight:
    shape = (n, len(config.roles), *config.shape)
    return Sight(torch.rand(shape), torch.ones(shape[:3], dtype=torch.bool), torch.arange(n) % 5)


def test_the_published_network_has_the_published_sizes() -> None:
    config = MultiviewConfig()
    network = MultiviewTransformer(config)
    # ResNet18 of one channel without its classifier; width 512, feed-forward 2048.
    layer = 4 * 512 * 513 + 2 * 512 * 2048 + 2048 + 512 + 4 * 512
    embeddings = 512 * (9 + 2 + 5) + 3 * 512 + 512
    heads = 5 * (512 * 3 + 3) + 512 * 5 + 5
    assert sum(p.numel() for p in network.parameters()) == 11_170_240 + 3 * layer + embeddings + heads
    assert config.shape == (9, 112, 224)
    assert (config.layers, config.heads, network.n_features) == (3, 2, 512)


def test_the_published_network_grades_and_learns_on_smaller_images() -> None:
    config = MultiviewConfig(shape=(9, 32, 64))
    network = MultiviewTransformer(config)
    output = network(sight(config, n=1))
    assert output.logits.shape == (1, 5, 3)
    assert output.level_logits.shape == (1, 5)
    assert output.weights.shape == (1, 3, 9)
    assert output.features.shape == (1, 512)
    (output.logits.sum() + output.level_logits.sum()).backward()
    assert all(p.grad is not None for p in network.parameters())


def test_what_is_not_visible_changes_nothing() -> None:
    torch.manual_seed(0)
    network = MultiviewTransformer(SMALL).eval()
    seen = sight()
    seen.visible[:, 1] = False
    seen.visible[:, 2, 3:] = False
    other = seen._replace(volumes=torch.where(seen.visible[..., None, None], seen.volumes, 7.0))
    with torch.no_grad():
        here, there = network(seen), network(other)
    torch.testing.assert_close(here.logits, there.logits)
    assert torch.equal(here.weights > 0, seen.visible)


def test_a_network_that_is_not_told_the_level_answers_alike_at_all_levels() -> None:
    network = MultiviewTransformer(replace(SMALL, knows_level=False)).eval()
    told = MultiviewTransformer(SMALL).eval()
    seen = sight(n=1)
    other = seen._replace(levels=torch.tensor([4]))
    with torch.no_grad():
        torch.testing.assert_close(network(seen).logits, network(other).logits)
        assert not torch.allclose(told(seen).logits, told(other).logits)


def test_a_single_series_is_a_matter_of_the_configuration() -> None:
    config = replace(SMALL, roles=("Axial T2",))
    assert MultiviewTransformer(config).eval()(sight(config)).weights.shape == (2, 1, 5)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BundleError, match="gives 16 features, which 6 attention heads cannot share"):
        MultiviewTransformer(replace(SMALL, heads=6))
    with pytest.raises(BundleError, match="must name one or more of"):
        MultiviewTransformer(replace(SMALL, roles=("Coronal T2",)))
