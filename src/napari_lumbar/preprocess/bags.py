"""Which crops a finding is graded from, and their pixels; how far they reach stands in ``crop_tables``.

Crops of the patient's right side are mirrored, so that one network sees every side the same way round:
lateral and medial lie where they lie on the left. What the MIL papers call an instance is a crop here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import Condition, ConditionGroup, FindingKey, Side
from ..domain.study import MRSeries, PixelArray, SeriesRole, SliceStack, Study
from .canonical import canonical_series
from .crop_tables import CROP_TABLES, CropTable
from .crop_tables import CropSpec as CropSpec  # other systems' crops are measured by it too
from .intensity import percentile_scale
from .resample import Box, sample_box

#: Slices on either side of the landmark's own.
_REACH = 2
#: Prepared series live as long as the series that they are made of.
_PREPARED: WeakKeyDictionary[MRSeries, MRSeries] = WeakKeyDictionary()


@dataclass(frozen=True)
class Crop:
    """One crop: a slice and a box in its (row, column) pixels, in the usual view."""

    slice_index: int
    box_rc: Box


@dataclass(frozen=True)
class Bag:
    """The crops of one plane of one finding, in the order the network reads them.

    Parameters
    ----------
    annotated
        ``slice_index`` of the landmark itself, whatever the jitter.
    mirrored
        True where the crops are to be seen with left and right exchanged.
    """

    plane: str
    role: SeriesRole
    series_id: str
    crops: tuple[Crop, ...]
    annotated: int
    mirrored: bool


@dataclass(frozen=True)
class Jitter:
    """A simulated localisation error, for training.

    Parameters
    ----------
    rows_mm, columns_mm
        Shift of the point down and to the right of the crop as the network sees it.
    slices
        Shift of the window of slices.
    """

    rows_mm: float = 0.0
    columns_mm: float = 0.0
    slices: int = 0


NO_JITTER = Jitter()


def finding_bags(
    key: FindingKey,
    landmarks: Landmarks,
    series: Mapping[str, MRSeries],
    side: Side = Side.LEFT,
    jitter: Mapping[str, Jitter] | None = None,
    table: CropTable = CROP_TABLES["close"],
) -> dict[str, Bag]:
    """The bags of a finding by plane name; a plane without its landmark or series is left out.

    Parameters
    ----------
    series
        The study's series by ``series_id``, in the usual view (``canonical_series`` or ``prepared_series``).
    side
        Which side's axial crop the canal is graded from, and from which side its sagittal slices are read;
        ignored for one-sided conditions.
    jitter
        Simulated error by plane name.
    table
        How far the crops reach.
    """
    jitter = jitter or {}
    side = key.condition.side or side
    subarticular = landmarks.get(FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), key.level))
    bags = {}
    for plane, landmark in (("sagittal", landmarks.get(key)), ("axial", subarticular)):
        if landmark is None or landmark.series_id not in series:
            continue
        one = series[landmark.series_id]
        spec = table.spec(plane, key, side, one.slices[landmark.slice_index].geometry)
        if spec is not None:
            bags[plane] = _bag(plane, landmark, spec, one, jitter.get(plane, NO_JITTER), side)
    return bags


def sample_bag(bag: Bag, series: MRSeries, shape: tuple[int, int]) -> PixelArray:
    """The pixels of a bag, shape (crops, height, width); ``series`` as ``prepared_series`` gives it."""
    return np.stack([sample_crop(bag, c, series.slices[c.slice_index].pixels, shape) for c in bag.crops])


def sample_crop(bag: Bag, crop: Crop, pixels: PixelArray, shape: tuple[int, int]) -> PixelArray:
    """What one crop of a bag cuts out of ``pixels``, the image of the crop's slice or a map of its size."""
    top, left, bottom, right = crop.box_rc
    box = (top, right, bottom, left) if bag.mirrored else crop.box_rc
    return sample_box(pixels, box, shape)


def prepared_series(series: MRSeries) -> MRSeries:
    """The series in the usual view, each slice scaled to 0..1 by its own 1-99 percentiles."""
    usual = canonical_series(series)
    stacks = tuple(
        SliceStack(tuple(replace(s, pixels=percentile_scale(s.pixels)) for s in stack.slices))
        for stack in usual.stacks
    )
    return replace(usual, stacks=stacks)


def prepared_by_id(study: Study) -> dict[str, MRSeries]:
    """The series that have a role by ``series_id``, as ``prepared_series`` gives them.

    While a study is in use its series are prepared once: a person who moves points grades it over and over.
    """
    known = [series for series in study.series if series.role is not None]
    for series in known:
        if series not in _PREPARED:
            _PREPARED[series] = prepared_series(series)
    return {series.series_id: _PREPARED[series] for series in known}


def _bag(plane: str, landmark: Landmark, spec: CropSpec, series: MRSeries, jitter: Jitter, side: Side) -> Bag:
    # The order of slices is mirrored with the side too: from the middle of the body outwards on both.
    reverse = plane == "sagittal" and side is Side.RIGHT
    mirrored = plane == "axial" and side is Side.RIGHT
    geometry = series.slices[landmark.slice_index].geometry
    moved_mm = np.array([jitter.rows_mm, -jitter.columns_mm if mirrored else jitter.columns_mm])
    moved_rc = moved_mm / geometry.spacing_rc_mm
    pixel_rc = geometry.pixel_from_lps(landmark.point_lps_mm) + moved_rc
    box = spec.box(pixel_rc, geometry.spacing_rc_mm, landmark.key.level)
    window = slice_window(series, landmark.slice_index, jitter.slices)
    crops = tuple(Crop(index, box) for index in (reversed(window) if reverse else window))
    role = series.role or SeriesRole.AXIAL_T2
    return Bag(plane, role, series.series_id, crops, landmark.slice_index, mirrored)


def slice_window(series: MRSeries, centre: int, shift: int = 0) -> list[int]:
    """Five slice indices around ``centre`` + ``shift``, clamped to the stack that ``centre`` lies in.

    Clamped to the stack, not to the series: the next stack belongs to another disc.
    """
    ends = np.cumsum([len(stack.slices) for stack in series.stacks])
    stop = int(ends[np.searchsorted(ends, centre, side="right")])
    start = stop - len(series.stacks[int(np.searchsorted(ends, centre, side="right"))].slices)
    wanted = range(centre + shift - _REACH, centre + shift + _REACH + 1)
    return [min(max(index, start), stop - 1) for index in wanted]
