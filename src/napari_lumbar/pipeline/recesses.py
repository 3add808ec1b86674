"""Left and right subarticular recess on the axial slice nearest to the canal point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..domain.geometry import FloatArray
from ..domain.spine import Side
from ..domain.study import MRSeries, PixelArray
from ..models.heatmap_unet import named_probabilities
from ..preprocess.axial_patch import PATCH_MM, AxialPatch, axial_patch
from .naming import centre_of_mass_near

#: Named channels of the axial network.
SIDES = (Side.LEFT, Side.RIGHT)
MAP_MM = 2 * PATCH_MM
#: An axial plane farther than this from the canal point belongs to another place.
FARTHEST_PLANE_MM = 8.0
#: Where a recess lies beside the canal point (RSNA tables: 17 mm apart) and how far from it at least.
_LATERAL_MM, _LATERAL_SD_MM, _LEAST_LATERAL_MM = 8.5, 4.5, 2.0
_ANTEROPOSTERIOR_SD_MM = 6.0
_PRIOR_SHARE = 1e-4


@dataclass(frozen=True, eq=False)
class AxialSlice:
    """An axial slice chosen for a level: its series (usual view), place, and distance of its plane."""

    series: MRSeries
    slice_index: int
    distance_mm: float


def nearest_axial_slice(series: Sequence[MRSeries], canal_lps_mm: FloatArray) -> AxialSlice | None:
    """The slice whose plane passes nearest, over all axial series; None where none is near."""
    found = []
    for one in series:
        index = one.nearest_slice_index(canal_lps_mm)
        found.append(AxialSlice(one, index, float(one.plane_distances_mm(canal_lps_mm)[index])))
    near = [candidate for candidate in found if candidate.distance_mm <= FARTHEST_PLANE_MM]
    return min(near, key=lambda candidate: candidate.distance_mm, default=None)


def find_recesses(
    network: nn.Module, chosen: AxialSlice, canal_lps_mm: FloatArray, device: torch.device
) -> Mapping[Side, tuple[FloatArray, float]]:
    """(row, column) in the usual view and confidence for both sides."""
    mr_slice = chosen.series.slices[chosen.slice_index]
    canal_rc = mr_slice.geometry.pixel_from_lps(canal_lps_mm)
    patch = axial_patch(mr_slice, canal_rc)
    with torch.inference_mode():
        logits, absent = network(torch.from_numpy(patch.image)[None, None].to(device))
        named, _ = named_probabilities(logits[:, : len(SIDES)], absent)
    return {side: _recess(named[0, i].cpu().numpy(), patch, canal_rc, side) for i, side in enumerate(SIDES)}


def _recess(
    heat: PixelArray, patch: AxialPatch, canal_rc: FloatArray, side: Side
) -> tuple[FloatArray, float]:
    canal = (patch.patch_from_pixel(canal_rc) - 0.5) / 2
    sign = 1.0 if side is Side.LEFT else -1.0  # columns run to the patient's left in the usual view
    rows, columns = np.indices(heat.shape)
    lateral = sign * (columns - canal[1]) * MAP_MM
    depth = (rows - canal[0]) * MAP_MM
    prior = np.exp(
        -((lateral - _LATERAL_MM) ** 2) / (2 * _LATERAL_SD_MM**2) - depth**2 / (2 * _ANTEROPOSTERIOR_SD_MM**2)
    )
    # Whatever the network says, a left recess is not right of the canal.
    prior = np.where(lateral >= _LEAST_LATERAL_MM, prior, 0)
    weighted = ((heat + _PRIOR_SHARE) * prior).astype(np.float32)
    peak = np.array(np.unravel_index(int(weighted.argmax()), heat.shape))
    map_rc = centre_of_mass_near(weighted, peak.astype(np.float64))
    near = heat[max(0, peak[0] - 2) : peak[0] + 3, max(0, peak[1] - 2) : peak[1] + 3]
    return patch.pixel_from_patch(2 * map_rc + 0.5), float(np.clip(near.sum(), 0.05, 1))
