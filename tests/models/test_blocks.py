"""Parts that several networks share."""

from __future__ import annotations

import torch
from torch import nn

from napari_lumbar.models.blocks import channels_last


def test_another_layout_is_the_same_network() -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.GELU(), nn.Conv2d(8, 4, 3))
    image = torch.randn(2, 3, 16, 16)
    before = network(image)
    names = list(network.state_dict())
    channels_last(network)
    assert list(network.state_dict()) == names
    first = network[0]
    assert isinstance(first, nn.Conv2d)
    assert first.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(image), before)


def test_weights_of_volumes_keep_their_layout() -> None:
    network = nn.Conv3d(1, 2, 3)
    channels_last(network)
    assert network.weight.is_contiguous()
    assert network(torch.randn(1, 1, 5, 5, 5)).shape == (1, 2, 3, 3, 3)
