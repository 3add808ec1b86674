"""The facts that a series' role rests on, by headers alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry, median_step_mm
from .dixon import dixon_of
from .headers import SliceHeader
from .region import is_elsewhere
from .roles import SeriesFacts
from .stacks import Plane, common_plane, stack_order
from .stations import Span
from .weighting import (
    against_t2,
    is_derived,
    is_fat_suppressed,
    is_marked_localiser,
    is_named_localiser,
    weighting_of,
)


def series_facts(series_id: str, headers: Sequence[SliceHeader]) -> SeriesFacts:
    """Return the facts of one series from the headers of its slices, in any order."""
    geometries = [header.geometry for header in headers]
    stacks = [[geometries[i] for i in order] for order in stack_order(geometries)]
    weighting, basis = weighting_of(headers[0])
    plane = common_plane(geometries)
    return SeriesFacts(
        series_id=series_id,
        plane=plane,
        weighting=weighting,
        n_slices=len(geometries),
        step_mm=max(median_step_mm(stack) for stack in stacks),
        pixel_mm=float(np.mean([g.spacing_rc_mm for g in geometries])),
        localiser=is_marked_localiser(headers[0]),
        named_localiser=is_named_localiser(headers[0]),
        fat_suppressed=is_fat_suppressed(headers[0]),
        derived=is_derived(headers[0]),
        basis=basis,
        dixon=dixon_of(headers[0]),
        elsewhere=is_elsewhere(headers[0]),
        against_t2=against_t2(headers[0]),
        acquired=max(header.acquisition.time for header in headers),
        span_mm=_span_mm(geometries, plane),
    )


def _span_mm(geometries: Sequence[SliceGeometry], plane: Plane | None) -> Span:
    """Of axial slices by their middles: the ends of a tilted one reach far beyond the disc that it is for."""
    if plane is Plane.AXIAL:
        heights = np.array([g.centre_lps_mm[2] for g in geometries])
    else:
        heights = np.concatenate([g.lps_from_pixel(_corners(g))[:, 2] for g in geometries])
    return float(heights.min()), float(heights.max())


def _corners(geometry: SliceGeometry) -> FloatArray:
    """(row, column) of the corner pixels' outer corners, shape (4, 2)."""
    bottom, right = geometry.rows - 0.5, geometry.columns - 0.5
    return np.array([(-0.5, -0.5), (-0.5, right), (bottom, -0.5), (bottom, right)])
