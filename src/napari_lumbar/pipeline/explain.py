"""Where in each crop the evidence for a worse severity lies.

Element-wise gradient times activation (HiResCAM, Draelos and Carin, arXiv:2011.08891) at an early encoder
stage: its cells are small enough to tell a recess from the facet beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..domain.study import PixelArray
from ..models.lstm_mil import LstmMil, MilOutput

Heatmaps = tuple[PixelArray, ...]
T = TypeVar("T")


def grade_with_heatmaps(network: LstmMil, bags: tuple[Tensor, ...]) -> tuple[MilOutput, Heatmaps]:
    """One pass forwards and one back; heatmaps per plane, shape (B, N, h, w)."""
    # Weights ask for no gradient; the images do, so that one flows through the features.
    images = tuple(bag.clone().requires_grad_(True) for bag in bags)
    # cuDNN refuses the way back through an LSTM in evaluation mode.
    with torch.backends.cudnn.flags(enabled=False):
        output, maps = with_heatmaps(
            network.heatmap_layers(), lambda: network(images), lambda out: out.logits
        )
    shaped = tuple(
        each.reshape(*bag.shape[:2], *each.shape[1:]) for each, bag in zip(maps, bags, strict=True)
    )
    return output, shaped


def with_heatmaps(
    layers: Sequence[nn.Module], forward: Callable[[], T], logits_of: Callable[[T], Tensor]
) -> tuple[T, Heatmaps]:
    """Run a network once forwards and once back; one heatmap per image that goes through each layer.

    The gradient is that of the expected severity (0 normal/mild .. 2 severe). Each map is scaled to a
    maximum of 1, or stays 0 where nothing in the image speaks for a worse severity.

    Parameters
    ----------
    layers
        Layers whose output, (n, channels, h, w), makes the maps; each is used exactly once by ``forward``.
    forward
        Runs the network on images that ask for a gradient.
    logits_of
        The severities' logits in what ``forward`` returns, shape (..., 3).

    Returns
    -------
    output, heatmaps
        What ``forward`` returned, and per layer an array of shape (n, h, w).
    """
    with torch.enable_grad(), _recorded(layers) as recorded:
        output = forward()
        gradients = torch.autograd.grad(_expected(logits_of(output)), recorded)
    return output, tuple(
        _heatmap(features.detach(), gradient) for features, gradient in zip(recorded, gradients, strict=True)
    )


def with_heatmaps_each(
    layer: nn.Module, forward: Callable[[], T], logits_of: Callable[[T], Sequence[Tensor]]
) -> tuple[T, Heatmaps]:
    """Run a network once forwards, and once back for each of several answers about the same images.

    As ``with_heatmaps``, but ``logits_of`` gives one tensor of shape (..., 3) per answer, and the arrays of
    shape (n, h, w) are one per answer, all at one layer.
    """
    with torch.enable_grad(), _recorded([layer]) as recorded:
        output = forward()
        (features,) = recorded
        gradients = [
            torch.autograd.grad(_expected(logits), features, retain_graph=True)[0]
            for logits in logits_of(output)
        ]
    return output, tuple(_heatmap(features.detach(), gradient) for gradient in gradients)


def _expected(logits: Tensor) -> Tensor:
    """The sum of the expected severities."""
    probs = functional.softmax(logits.float(), dim=-1)
    return (probs * torch.arange(3, device=probs.device)).sum()


@contextmanager
def _recorded(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    features: list[Tensor] = []
    handles = [layer.register_forward_hook(lambda _m, _i, out: features.append(out)) for layer in layers]
    try:
        yield features
    finally:
        for handle in handles:
            handle.remove()


def _heatmap(features: Tensor, gradient: Tensor) -> PixelArray:
    contribution = (features * gradient).sum(1).clamp_min(0)
    top = contribution.amax((-2, -1), keepdim=True).clamp_min(1e-12)
    return (contribution / top).detach().cpu().numpy().astype(np.float32)
