"""What M-SCAN sees: whole slices in a square, three axial slices per level, equalised crops.

Deviations from the published code: whole slices fill a square of millimetres instead of being stretched, and
crops are cut in millimetres of a usual field of view (a severity is a matter of millimetres). Contrast is
equalised like OpenCV's CLAHE with a clip limit of 4 and 8 x 8 tiles, by scikit-image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.exposure import equalize_adapthist

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.landmarks import Landmarks
from ..domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ..domain.study import MRSeries, MRSlice, PixelArray, best_suited
from .bags import NO_JITTER, CropSpec, Jitter
from .resample import Box, sample_box

#: Published: 9 % of the image to each side, of a usual field of 290 mm.
_SAGITTAL_MM = 0.09 * 290
#: Published: 80 of 384 pixels to each side, of a usual field of 190 mm.
_AXIAL_MM = 80 / 384 * 190
SAGITTAL_CROP = CropSpec(_SAGITTAL_MM, _SAGITTAL_MM, _SAGITTAL_MM, _SAGITTAL_MM, pixel_mm=1.0)
AXIAL_CROP = CropSpec(_AXIAL_MM, _AXIAL_MM, _AXIAL_MM, _AXIAL_MM, pixel_mm=1.0)

N_AXIAL = 3
#: An axial plane farther than this from the canal point belongs to another place.
FARTHEST_PLANE_MM = 8.0
_CLIP_LIMIT, _TILES, _BINS = 4.0, 8, 256


def square_box(geometry: SliceGeometry) -> Box:
    """Outer borders (top, left, bottom, right), in pixels, of the smallest square around a whole slice.

    Square in millimetres, about the middle of the slice.
    """
    shape = np.array([geometry.rows, geometry.columns])
    side_px = (shape * geometry.spacing_rc_mm).max() / geometry.spacing_rc_mm
    top, left = (shape - 1) / 2 - side_px / 2
    bottom, right = (shape - 1) / 2 + side_px / 2
    return float(top), float(left), float(bottom), float(right)


def whole_slice(mr_slice: MRSlice, size: int) -> PixelArray:
    """The slice in its square, shape (size, size); what lies beside the slice is 0."""
    return sample_box(mr_slice.pixels, square_box(mr_slice.geometry), (size, size))


def to_square(geometry: SliceGeometry, pixel_rc: npt.ArrayLike) -> FloatArray:
    """(row, column) of a slice, shape (..., 2), as fractions of its square: 0 one border, 1 the other."""
    top, left, bottom, right = square_box(geometry)
    return (np.asarray(pixel_rc, np.float64) - (top, left)) / (bottom - top, right - left)


def from_square(geometry: SliceGeometry, fraction_rc: npt.ArrayLike) -> FloatArray:
    """The opposite of ``to_square``."""
    top, left, bottom, right = square_box(geometry)
    return np.asarray(fraction_rc, np.float64) * (bottom - top, right - left) + (top, left)


@dataclass(frozen=True)
class AxialSlices:
    """Slices of one axial stack, from cranial to caudal; places in the series ``series_id``."""

    series_id: str
    indices: tuple[int, ...]


def nearest_axial_slices(series: Sequence[MRSeries], point_lps_mm: npt.ArrayLike) -> AxialSlices | None:
    """The three slices whose planes pass nearest to a point; None if none passes within 8 mm.

    Of the stack of the nearest one: other stacks are tilted for other discs. Only the series best suited to
    their role count, of those that are near; among equally near ones the first wins. A stack of fewer slices
    gives its last one again.
    """
    near = [(one, *_nearest_plane(one, point_lps_mm)) for one in series]
    near = [candidate for candidate in near if candidate[2] <= FARTHEST_PLANE_MM]
    suited = {one.series_id for one in best_suited(one for one, _, _ in near)}
    suitable = [candidate for candidate in near if candidate[0].series_id in suited]
    if not suitable:
        return None
    chosen, nearest, _ = min(suitable, key=lambda candidate: candidate[2])
    return AxialSlices(chosen.series_id, _nearest_of_stack(chosen, nearest, point_lps_mm))


def _nearest_plane(series: MRSeries, point_lps_mm: npt.ArrayLike) -> tuple[int, float]:
    index = series.nearest_slice_index(point_lps_mm)
    return index, float(series.plane_distances_mm(point_lps_mm)[index])


def _nearest_of_stack(series: MRSeries, nearest: int, point_lps_mm: npt.ArrayLike) -> tuple[int, ...]:
    stack = stack_range(series, nearest)
    distances = series.plane_distances_mm(point_lps_mm)
    chosen = sorted(sorted(stack, key=lambda index: float(distances[index]))[:N_AXIAL])
    return tuple(chosen + [chosen[-1]] * (N_AXIAL - len(chosen)))


def stack_range(series: MRSeries, index: int) -> range:
    """The places of all slices of the stack that slice ``index`` lies in."""
    start = 0
    for stack in series.stacks:
        if index < start + len(stack.slices):
            return range(start, start + len(stack.slices))
        start += len(stack.slices)
    raise IndexError(f"slice {index} lies in no stack of series {series.series_id} ({start} slices)")


def recess_middle(landmarks: Landmarks, level: Level) -> FloatArray | None:
    """Middle of both recesses of a level in patient space, shape (3,); None unless both are known."""
    keys = [FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level) for side in Side]
    points = [point for key in keys if (point := landmarks.get(key)) is not None]
    if len(points) < len(keys):
        return None
    return np.asarray(np.mean([point.point_lps_mm for point in points], axis=0))


@dataclass(frozen=True)
class CanalCrop:
    """One crop: a slice, and a box in its (row, column) pixels, in the usual view."""

    series_id: str
    slice_index: int
    box_rc: Box


def sagittal_crop(
    series: MRSeries, slice_index: int, point_lps_mm: npt.ArrayLike, jitter: Jitter = NO_JITTER
) -> CanalCrop:
    """Around the canal point; ``jitter`` may move it to a neighbouring slice."""
    stack = stack_range(series, slice_index)
    index = min(max(slice_index + jitter.slices, stack.start), stack.stop - 1)
    return _crop(series, index, point_lps_mm, SAGITTAL_CROP, jitter)


def axial_crop(
    series: MRSeries, slice_index: int, point_lps_mm: npt.ArrayLike, jitter: Jitter = NO_JITTER
) -> CanalCrop:
    """Around the canal point, on exactly this slice."""
    return _crop(series, slice_index, point_lps_mm, AXIAL_CROP, jitter)


def _crop(
    series: MRSeries, index: int, point_lps_mm: npt.ArrayLike, spec: CropSpec, jitter: Jitter
) -> CanalCrop:
    geometry = series.slices[index].geometry
    moved = np.array([jitter.rows_mm, jitter.columns_mm]) / geometry.spacing_rc_mm
    pixel_rc = geometry.pixel_from_lps(point_lps_mm) + moved
    # No shift at the lumbosacral disc: L1/L2 stands for any level.
    return CanalCrop(series.series_id, index, spec.box(pixel_rc, geometry.spacing_rc_mm, Level.L1_L2))


def sample_canal_crop(crop: CanalCrop, series: MRSeries, size: int) -> PixelArray:
    """The pixels of a crop, shape (size, size), contrast as it is."""
    return sample_box(series.slices[crop.slice_index].pixels, crop.box_rc, (size, size))


def equalised(image: PixelArray) -> PixelArray:
    """Contrast equalised within tiles, 0..1; an image in 0..1, shape (rows, columns)."""
    if image.max() <= image.min():
        return np.zeros(image.shape, np.float32)
    tile = tuple(max(1, n // _TILES) for n in image.shape)
    result = equalize_adapthist(np.clip(image, 0, 1), tile, clip_limit=_CLIP_LIMIT / _BINS, nbins=_BINS)
    return np.asarray(result, np.float32)
