"""Left and right foramina on sagittal T1, looked for where anatomy puts them beside the canal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray
from ..domain.landmarks import NotGradable
from ..domain.spine import Level, Side
from ..domain.study import PixelArray, SeriesRole
from .naming import centre_of_mass_near
from .sagittal_maps import SagittalMaps
from .slice_votes import map_vote
from .spine_frame import LevelFrame

#: Where the middle of a foramen lies beside the canal point, L1/L2 .. L5/S1: half the distance of left and
#: right in the RSNA tables (6.7 to 8.4 slices of 4.4 mm).
LATERAL_MM = dict(zip(Level, (14.7, 15.4, 16.4, 17.5, 18.6), strict=True))
#: Half their distance varies by 3.3 mm between readers' studies, and its middle beside the canal by 3.5 mm.
_HALF_SD_MM, _LATERAL_RANGE_MM = 3.3, (9.0, 27.0)
#: A single slice may lack: where the nearest to the usual place is further, none shows the foramen for sure.
_GAP_MM = 5.0
#: A foramen is seen on its neighbours' slices, too, nearly as well as on the one through its middle. Heat to
#: this power tells them apart; the brightest slice alone is right less often than the centre of what is left.
_SHARPNESS = 8
#: Twice as far as foramina vary: what the network sees counts for more, or wide spines become usual ones.
_LATERAL_SD_MM = 10.0
#: A network that sees nothing brighter says nothing of the slice.
_SILENT = 0.05
#: And where above and in front of it, in the disc's frame (the same tables).
_CRANIAL_MM = dict(zip(Level, (6.0, 6.0, 6.5, 7.0, 8.5), strict=True))
_ANTERIOR_MM = dict(zip(Level, (2.6, 3.7, 5.0, 8.1, 10.4), strict=True))
_IN_PLANE_SD_MM = 6.0
#: The network's heatmap is multiplied by the anatomical prior; this much of the prior stands alone, so that
#: a silent network leaves the anatomical guess, with a low confidence.
_PRIOR_SHARE = 0.02
_ROLE = SeriesRole.SAGITTAL_T1


@dataclass(frozen=True, eq=False)
class ForamenPoint:
    """A foramen: its slice in the stack, (row, column) in the usual view, and 0..1."""

    place: int
    pixel_rc: FloatArray
    confidence: float


def find_foramen(
    maps: SagittalMaps, level: Level, frame: LevelFrame, side: Side, votes: FloatArray
) -> ForamenPoint | NotGradable:
    """Find one foramen, or say why the stack does not show it: it or its images end before, or it has a gap.

    Parameters
    ----------
    votes
        Places that slice-index networks voted for, any shape; may be empty.
    """
    sign = 1.0 if side is Side.LEFT else -1.0
    guess = frame.canal_lps_mm + _CRANIAL_MM[level] * frame.cranial - _ANTERIOR_MM[level] * frame.posterior
    expected_rc = maps.map_from_lps(guess + sign * LATERAL_MM[level] * frame.left)
    if not maps.holds(expected_rc):  # a pixel of the border would be called a foramen
        return NotGradable("outside_field", _outside_text(level, side))
    canal_mm = float((frame.canal_lps_mm - maps.geometry.centre_lps_mm) @ frame.left)
    lateral = sign * (maps.across_mm - canal_mm)  # positive on the wanted side
    allowed = (lateral >= _LATERAL_RANGE_MM[0]) & (lateral <= _LATERAL_RANGE_MM[1])
    ends = not allowed.any() or lateral.max() < LATERAL_MM[level] - _HALF_SD_MM
    if ends or np.abs(lateral[allowed] - LATERAL_MM[level]).min() > _GAP_MM:
        # The outermost slice, or one beyond the gap, would be called a closed foramen.
        return NotGradable("no_foraminal_slice", _no_slice_text(level, side))
    weighted = _weighted_heat(maps, expected_rc)
    place = _vote(weighted, lateral, allowed, LATERAL_MM[level], votes)
    near = [p for p in (place - 1, place, place + 1) if 0 <= p < len(maps.slices)]
    heat = np.average(weighted[near], axis=0, weights=[1.0 if p == place else 0.5 for p in near])
    peak = np.array(np.unravel_index(int(heat.argmax()), heat.shape))
    map_rc = centre_of_mass_near(heat.astype(np.float32), peak.astype(np.float64))
    seen = float(maps.maps["foramen"][near].max(0)[tuple(peak)])
    return ForamenPoint(place, maps.pixel_from_map(map_rc), frame.confidence * float(np.clip(seen, 0.1, 1)))


def _outside_text(level: Level, side: Side) -> str:
    return f"the images of {_ROLE.value} end before the {side.value.lower()} foramen at {level.value}"


def _no_slice_text(level: Level, side: Side) -> str:
    where = f"{LATERAL_MM[level]:g} mm {side.value.lower()} of the canal at {level.value}"
    return f"{_ROLE.value} has no slice near the foramen, which is looked for {where}"


def _weighted_heat(maps: SagittalMaps, expected_rc: FloatArray) -> PixelArray:
    rows, columns = np.indices(maps.maps["foramen"].shape[1:])
    squared = ((rows - expected_rc[0]) ** 2 + (columns - expected_rc[1]) ** 2) * maps.map_mm**2
    prior = np.exp(-squared / (2 * _IN_PLANE_SD_MM**2))
    return (maps.maps["foramen"] + _PRIOR_SHARE) * prior.astype(np.float32)


def _vote(
    weighted: PixelArray,
    lateral_mm: FloatArray,
    allowed: npt.NDArray[np.bool_],
    usual_mm: float,
    votes: FloatArray,
) -> int:
    """Median of the networks' votes and the heatmaps', held to the allowed slices."""
    usual = int(np.argmin(np.abs(lateral_mm - usual_mm)))
    prior = np.exp(-((lateral_mm - usual_mm) ** 2) / (2 * _LATERAL_SD_MM**2))
    brightest = weighted.max((1, 2)) * allowed
    seen = brightest / brightest.max() if brightest.max() > _SILENT else np.zeros_like(brightest)
    profile = seen**_SHARPNESS * prior
    middle = float(np.median([*np.ravel(votes), map_vote(profile, usual)]))
    places = np.flatnonzero(allowed)
    return int(places[np.argmin(np.abs(places - middle))])
