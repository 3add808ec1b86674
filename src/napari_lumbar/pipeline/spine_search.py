"""Where the levels are, with a second, closer look where some are missing without a reason.

The networks learnt spines of usual size. In a small one, or in a file whose millimetres are wrong, they see
no discs or too few, although the image goes on beyond them; a little enlarged they often see all.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..domain.geometry import FloatArray
from ..domain.spine import Level
from ..domain.study import MRSeries
from ..models.heatmap_unet import HeatmapUNet
from ..preprocess.channels import SAGITTAL_MM
from .progress import CancelToken
from .sagittal_maps import SagittalMaps, sagittal_maps
from .spine_frame import SpineFrame, find_spine

#: Pixels of the second look: the spine appears a fifth larger.
CLOSER_MM = SAGITTAL_MM / 1.2
#: An image that goes on by more than this beyond the outermost level has room for the next one. RSNA's canal
#: points lie 28 to 42 mm apart, and the disc at the sacrum shows with some of the sacrum below it.
_ROOM_MM = 60.0


def look_for_spine(
    networks: Sequence[HeatmapUNet], series: MRSeries, device: torch.device, cancel: CancelToken
) -> tuple[SagittalMaps, SpineFrame]:
    """Maps and levels of a sagittal series in the usual view.

    The second look counts only if it finds more levels.
    """
    maps = sagittal_maps(networks, series, device, cancel)
    spine = find_spine(maps)
    if not misses_levels(maps, spine):
        return maps, spine
    closer = sagittal_maps(networks, series, device, cancel, CLOSER_MM)
    again = find_spine(closer)
    return (closer, again) if len(again.levels) > len(spine.levels) else (maps, spine)


def misses_levels(maps: SagittalMaps, spine: SpineFrame) -> bool:
    """Whether levels were not found that the image has room for."""
    found = [level for level in Level if level in spine.levels]
    if not found:
        return True
    top, bottom = (_row_mm(maps, spine.levels[level].disc_lps_mm) for level in (found[0], found[-1]))
    height_mm = maps.geometry.rows * maps.geometry.row_spacing_mm
    has_room_above = found[0] is not Level.L1_L2 and top > _ROOM_MM
    has_room_below = found[-1] is not Level.L5_S1 and height_mm - bottom > _ROOM_MM
    return has_room_above or has_room_below or len(found) < found[-1].rank - found[0].rank + 1


def _row_mm(maps: SagittalMaps, point_lps_mm: FloatArray) -> float:
    return float(maps.geometry.pixel_from_lps(point_lps_mm)[0] * maps.geometry.row_spacing_mm)
