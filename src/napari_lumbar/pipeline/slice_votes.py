"""Which slice: answers of the 3-D network's two heads, joined with what the maps say by the median."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ..domain.geometry import FloatArray
from ..domain.study import MRSlice
from ..models.convnext3d import SliceIndexNet
from ..preprocess.slice_volume import VOLUME_SLICES, slice_volume


def network_votes(network: SliceIndexNet, slices: tuple[MRSlice, ...], device: torch.device) -> FloatArray:
    """Ask a ``SliceIndexNet``; return places by (classification, regression), shape (2, heads)."""
    volume = torch.from_numpy(slice_volume(slices, network.config.size))[None, None]
    with torch.inference_mode():
        logits, relative = network(volume.to(device))
    factor = max(1.0, len(slices) / VOLUME_SLICES)
    classes = functional.softmax(logits[0].float(), dim=-1).argmax(-1).cpu().numpy()
    regressed = relative[0].float().cpu().numpy() * (VOLUME_SLICES - 1)
    return np.stack([classes, regressed]) * factor


def map_vote(values: FloatArray, fallback: float) -> float:
    """Centre of a profile over slices, shape (slices,); ``fallback`` where it is flat zero."""
    values = np.where(values >= 0.25 * values.max(), values, 0)
    if values.sum() < 1e-3:
        return fallback
    return float(ndimage.center_of_mass(values)[0])
