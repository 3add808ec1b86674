"""One image of one series: the slice of a landmark, whole or a square of millimetres around the point.

As everywhere, images of the patient's right side are mirrored where left and right lie in the image (axial):
one network sees every side the same way round. A sagittal slice shows one side; nothing tells it apart from
the other side's, so it is neither mirrored nor told.
"""

from __future__ import annotations

import numpy as np

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.landmarks import Landmark
from ..domain.spine import Side
from ..domain.study import MRSeries, PixelArray, SeriesRole
from .bags import NO_JITTER, Bag, Crop, Jitter, sample_crop, slice_window
from .resample import Box


def slice_view(
    landmark: Landmark, series: MRSeries, window_mm: float | None = None, jitter: Jitter = NO_JITTER
) -> Bag:
    """The slice that a landmark lies on, as a bag of one crop.

    Parameters
    ----------
    series
        The landmark's series in the usual view (``canonical_series`` or ``prepared_series``).
    window_mm
        Side of the square around the landmark; None for the whole slice, stretched to the image.
    jitter
        Simulated error. Whole slices heed its slices alone.
    """
    index = slice_window(series, landmark.slice_index, jitter.slices)[2]
    geometry = series.slices[landmark.slice_index].geometry
    pixel_rc = geometry.pixel_from_lps(landmark.point_lps_mm)
    box = whole_box(series.slices[index].geometry)
    if window_mm is not None:
        box = window_box(pixel_rc, geometry.spacing_rc_mm, window_mm, jitter)
    role = series.role or SeriesRole.AXIAL_T2
    mirrored = role is SeriesRole.AXIAL_T2 and landmark.key.condition.side is Side.RIGHT
    plane = "axial" if role is SeriesRole.AXIAL_T2 else "sagittal"
    return Bag(plane, role, series.series_id, (Crop(index, box),), landmark.slice_index, mirrored)


def sample_view(view: Bag, series: MRSeries, size: int) -> PixelArray:
    """The pixels of a view, shape (size, size); ``series`` as ``prepared_series`` gives it."""
    crop = view.crops[0]
    return sample_crop(view, crop, series.slices[crop.slice_index].pixels, (size, size))


def whole_box(geometry: SliceGeometry) -> Box:
    """Outer borders of an image, in its pixels."""
    return -0.5, -0.5, geometry.rows - 0.5, geometry.columns - 0.5


def window_box(
    pixel_rc: FloatArray, spacing_rc_mm: FloatArray, side_mm: float, jitter: Jitter = NO_JITTER
) -> Box:
    """Outer borders of a square of ``side_mm`` around a pixel, moved by a simulated error."""
    centre = pixel_rc + np.array([jitter.rows_mm, jitter.columns_mm]) / spacing_rc_mm
    (top, left), (bottom, right) = centre - side_mm / 2 / spacing_rc_mm, centre + side_mm / 2 / spacing_rc_mm
    return float(top), float(left), float(bottom), float(right)
