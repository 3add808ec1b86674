"""A small picture of each series: its middle slice in true proportions, cheap enough to make for all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..domain.study import MRSeries, Study
from ..export.slice_images import grey_levels

Thumbnail = npt.NDArray[np.uint8]

#: Twice the size on the screen, so that it is sharp on dense screens.
THUMBNAIL_PX = 88


def thumbnails(study: Study) -> Mapping[str, Thumbnail]:
    """The thumbnail of every series, by ``series_id``."""
    return {series.series_id: thumbnail(series) for series in study.series}


def thumbnail(series: MRSeries, size_px: int = THUMBNAIL_PX) -> Thumbnail:
    """Return the middle slice, shape (``size_px``, ``size_px``), black where the slice is not square."""
    middle = series.slices[len(series.slices) // 2]
    extent_mm = np.array(middle.pixels.shape) * middle.geometry.spacing_rc_mm
    rows, columns = (max(1, round(size_px * float(mm))) for mm in extent_mm / extent_mm.max())
    small = Image.fromarray(middle.pixels).resize((columns, rows), Image.Resampling.BOX)
    square = np.zeros((size_px, size_px), dtype=np.uint8)
    top, left = (size_px - rows) // 2, (size_px - columns) // 2
    square[top : top + rows, left : left + columns] = grey_levels(np.asarray(small))
    return square
