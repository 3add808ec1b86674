"""Where the images of two series meet in patient space: reference lines, and why there may be none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .geometry import FloatArray, SliceGeometry
from .study import MRSeries

#: Planes that meet at less than about six degrees have no line worth drawing.
PARALLEL_SINE = 0.1


def crossings_rc(on: SliceGeometry, others: Sequence[SliceGeometry]) -> FloatArray:
    """The segment on one image along which each of the other images cuts it.

    Parameters
    ----------
    on
        The image whose pixels the answer is given in.
    others
        Images of another series.

    Returns
    -------
    ndarray of shape (n, 2, 2)
        Two ends (row, column) for each of ``others``; the segment lies on both images, half a pixel of
        border included. NaN where the planes are parallel or the images do not meet.
    """
    if not others:
        return np.empty((0, 2, 2))
    normals = np.stack([other.normal for other in others])
    corners = np.array([other.position_lps_mm for other in others])
    # The other plane holds the pixels for which across[0] * row + across[1] * column = offset.
    across = normals @ on.steps_lps_mm.T
    offset = ((corners - np.array(on.position_lps_mm)) * normals).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        start = across * (offset / (across**2).sum(axis=1))[:, None]
        step = np.stack([-across[:, 1], across[:, 0]], axis=1) / np.linalg.norm(across, axis=1)[:, None]
        ends = _ends(on, others, start, step)
    ends[_are_parallel(on, normals)] = np.nan
    return ends


def link_trouble(on: MRSeries, other: MRSeries) -> str:
    """Why no image of ``other`` can be drawn on any image of ``on``; empty where one can."""
    geometries = [s.geometry for s in other.slices]
    if _are_parallel(on.slices[0].geometry, np.stack([g.normal for g in geometries])).all():
        return "the planes are parallel"
    if any(np.isfinite(crossings_rc(s.geometry, geometries)).any() for s in on.slices):
        return ""
    return "the images do not meet"


def frames_differ(one: MRSeries, other: MRSeries) -> bool:
    """Whether both series name a frame of reference, and not the same one."""
    frames = {one.frame_of_reference_uid, other.frame_of_reference_uid}
    return len(frames) == 2 and "" not in frames


def _are_parallel(on: SliceGeometry, normals: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the planes with these normals, shape (n, 3), have no line on ``on``; shape (n,)."""
    return np.asarray(1 - (normals @ on.normal) ** 2 < PARALLEL_SINE**2)


def _ends(
    on: SliceGeometry, others: Sequence[SliceGeometry], start: FloatArray, step: FloatArray
) -> FloatArray:
    """Cut each line ``start + s * step``, shape (n, 2), to both of its images; shape (n, 2, 2)."""
    from_lps, to_lps = on.lps_from_pixel(start), on.lps_from_pixel(start + step)
    there = np.stack([o.pixel_from_lps(p) for o, p in zip(others, from_lps, strict=True)])
    further = np.stack([o.pixel_from_lps(p) for o, p in zip(others, to_lps, strict=True)])
    origin = np.concatenate([start, there], axis=1)
    slope = np.concatenate([step, further - there], axis=1)
    high = np.array([(on.rows, on.columns, other.rows, other.columns) for other in others]) - 0.5
    # A line along a border has no slope there: it lies inside for ever, or never.
    bounds = np.sort(np.stack([(-0.5 - origin) / slope, (high - origin) / slope]), axis=0)
    first, last = bounds[0].max(axis=1), bounds[1].min(axis=1)
    missed = ~(first < last)
    ends = np.stack([start + first[:, None] * step, start + last[:, None] * step], axis=1)
    ends[missed] = np.nan
    return ends
