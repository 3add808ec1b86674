"""One finding in every series: a square of millimetres around its point, on the slices next to it.

The point of a finding is marked in one series; in the others it is looked up in patient space. Everything of
a right side is mirrored onto the left: axial images, and the order of sagittal slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import FindingKey, Side
from ..domain.study import MRSeries, PixelArray, SeriesRole
from .bags import NO_JITTER, Bag, Crop, Jitter, sample_bag
from .denormalise import RelativePlaces, windowed
from .slice_views import window_box

#: A series whose nearest plane is farther from the point than this does not show the finding.
_FARTHEST_MM = 8.0


def finding_views(
    key: FindingKey,
    landmarks: Landmarks,
    series: Mapping[str, MRSeries],
    window_mm: float,
    slices: int = 3,
    jitter: Mapping[SeriesRole, Jitter] | None = None,
) -> dict[SeriesRole, Bag]:
    """The views of a finding by role; a role whose series do not show its point is left out.

    Parameters
    ----------
    series
        By ``series_id``, in the usual view (``canonical_series`` or ``prepared_series``), the best first.
    window_mm
        Side of the square.
    slices
        Neighbouring slices of a view, an odd number; the last one again at the end of a stack.
    jitter
        Simulated error by role.
    """
    mark, moves = landmarks.get(key), jitter or {}
    if mark is None or mark.series_id not in series:
        return {}
    own = series[mark.series_id]
    views = {}
    for role in SeriesRole:
        others = [one for one in series.values() if one.role is role]
        shown = _showing(mark, [own] if own.role is role else others)
        if shown is not None:
            one, index = shown
            views[role] = _view(mark, one, index, (window_mm, slices), moves.get(role, NO_JITTER))
    return views


def sample_finding_view(view: Bag, series: MRSeries, size: int) -> PixelArray:
    """The pixels of a view in 0..1, shape (slices, size, size), windowed together."""
    return windowed(sample_bag(view, series, (size, size)))


def mirrored_views(views: Mapping[SeriesRole, Bag]) -> dict[SeriesRole, Bag]:
    """The views as a mirrored body would give them; exact for findings without a side."""
    return {
        role: replace(view, mirrored=not view.mirrored)
        if role is SeriesRole.AXIAL_T2
        else replace(view, crops=view.crops[::-1])
        for role, view in views.items()
    }


def stack_window(series: MRSeries, centre: int, count: int) -> list[int]:
    """``count`` slice indices around ``centre``, clamped to the stack that ``centre`` lies in."""
    ends = np.cumsum([len(stack.slices) for stack in series.stacks])
    stack = int(np.searchsorted(ends, centre, side="right"))
    start, stop = int(ends[stack]) - len(series.stacks[stack].slices), int(ends[stack])
    return [min(max(centre + i - count // 2, start), stop - 1) for i in range(count)]


def _showing(mark: Landmark, candidates: Sequence[MRSeries]) -> tuple[MRSeries, int] | None:
    """The first series that shows a point, and the slice: the marked one on the mark's own series."""
    for one in candidates:
        if one.series_id == mark.series_id:
            return one, mark.slice_index
        index = one.nearest_slice_index(mark.point_lps_mm)
        geometry = one.slices[index].geometry
        near = one.plane_distances_mm(mark.point_lps_mm)[index] <= _FARTHEST_MM
        if near and geometry.contains(geometry.pixel_from_lps(mark.point_lps_mm)):
            return one, index
    return None


def _view(mark: Landmark, one: MRSeries, index: int, extent: tuple[float, int], jitter: Jitter) -> Bag:
    window_mm, slices = extent
    geometry = one.slices[index].geometry
    # By way of the relative place, which is what RSNA's merged tables would hold.
    places = RelativePlaces(geometry.rows, geometry.columns)
    pixel_rc = places.denormalise(places.normalise(geometry.pixel_from_lps(mark.point_lps_mm)))
    box = window_box(pixel_rc, geometry.spacing_rc_mm, window_mm, jitter)
    # Shifted within the stack first: a window beyond its end would leave it.
    centre = stack_window(one, index, 2 * abs(jitter.slices) + 1)[jitter.slices + abs(jitter.slices)]
    crops = tuple(Crop(i, box) for i in stack_window(one, centre, slices))
    is_right, is_axial = mark.key.condition.side is Side.RIGHT, one.role is SeriesRole.AXIAL_T2
    ordered = crops[::-1] if is_right and not is_axial else crops
    role = one.role or SeriesRole.AXIAL_T2
    plane = "axial" if is_axial else "sagittal"
    return Bag(plane, role, one.series_id, ordered, index, is_right and is_axial)
