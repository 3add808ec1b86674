"""Where in each crop the evidence for a worse severity lies.

Element-wise gradient times activation (HiResCAM, Draelos and Carin, arXiv:2011.08891) at an early encoder
stage: its cells are small enough to tell a recess from the facet beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..domain.study import PixelArray
from ..models.lstm_mil import LstmMil, MilOutput

Heatmaps = tuple[PixelArray, ...]


def grade_with_heatmaps(network: LstmMil, bags: tuple[Tensor, ...]) -> tuple[MilOutput, Heatmaps]:
    """One pass forwards and one back; heatmaps per plane, shape (B, N, h, w).

    The gradient is that of the expected severity (0 normal/mild .. 2 severe). Each crop is scaled to a
    maximum of 1, or stays 0 where nothing in it speaks for a worse severity.
    """
    with torch.enable_grad(), _recorded(network) as recorded:
        # Weights ask for no gradient; the images do, so that one flows through the features.
        output = network(tuple(bag.clone().requires_grad_(True) for bag in bags))
        probs = functional.softmax(output.logits.float(), dim=-1)
        expected = (probs * torch.arange(3, device=probs.device)).sum()
        gradients = torch.autograd.grad(expected, recorded)
    maps = tuple(
        _heatmap(features.detach(), gradient, bag.shape[:2])
        for features, gradient, bag in zip(recorded, gradients, bags, strict=True)
    )
    return output, maps


@contextmanager
def _recorded(network: LstmMil) -> Iterator[list[Tensor]]:
    features: list[Tensor] = []
    handles = [
        layer.register_forward_hook(lambda _m, _i, out: features.append(out))
        for layer in network.heatmap_layers()
    ]
    try:
        yield features
    finally:
        for handle in handles:
            handle.remove()


def _heatmap(features: Tensor, gradient: Tensor, bag_shape: torch.Size) -> PixelArray:
    contribution = (features * gradient).sum(1).clamp_min(0)
    top = contribution.amax((-2, -1), keepdim=True).clamp_min(1e-12)
    return (contribution / top).unflatten(0, bag_shape).detach().cpu().numpy().astype(np.float32)
