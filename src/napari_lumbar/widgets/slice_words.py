"""What the corner of a pane says of the slice on the screen; pure."""

from __future__ import annotations

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.landmarks import Landmarks, disc_points_lps_mm
from ..domain.spine import Level
from ..domain.study import MRSeries
from ..layer_data import is_sagittal
from .orientation import AXIS_LETTERS

#: Nearer than this, a slice goes through what it is compared with.
_AT_MM = 0.5


def slice_words(series: MRSeries, slice_index: int, landmarks: Landmarks, which: str = "") -> str:
    """Three lines at most: series and slice, what it goes through, where it lies in patient space.

    Parameters
    ----------
    which
        Says which one it is, where several series have its role: ``series 2 of 3``.
    """
    geometry = series.slices[slice_index].geometry
    name = series.role.value if series.role else series.description or "Series"
    name = f"{name}, {which}" if which else name
    what = _canal_words(geometry, landmarks) if is_sagittal(series) else disc_words(geometry, landmarks)
    lines = (f"{name}  {slice_index + 1}/{len(series.slices)}", what, position_words(geometry))
    return "\n".join(filter(None, lines))


def disc_words(geometry: SliceGeometry, landmarks: Landmarks) -> str:
    """The disc nearest to an axial slice: ``L4/L5, 3 mm below the disc``; empty without landmarks.

    Only discs on the image count, as long as there are any: a tilted plane runs on into other discs.
    """
    points = disc_points_lps_mm(landmarks)
    heights = {level: _offset_mm(geometry, point) for level, point in points.items()}
    on_image = [lv for lv in heights if geometry.contains(geometry.pixel_from_lps(points[lv]))]
    nearest: Level | None = min(on_image or heights, key=lambda lv: abs(heights[lv]), default=None)
    if nearest is None:
        return ""
    height = heights[nearest]
    if abs(height) < _AT_MM:
        return f"{nearest.value}, at the disc"
    return f"{nearest.value}, {abs(height):.0f} mm {'above' if height > 0 else 'below'} the disc"


def position_words(geometry: SliceGeometry) -> str:
    """Where the middle of a slice lies along the axis it looks along: ``Position H 45.2 mm``."""
    axis = int(np.argmax(np.abs(geometry.normal)))
    place = float(geometry.centre_lps_mm[axis])
    letter = f"{AXIS_LETTERS[axis][int(place > 0)]} " if round(place, 1) else ""
    return f"Position {letter}{abs(place):.1f} mm"


def _canal_words(geometry: SliceGeometry, landmarks: Landmarks) -> str:
    """How far a sagittal slice lies beside the canal, from the discs' points."""
    points = list(disc_points_lps_mm(landmarks).values())
    if not points:
        return ""
    aside = _offset_mm(geometry, np.mean(points, axis=0))
    if abs(aside) < _AT_MM:
        return "through the canal"
    return f"{abs(aside):.0f} mm {'left' if aside > 0 else 'right'} of the canal"


def _offset_mm(geometry: SliceGeometry, point_lps_mm: FloatArray) -> float:
    """How far the slice lies beyond a point, towards the head or the patient's left."""
    axis = int(np.argmax(np.abs(geometry.normal)))
    towards = np.sign(geometry.normal[axis])
    return float(-geometry.signed_distance_mm(point_lps_mm) * towards)
