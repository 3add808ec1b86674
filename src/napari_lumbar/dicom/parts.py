"""Series that hold more than one thing: stray images go, contrasts and planes are divided. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from .codes import Exclusion
from .complaint import Complaint
from .headers import SliceHeader
from .repeats import LeftOut, place_of
from .stacks import LARGEST_TILT_DEG, plane_of
from .weighting import is_localiser

#: Images that serve planning, or were computed or captured, by words of ImageType.
_STRAY_WORDS = {"LOCALIZER", "MPR", "MIP", "PROJECTION IMAGE", "REFORMATTED", "SCREEN SAVE", "SECONDARY"}
#: So few images of another plane are strays in a series of at least so many slices.
_FEW_STRAYS, _FEWEST_SLICES = 2, 5
#: Planes of fewer slices, or of larger pixels in mm, belong to a localiser, which is left as it is.
_FEWEST_OF_PLANE, _COARSE_MM = 6, 1.25


def without_strays(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[LeftOut]]:
    """Take single images that do not belong out of a series, with what keeps each out."""
    derived = [h for h in headers if _STRAY_WORDS & set(h.image_type)]
    if len(derived) * 2 >= len(headers):
        derived = []  # the whole series is of that kind: a role will say so
    rest = [h for h in headers if h not in set(derived)]
    strays = _off_plane(rest)
    if len(strays) > _FEW_STRAYS or len(rest) - len(strays) < _FEWEST_SLICES:
        strays = []
    left_out = [(h, Complaint(Exclusion.STRAY_DERIVED)) for h in derived]
    left_out += [(h, Complaint(Exclusion.STRAY_PLANE)) for h in strays]
    return [h for h in rest if h not in set(strays)], left_out


def divided(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Divide a series by plane, and by contrast where the same position was imaged in several."""
    return [part for plane in _by_plane(headers) for part in _by_contrast(plane)]


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
