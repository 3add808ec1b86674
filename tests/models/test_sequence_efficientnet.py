"""The published network of one sequence: sizes, levels that differ, layers that stay as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_lumbar.models.sequence_efficientnet import (
    LevelSlices,
    SequenceConfig,
    SequenceEfficientNet,
    _along_the_spine,
)

SMALL = SequenceConfig(
    size=64,
    encoder="resnet10t",
    encoder_options={"channels": (8, 8, 8, 16), "stem_width": 8},
    heatmap_layer="layer3",
    dropout=0.0,
)


def test_the_paper_network_is_efficientnetv2_s_with_a_new_last_layer() -> None:
    network = SequenceEfficientNet(SequenceConfig())
    encoder = sum(p.numel() for p in network.encoder.parameters())
    assert encoder == 20_177_488  # EfficientNetV2-S without its classifier
    head = sum(p.numel() for p in network.head.parameters())
    assert head == 5 * 1281 + 5 * 7 * 7 + 5 * 16 + 3 * (1280 + 16 + 1)


def test_the_paper_network_runs_forwards_and_back_on_a_small_image() -> None:
    torch.manual_seed(0)
    network = SequenceEfficientNet(replace(SequenceConfig(), size=64))
    output = network(LevelSlices(torch.rand(2, 1, 64, 64), torch.tensor([0, 4])))
    assert output.logits.shape == (2, 3)
    assert output.attention.shape == (2, 2, 2)
    torch.testing.assert_close(output.attention.sum((-2, -1)), torch.ones(2))
    output.logits.sum().backward()
    assert network.encoder.conv_stem.weight.grad is not None


@pytest.mark.parametrize("pooling", ["level", "average"])
def test_levels_of_one_slice_are_answered_from_different_evidence(pooling: str) -> None:
    torch.manual_seed(0)
    network = SequenceEfficientNet(replace(SMALL, pooling=pooling)).eval()  # type: ignore[arg-type]
    images = torch.rand(2, 1, 64, 64)
    answers = [network(LevelSlices(images, torch.full((2,), level))).logits for level in range(5)]
    # Were the level no more than an offset, two slices would differ alike at every level.
    between = torch.stack([answer[0] - answer[1] for answer in answers])
    assert float((between - between[0]).detach().abs().max()) > 1e-5


def test_levels_are_first_looked_for_from_top_to_bottom() -> None:
    rows = _along_the_spine((14, 14)).amax(-1).argmax(-1)
    assert rows.tolist() == sorted(rows.tolist())
    assert len(set(rows.tolist())) == 5


def test_frozen_layers_keep_weights_and_statistics_through_training() -> None:
    torch.manual_seed(0)
    network = SequenceEfficientNet(SMALL).train()
    network.freeze(("conv1", "bn1", "layer1"))
    frozen = [
        (name, value.clone())
        for name, value in network.encoder.state_dict().items()
        if name.startswith(("conv1", "bn1", "layer1"))
    ]
    free_before = network.encoder.get_submodule("layer2.0.bn1").running_mean.clone()
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    network.train()
    network(LevelSlices(torch.rand(4, 1, 64, 64), torch.tensor([0, 1, 2, 3]))).logits.sum().backward()
    optimizer.step()
    after = network.encoder.state_dict()
    for name, value in frozen:
        torch.testing.assert_close(after[name], value)
    assert not torch.equal(network.encoder.get_submodule("layer2.0.bn1").running_mean, free_before)
