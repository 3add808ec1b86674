"""Which slice: the one through the middle of the canal; 3-D networks are asked where there are any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy import ndimage

from ..domain.geometry import FloatArray
from ..domain.spine import Level
from ..domain.study import MRSlice
from ..models.convnext3d import SliceIndexNet
from ..preprocess.slice_volume import VOLUME_SLICES, slice_place, slice_volume
from .sagittal_maps import SagittalMaps
from .spine_frame import LevelFrame

#: How well the canal's middle is known sideways, and how far from a series' central slice readers mark the
#: canal (RSNA tables).
_MIDDLE_SD_MM = 1.5
#: A level whose canal lies this many slice steps beside the common slice has a slice of its own.
_BENDS_OUT_STEPS = 0.8
_READER_SD_SLICES = 0.68


def network_votes(network: SliceIndexNet, slices: tuple[MRSlice, ...], device: torch.device) -> FloatArray:
    """Ask a ``SliceIndexNet``; return places by classification and by regression, shape (1 or 2, heads)."""
    volume = torch.from_numpy(slice_volume(slices, network.config.size))[None, None]
    with torch.inference_mode():
        logits, places = network(volume.to(device))
    votes = []
    if logits is not None:
        votes.append(logits[0].float().argmax(-1).cpu().numpy().astype(np.float64))
    if places is not None:
        votes.append(places[0, :, -1].double().cpu().numpy() * VOLUME_SLICES)
    return slice_place(np.stack(votes), len(slices))


def map_vote(values: FloatArray, fallback: float) -> float:
    """Centre of a profile over slices, shape (slices,); ``fallback`` where it is flat zero."""
    values = np.where(values >= 0.25 * values.max(), values, 0)
    if values.sum() < 1e-3:
        return fallback
    return float(ndimage.center_of_mass(values)[0])


def canal_places(
    maps: SagittalMaps, levels: Mapping[Level, LevelFrame], votes: FloatArray
) -> dict[Level, int]:
    """The slices a reader marks the canal on: one for all levels, except where the spine bends out of it.

    Of 1,974 RSNA studies 78 % have all canal points on one slice, mostly the series' central one.

    Parameters
    ----------
    votes
        Places that slice-index networks voted for, shape (networks, levels); may have no rows.
    """
    if not levels:
        return {}
    middle = maps.geometry.centre_lps_mm
    canal_mm = {level: float((f.canal_lps_mm - middle) @ f.left) for level, f in levels.items()}
    places = np.arange(len(maps.slices))
    central = ((places - (len(places) - 1) / 2) / _READER_SD_SLICES) ** 2
    cost = np.mean([((maps.across_mm - mm) / _MIDDLE_SD_MM) ** 2 for mm in canal_mm.values()], axis=0)
    common = int((cost + central).argmin())
    reach_mm = _BENDS_OUT_STEPS * float(np.median(np.abs(np.diff(maps.across_mm)))) if len(places) > 1 else 0
    chosen = {}
    for level, mm in canal_mm.items():
        own = int(np.abs(maps.across_mm - mm).argmin())
        place = own if abs(maps.across_mm[common] - mm) > reach_mm else common
        joined = float(np.median([*votes[:, level.rank], place]))
        chosen[level] = int(np.clip(np.rint(joined), 0, len(places) - 1))
    return chosen
