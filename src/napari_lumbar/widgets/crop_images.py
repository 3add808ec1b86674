"""Small pictures of the crops a grader saw, with what spoke for a worse severity laid over them. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import map_coordinates

from ..domain.findings import CropEvidence
from ..domain.study import MRSeries, PixelArray, Study
from ..layer_data import HEATMAP_RGBA
from ..preprocess.resample import sample_box

#: Longer side of a picture: enough for a thumbnail on a screen of twice the usual density.
LONG_SIDE_PX = 112
#: Every so many rows and columns are enough to find how bright a slice is.
_STRIDE = 6


def crop_names(crops: Sequence[CropEvidence], study: Study) -> list[str]:
    """The number of each crop's slice, and the patient's side where two crops lie on one: ``19R``."""
    places = [(crop.series_id, crop.slice_index) for crop in crops]
    left_mm = [_centre_left_mm(crop, study) for crop in crops]
    names = []
    for crop, place, own_mm in zip(crops, places, left_mm, strict=True):
        beside = [mm for mm, other in zip(left_mm, places, strict=True) if other == place]
        side = "" if len(beside) == 1 else "R" if own_mm == min(beside) else "L"
        names.append(f"{crop.slice_index + 1}{side}")
    return names


def _centre_left_mm(crop: CropEvidence, study: Study) -> float:
    """How far to the patient's left the middle of a crop lies, in patient space."""
    top, left, bottom, right = crop.box_rc
    geometry = study.by_id(crop.series_id).slices[crop.slice_index].geometry
    return float(geometry.lps_from_pixel(((top + bottom) / 2, (left + right) / 2))[0])


def crop_picture(series: MRSeries, crop: CropEvidence) -> PixelArray:
    """The crop as the image lies in its file, 0..1, shape ``picture_shape``; outside the image 0."""
    pixels = series.slices[crop.slice_index].pixels
    picture = sample_box(pixels, crop.box_rc, picture_shape(series, crop))
    # As graders see it: scaled by the whole slice's percentiles (``percentile_scale``).
    low, high = np.percentile(pixels[::_STRIDE, ::_STRIDE], (1, 99))
    return np.asarray(np.clip((picture - low) / max(high - low, 1e-6), 0, 1), dtype=np.float32)


def picture_shape(series: MRSeries, crop: CropEvidence) -> tuple[int, int]:
    """(height, width) of a crop's picture, in square pixels whatever the spacing of the slice."""
    top, left, bottom, right = crop.box_rc
    geometry = series.slices[crop.slice_index].geometry
    sides_mm = ((bottom - top) * geometry.row_spacing_mm, (right - left) * geometry.column_spacing_mm)
    scale = LONG_SIDE_PX / max(sides_mm)
    height, width = (max(1, round(side * scale)) for side in sides_mm)
    return height, width


def stretched(heatmap: PixelArray, shape: tuple[int, int]) -> PixelArray:
    """A heatmap at the size of its picture."""
    places = [
        np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1)
        for n, m in zip(shape, heatmap.shape, strict=True)
    ]
    grid = np.stack(np.meshgrid(*places, indexing="ij"))
    return np.asarray(map_coordinates(heatmap, grid, order=1), dtype=np.float32)


def tinted(picture: PixelArray, heat: PixelArray, strength: float) -> PixelArray:
    """Lay a heatmap over a picture.

    Parameters
    ----------
    picture, heat
        0..1, both of shape (h, w).
    strength
        0 leaves the picture as it is, 1 tints it as the canvases do.

    Returns
    -------
    uint8, shape (h, w, 3).
    """
    looked_up = _TINTS[np.clip(heat * (len(_TINTS) - 1), 0, len(_TINTS) - 1).astype(np.intp)]
    opacity = looked_up[..., 3:] * strength
    mixed = picture[..., None] * (1 - opacity) + looked_up[..., :3] * opacity
    return np.asarray(np.round(mixed * 255), dtype=np.uint8)


def _tint_table() -> PixelArray:
    """The canvases' colours of a heatmap, (256, 4)."""
    steps, values = np.linspace(0, 1, len(HEATMAP_RGBA)), np.linspace(0, 1, 256)
    return np.stack([np.interp(values, steps, channel) for channel in HEATMAP_RGBA.T], -1).astype(np.float32)


_TINTS = _tint_table()
