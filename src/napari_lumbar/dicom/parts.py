"""Series that hold more than one thing: stray images go; planes, stations and contrasts are divided. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise

import numpy as np

from .codes import Exclusion
from .complaint import Complaint
from .headers import SliceHeader
from .repeats import LeftOut, place_of
from .stacks import LARGEST_TILT_DEG, Plane, plane_of
from .weighting import is_localiser, weighting_of

#: Images that serve planning, or were computed or captured, by words of ImageType.
_STRAY_WORDS = {"LOCALIZER", "MPR", "MIP", "PROJECTION IMAGE", "REFORMATTED", "SCREEN SAVE", "SECONDARY"}
#: So few images of another plane are strays in a series of at least so many slices; in a long series so large
#: a share of it, as reference images are.
_FEW_STRAYS, _FEWEST_SLICES, _STRAY_SHARE = 2, 5, 0.2
#: Planes of fewer slices, or of larger pixels in mm, belong to a localiser, which is left as it is.
_FEWEST_OF_PLANE, _COARSE_MM = 6, 1.25
#: Middles of sagittal slices further apart along the spine are of two stations; no fewer slices are a part.
_STATION_GAP_MM, _FEWEST_OF_PART = 50.0, 3
#: Groups of weightings in their order.
_T1, _T2, _NEITHER = range(3)


def without_strays(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[LeftOut]]:
    """Take single images that do not belong out of a series, with what keeps each out."""
    derived = [h for h in headers if _STRAY_WORDS & set(h.image_type)]
    if len(derived) * 2 >= len(headers):
        derived = []  # the whole series is of that kind: a role will say so
    rest = [h for h in headers if h not in set(derived)]
    strays = _off_plane(rest)
    share = min(round(_STRAY_SHARE * len(rest)), _FEWEST_OF_PLANE - 1)
    if len(strays) > max(_FEW_STRAYS, share) or len(rest) - len(strays) < _FEWEST_SLICES:
        strays = []
    left_out = [(h, Complaint(Exclusion.STRAY_DERIVED)) for h in derived]
    left_out += [(h, Complaint(Exclusion.STRAY_PLANE)) for h in strays]
    return [h for h in rest if h not in set(strays)], left_out


def divided(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Divide a series by plane, station and weighting, and by contrast where positions repeat in several."""
    parts = [list(headers)]
    for divide in (_by_plane, _by_station, _by_weighting, _by_contrast):
        parts = [part for whole in parts for part in divide(whole)]
    return parts


def _off_plane(headers: Sequence[SliceHeader]) -> list[SliceHeader]:
    if not headers:
        return []
    ((plane, _),) = Counter(plane_of(h.geometry) for h in headers).most_common(1)
    upright = np.cos(np.radians(LARGEST_TILT_DEG))
    return [h for h in headers if abs(h.geometry.normal[plane.value]) < upright]


def _by_plane(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    planes = _grouped(headers, lambda h: plane_of(h.geometry).value)
    coarse = any(max(h.geometry.spacing_rc_mm) > _COARSE_MM for h in headers)
    planning = coarse or any(is_localiser(h) for h in headers)
    if planning or not _off_plane(headers) or min(map(len, planes)) < _FEWEST_OF_PLANE:
        return [list(headers)]
    return planes


def _by_station(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Sagittal slices of an upper and a lower block: levels are counted in the one that shows the sacrum."""
    if any(plane_of(h.geometry) is not Plane.SAGITTAL for h in headers):
        return [list(headers)]
    ordered = sorted(headers, key=lambda h: (h.geometry.centre_lps_mm[2], h.sop_instance_uid))
    stations = [ordered[:1]]
    for before, header in pairwise(ordered):
        gap_mm = header.geometry.centre_lps_mm[2] - before.geometry.centre_lps_mm[2]
        if gap_mm > _STATION_GAP_MM:
            stations.append([])
        stations[-1].append(header)
    return stations if min(map(len, stations)) >= _FEWEST_OF_PART else [list(headers)]


def _by_weighting(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """T1 and T2 under one UID, as after a merge, wherever their slices lie."""
    count = Counter(map(_weighting, headers))
    both = min(count[_T1], count[_T2]) >= _FEWEST_OF_PART
    return _grouped(headers, _weighting) if both else [list(headers)]


def _weighting(header: SliceHeader) -> int:
    weighting, _ = weighting_of(header)
    return _T1 if weighting.is_t1 else _T2 if weighting.is_t2 else _NEITHER


def _by_contrast(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    at_place: dict[Hashable, set[Hashable]] = defaultdict(set)
    for header in headers:
        at_place[place_of(header)].add(_contrast(header))
    repeated = any(len(contrasts) > 1 for contrasts in at_place.values())
    return _grouped(headers, _contrast) if repeated else [list(headers)]


def _contrast(header: SliceHeader) -> tuple[int, tuple[str, ...]]:
    return round(header.timing.echo_ms or 0), header.image_type


def _grouped(
    headers: Sequence[SliceHeader], key: Callable[[SliceHeader], tuple[int, tuple[str, ...]] | int]
) -> list[list[SliceHeader]]:
    groups: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    for header in sorted(headers, key=lambda h: (key(h), h.sop_instance_uid)):
        groups[key(header)].append(header)
    return list(groups.values())
