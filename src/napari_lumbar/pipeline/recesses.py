"""Left and right subarticular recess on the axial slice nearest to the canal point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.spine import Side
from ..domain.study import MRSeries, PixelArray, best_suited
from ..models.heatmap_unet import named_probabilities
from ..preprocess.axial_patch import PATCH_MM, PATCH_PX, AxialPatch, axial_patch
from ..preprocess.channels import AXIAL_SIDES
from .naming import centre_of_mass_near

MAP_MM = 2 * PATCH_MM
#: An axial plane farther than this from the canal point belongs to another place.
FARTHEST_PLANE_MM = 8.0
#: Where a recess lies beside the canal point (RSNA tables: 17 mm apart) and how far from it at least.
_LATERAL_MM, _LATERAL_SD_MM, _LEAST_LATERAL_MM = 8.5, 4.5, 2.0
_ANTEROPOSTERIOR_SD_MM = 6.0
_PRIOR_SHARE = 1e-4
_CANAL_PROBABILITY = 0.5
#: How far the sagittal canal point may be off sideways, and the smallest cross-section of a sac.
_CANAL_SD_MM = 12.0
_SMALLEST_CANAL_MM2 = 20.0


@dataclass(frozen=True, eq=False)
class AxialSlice:
    """An axial slice chosen for a level: its series (usual view), place, and distance of its plane."""

    series: MRSeries
    slice_index: int
    distance_mm: float


def nearest_axial_slice(series: Sequence[MRSeries], canal_lps_mm: FloatArray) -> AxialSlice | None:
    """The slice whose plane passes nearest, over all axial series; None where none is near.

    Only the series best suited to their role count, of those that have a slice that is near.
    """
    found = []
    for one in series:
        index = one.nearest_slice_index(canal_lps_mm)
        found.append(AxialSlice(one, index, float(one.plane_distances_mm(canal_lps_mm)[index])))
    near = [candidate for candidate in found if candidate.distance_mm <= FARTHEST_PLANE_MM]
    suited = {one.series_id for one in best_suited(candidate.series for candidate in near)}
    suitable = (one for one in near if one.series.series_id in suited)
    return min(suitable, key=lambda one: one.distance_mm, default=None)


@dataclass(frozen=True, eq=False)
class AxialView:
    """What the axial network sees around a canal point.

    Parameters
    ----------
    chosen
        The slice, in the usual view.
    patch
        The patch the network saw.
    heat
        Probability of each side's recess, shape (2, 48, 48), in the order of ``AXIAL_SIDES``.
    canal_map_rc
        Middle of the canal in map pixels, or where it was expected if it is not seen.
    canal_seen
        Whether it is.
    """

    chosen: AxialSlice
    patch: AxialPatch
    heat: PixelArray
    canal_map_rc: FloatArray
    canal_seen: bool

    @property
    def geometry(self) -> SliceGeometry:
        """Where the slice lies."""
        return self.chosen.series.slices[self.chosen.slice_index].geometry

    def pixel_from_map(self, map_rc: FloatArray) -> FloatArray:
        """(row, column) of the slice: map pixel i covers patch pixels 2i and 2i + 1."""
        return self.patch.pixel_from_patch(2 * map_rc + 0.5)

    @property
    def canal_lps_mm(self) -> FloatArray:
        """Middle of the canal in patient space, shape (3,)."""
        return self.geometry.lps_from_pixel(self.pixel_from_map(self.canal_map_rc))


def look_at_axial(
    network: nn.Module, chosen: AxialSlice, canal_lps_mm: FloatArray, device: torch.device
) -> AxialView:
    """Run the network around the canal point and find the canal's own middle."""
    mr_slice = chosen.series.slices[chosen.slice_index]
    patch = axial_patch(mr_slice, mr_slice.geometry.pixel_from_lps(canal_lps_mm))
    heat, canal = _both_ways(network, patch.image, device)
    middle = canal_middle(canal)
    expected = np.full(2, (PATCH_PX / 2 - 1) / 2)
    return AxialView(chosen, patch, heat, expected if middle is None else middle, middle is not None)


def _both_ways(network: nn.Module, image: PixelArray, device: torch.device) -> tuple[PixelArray, PixelArray]:
    """Heat of each side's recess, and of the canal: the mean of a patch's and its mirror image's answers.

    So neither side is favoured: the mirror image of a patient gets the mirrored answer.
    """
    both = np.stack([image, image[:, ::-1]])[:, None]
    with torch.inference_mode():
        logits, absent = network(torch.from_numpy(both).to(device))
        named, _ = named_probabilities(logits[:, : len(AXIAL_SIDES)], absent)
        canal = logits[:, len(AXIAL_SIDES)].float().sigmoid()
        # In the mirror the sides change places.
        heat = (named[0] + named[1].flip(0, 2)) / 2
        middle = (canal[0] + canal[1].flip(1)) / 2
    return heat.float().cpu().numpy(), middle.cpu().numpy()


def canal_middle(canal: PixelArray) -> FloatArray | None:
    """Centre of the canal nearest to the middle of its map, shape (2,); None where nothing looks like one."""
    labels, count = ndimage.label(canal > _CANAL_PROBABILITY)
    if count == 0:
        return None
    rows, columns = np.indices(canal.shape)
    middle = (len(canal) - 1) / 2
    squared = ((rows - middle) ** 2 + (columns - middle) ** 2) * MAP_MM**2
    evidence = ndimage.sum(canal * np.exp(-squared / (2 * _CANAL_SD_MM**2)), labels, range(1, count + 1))
    best = 1 + int(np.argmax(evidence))
    if (labels == best).sum() * MAP_MM**2 < _SMALLEST_CANAL_MM2:
        return None
    return np.array(ndimage.center_of_mass(labels == best))


def find_recesses(view: AxialView) -> Mapping[Side, tuple[FloatArray, float]]:
    """(row, column) in the usual view and confidence for both sides."""
    return {side: _recess(view, side) for side in AXIAL_SIDES}


def _recess(view: AxialView, side: Side) -> tuple[FloatArray, float]:
    heat = view.heat[AXIAL_SIDES.index(side)]
    sign = 1.0 if side is Side.LEFT else -1.0  # columns run to the patient's left in the usual view
    rows, columns = np.indices(heat.shape)
    lateral = sign * (columns - view.canal_map_rc[1]) * MAP_MM
    depth = (rows - view.canal_map_rc[0]) * MAP_MM
    prior = np.exp(
        -((lateral - _LATERAL_MM) ** 2) / (2 * _LATERAL_SD_MM**2) - depth**2 / (2 * _ANTEROPOSTERIOR_SD_MM**2)
    )
    # Whatever the network says, a left recess is not right of the canal.
    prior = np.where(lateral >= _LEAST_LATERAL_MM, prior, 0)
    weighted = ((heat + _PRIOR_SHARE) * prior).astype(np.float32)
    peak = np.array(np.unravel_index(int(weighted.argmax()), heat.shape))
    map_rc = centre_of_mass_near(weighted, peak.astype(np.float64))
    near = heat[max(0, peak[0] - 2) : peak[0] + 3, max(0, peak[1] - 2) : peak[1] + 3]
    return view.pixel_from_map(map_rc), float(np.clip(near.sum(), 0.05, 1))
