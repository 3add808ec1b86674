"""The volumes of one disc that the multi-view system sees, one per series.

Published (Park et al., section 4.1): sagittal volumes from the discs that SpineNetV2 detects, 9 x 112 x 224;
axial slices that cross the back of that region, around its middle, twice as wide as the sagittal slices lie
deep, two to one. SpineNetV2's licence binds its outputs, so here the region follows from the landmarks of the
series itself, in millimetres: 72 x 36 mm, twice 36 mm being what nine sagittal slices 4.5 mm apart lie deep.

- Sagittal T2: around the canal's point, 50 mm to the front and 22 mm to the back, slices within 18 mm of it.
- Sagittal T1: slices on the line through both foramina, which fall on the last places but one; the box
  follows the line. One foramen alone gets a partner 34 mm away. Foramina lie above the disc and in front of
  the canal, so the box reaches less far up and to the front.
- Axial T2: the landmark's slice and its neighbours of the same stack within 18 mm, around the middle between
  the recesses. One recess alone lies 9 mm from the midline.

Every view depends on landmarks of its own series only; a view without one is left out. Slices run from the
patient's right to left, or from cranial to caudal. Exchanging left and right reverses a sagittal volume, and
mirrors the slices of an axial one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..domain.geometry import FloatArray
from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import Condition, FindingKey, Level, Side
from ..domain.study import OWN_ROLES, MRSeries, PixelArray, SeriesRole
from .bags import Crop, CropSpec
from .resample import sample_box

WIDTH_MM, HEIGHT_MM = 72.0, 36.0
_CANAL_BOX = CropSpec(left=50, right=22, up=18, down=18, pixel_mm=1.0, lumbosacral_shift=6)
_FORAMEN_BOX = CropSpec(left=42, right=30, up=14, down=22, pixel_mm=1.0)
_AXIAL_BOX = CropSpec(left=36, right=36, up=18, down=18, pixel_mm=1.0)
#: Between a person's foramina, and from a recess to the midline: means of the synthetic studies.
_FORAMINA_MM, _RECESS_MM = 34.0, 9.0
#: Foramina nearer than this lie on one side by mistake: no line is drawn through them.
_LEAST_APART_MM = 12.0

Visible = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DiscVolume:
    """Where one volume lies: a crop for each place, or None where the series has no slice.

    Parameters
    ----------
    role, series_id
        The series it is cut from.
    """

    role: SeriesRole
    series_id: str
    slots: tuple[Crop | None, ...]


def disc_volumes(
    level: Level,
    landmarks: Landmarks,
    series: Mapping[str, MRSeries],
    n_slices: int,
    roles: Collection[SeriesRole] = tuple(SeriesRole),
    shifts: Mapping[SeriesRole, int] | None = None,
) -> dict[SeriesRole, DiscVolume]:
    """The volumes of a disc by role; a role without landmark, series or slice is left out.

    Parameters
    ----------
    series
        The study's series by ``series_id``, in the usual view.
    n_slices
        Places in each volume, odd and at least 5.
    roles
        Which may be seen.
    shifts
        Move the window by so many slices, for training.

    Raises
    ------
    ValueError
        If ``n_slices`` is even or below 5.
    """
    if n_slices < 5 or n_slices % 2 == 0:
        raise ValueError(f"n_slices {n_slices} must be odd and at least 5: two foramina, ends, and a middle")
    shifts = shifts or {}
    volumes = {}
    for role in roles:
        own = _own_landmarks(role, level, landmarks, series)
        if own:
            slots = _SLOTS[role](own, series[own[0].series_id], n_slices, shifts.get(role, 0))
            if any(slots):
                volumes[role] = DiscVolume(role, own[0].series_id, slots)
    return volumes


def sample_volume(volume: DiscVolume, series: MRSeries, shape: tuple[int, int]) -> tuple[PixelArray, Visible]:
    """Pixels (slices, height, width), zeros where there is no slice, and which slices there are."""
    pixels = np.zeros((len(volume.slots), *shape), np.float32)
    for place, crop in enumerate(volume.slots):
        if crop is not None:
            pixels[place] = sample_box(series.slices[crop.slice_index].pixels, crop.box_rc, shape)
    return pixels, np.array([crop is not None for crop in volume.slots])


def mirrored(pixels: PixelArray, visible: Visible, role: SeriesRole) -> tuple[PixelArray, Visible]:
    """A volume as it would be if the patient's left and right were exchanged."""
    if role is SeriesRole.AXIAL_T2:
        return pixels[..., ::-1], visible
    return pixels[::-1], visible[::-1]


_CONDITIONS = {role: [c for c in Condition if OWN_ROLES[c.group] is role] for role in SeriesRole}


def _own_landmarks(
    role: SeriesRole, level: Level, landmarks: Landmarks, series: Mapping[str, MRSeries]
) -> list[Landmark]:
    """The landmarks that place a volume: those of one series of the role."""
    keys = (FindingKey(condition, level) for condition in _CONDITIONS[role])
    known = (found for key in keys if (found := landmarks.get(key)) is not None)
    own = [one for one in known if one.series_id in series and series[one.series_id].role is role]
    return [one for one in own if one.series_id == own[0].series_id]


