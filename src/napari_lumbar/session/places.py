"""Where a person's landmark lies in patient space, from where it was put on the screen."""

from __future__ import annotations

import numpy as np

from ..domain.geometry import vector3
from ..domain.landmarks import Landmark, LandmarkSource
from ..domain.spine import FindingKey
from ..domain.study import MRSeries


def landmark_at(
    series: MRSeries, key: FindingKey, slice_index: int, pixel_rc: tuple[float, float]
) -> Landmark:
    """Return a person's landmark at (row, column) of a slice; a place beyond the image goes to its border."""
    geometry = series.slices[slice_index].geometry
    row, column = np.clip(pixel_rc, 0, (geometry.rows - 1, geometry.columns - 1))
    return Landmark(
        key=key,
        point_lps_mm=vector3(geometry.lps_from_pixel((row, column))),
        series_id=series.series_id,
        slice_index=slice_index,
        pixel_rc=(float(row), float(column)),
        confidence=None,
        source=LandmarkSource.CORRECTED,
    )


def landmark_on_slice(series: MRSeries, landmark: Landmark, slice_index: int) -> Landmark:
    """Return ``landmark`` projected along the normal onto another slice, as a person's."""
    row, column = series.slices[slice_index].geometry.pixel_from_lps(landmark.point_lps_mm)
    return landmark_at(series, landmark.key, slice_index, (float(row), float(column)))