@dataclass(frozen=True, eq=False)
class _Stack:
    """The parallel slices around a landmark; ``left`` is their normal, to the patient's left or feet."""

    first: int
    depths_mm: FloatArray
    normal: FloatArray
    step_mm: float

    @classmethod
    def around(cls, landmark: Landmark, series: MRSeries) -> _Stack:
        ends = np.cumsum([len(stack.slices) for stack in series.stacks])
        place = int(np.searchsorted(ends, landmark.slice_index, side="right"))
        stop, count = int(ends[place]), len(series.stacks[place].slices)
        centres = series.positions_lps_mm[stop - count : stop]
        normal = series.slices[stop - count].geometry.normal
        depths = centres @ normal
        # Slices run to the patient's left or feet; a single one tells nothing, and is turned to the left.
        if depths[-1] < depths[0] or (count == 1 and normal[0] < 0):
            normal, depths = -normal, -depths
        step = float(np.median(np.diff(depths))) if count > 1 else 0.0
        return cls(stop - count, depths, normal, step)

    def nearest(self, point_lps_mm: FloatArray) -> tuple[int, float]:
        """Place in the stack of the slice nearest to a point, and how far off it is."""
        off = np.abs(self.depths_mm - point_lps_mm @ self.normal)
        place = int(np.argmin(off))
        return place, float(off[place])


def _canal_slots(own: list[Landmark], series: MRSeries, n: int, shift: int) -> tuple[Crop | None, ...]:
    stack = _Stack.around(own[0], series)
    reach = (np.linspace(-HEIGHT_MM / 2, HEIGHT_MM / 2, n) + shift * stack.step_mm)[:, None]
    points = np.array(own[0].point_lps_mm) + reach * stack.normal
    return _sagittal_slots(points, own[0].key.level, stack, series, _CANAL_BOX)


def _foramina_slots(own: list[Landmark], series: MRSeries, n: int, shift: int) -> tuple[Crop | None, ...]:
    stack = _Stack.around(own[0], series)
    right, left = _line_ends(own, stack)
    share = np.linspace(0, 1, n - 2)
    end = max(stack.step_mm, 1.0) / float(np.linalg.norm(left - right))
    places = np.concatenate([[-end], share, [1 + end]])[:, None]
    points = right + places * (left - right) + shift * stack.step_mm * stack.normal
    return _sagittal_slots(points, own[0].key.level, stack, series, _FORAMEN_BOX)


def _line_ends(own: list[Landmark], stack: _Stack) -> tuple[FloatArray, FloatArray]:
    """The right and the left foramen, one of them guessed where it is not known."""
    points = {one.key.condition.side: np.array(one.point_lps_mm) for one in own}
    breadth = _FORAMINA_MM * stack.normal
    right, left = points.get(Side.RIGHT), points.get(Side.LEFT)
    if right is None or left is None:
        known = left - breadth if left is not None else right
        assert known is not None  # noqa: S101 - a volume has at least one landmark
        return known, known + breadth
    if float((left - right) @ stack.normal) < _LEAST_APART_MM:
        middle = (left + right) / 2
        return middle - breadth / 2, middle + breadth / 2
    return right, left


def _sagittal_slots(
    points: FloatArray, level: Level, stack: _Stack, series: MRSeries, spec: CropSpec
) -> tuple[Crop | None, ...]:
    """A crop around each point, on the slice nearest to it; None beyond the ends of the stack."""
    limit = max(0.75 * stack.step_mm, 3.0)
    slots: list[Crop | None] = []
    for point in points:
        place, off = stack.nearest(point)
        slots.append(_crop(point, level, stack.first + place, series, spec) if off <= limit else None)
    return tuple(slots)


def _axial_slots(own: list[Landmark], series: MRSeries, n: int, shift: int) -> tuple[Crop | None, ...]:
    stack = _Stack.around(own[0], series)
    middle = np.mean([one.point_lps_mm for one in own], axis=0)
    if len(own) == 1:
        # Columns of the usual view run to the patient's left.
        to_midline = -1.0 if own[0].key.condition.side is Side.LEFT else 1.0
        along = np.array(series.slices[own[0].slice_index].geometry.along_row)
        middle = middle + to_midline * _RECESS_MM * along
    centre, _ = stack.nearest(middle)
    off = np.abs(stack.depths_mm - middle @ stack.normal)
    wanted = range(centre + shift - n // 2, centre + shift + n // 2 + 1)
    return tuple(
        _crop(middle, own[0].key.level, stack.first + place, series, _AXIAL_BOX)
        if 0 <= place < len(off) and off[place] <= HEIGHT_MM / 2
        else None
        for place in wanted
    )


def _crop(point: FloatArray, level: Level, index: int, series: MRSeries, spec: CropSpec) -> Crop:
    geometry = series.slices[index].geometry
    return Crop(index, spec.box(geometry.pixel_from_lps(point), geometry.spacing_rc_mm, level))


_SLOTS = {
    SeriesRole.SAGITTAL_T2: _canal_slots,
    SeriesRole.SAGITTAL_T1: _foramina_slots,
    SeriesRole.AXIAL_T2: _axial_slots,
}
