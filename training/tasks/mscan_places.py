"""What M-SCAN's three localising networks learn: canal points, levels, axial points.

Missing points are ignored, never filled in. A point marks every slice whose plane passes near it, because
readers marked each level on one slice only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import functional

from ...domain.geometry import FloatArray, SliceGeometry, Vector3
from ...domain.spine import Condition, ConditionGroup, FindingKey, Level
from ...domain.study import MRSeries, SeriesRole
from ...models.axial_point import SIDES
from ...models.point_unet import BACKGROUND
from ...preprocess.mscan_views import square_box, stack_range, to_square, whole_slice
from ..augment import Image, random_affine, random_appearance
from ..detection_loss import detection_loss
from ..engine import Batch, stack_items
from ..rsna.studies import LabelledStudy

#: Planes this near show a canal point; sides of a box; radius of a blob in the mask.
_MASK_PLANE_MM, _BOX_MM, _BLOB_MM = 8.0, 40.0, 6.0
#: Whether a level's box is on a slice: surely up to the first distance, surely not beyond the second.
_ON_SLICE_MM, _OFF_SLICE_MM = 3.0, 5.0
#: How often the detector sees any slice instead of one through a point.
_ANY_SLICE_SHARE = 0.35
#: Weight of the five blobs against the background, which is hundreds of times as large.
_BLOB_WEIGHT = 10.0
_DEGREES, _LOG_SCALE, _SHIFT = 12.0, 0.12, 0.08

Item = dict[str, npt.NDArray[np.generic]]
P = TypeVar("P")


@dataclass(frozen=True, eq=False)
class CanalPoints:
    """Where a study stands among others, its sagittal series, the canal points there, the slices marked."""

    study: int
    series_id: str
    points_lps_mm: Mapping[Level, Vector3]
    slices: tuple[int, ...]


def canal_points(studies: Sequence[LabelledStudy]) -> list[CanalPoints]:
    """The sagittal T2 series of studies on which a canal is marked."""
    found = []
    for place, study in enumerate(studies):
        for series in study.study.with_role(SeriesRole.SAGITTAL_T2):
            keys = [FindingKey(Condition.SPINAL_CANAL_STENOSIS, level) for level in Level]
            marked = [m for k in keys if (m := study.landmarks.get(k)) and m.series_id == series.series_id]
            points = {m.key.level: m.point_lps_mm for m in marked}
            if marked:
                slices = tuple(sorted({m.slice_index for m in marked}))
                found.append(CanalPoints(place, series.series_id, points, slices))
    return found


class PointMaskTask:
    """Whole sagittal slices with a blob at every canal point, for ``PointUNet``."""

    def __init__(self, studies: Sequence[LabelledStudy], size: int, batch_size: int, seed: int) -> None:
        self._studies, self._places = studies, canal_points(studies)
        self._size, self._batch_size, self._seed = size, batch_size, seed

    def batch(self, step: int) -> Batch:
        """Images (B, 1, S, S), classes (B, S, S)."""
        rng = np.random.default_rng((self._seed, step))
        return stack_items([self._item(rng, one) for one in _drawn(rng, self._places, self._batch_size)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy over the six classes; the published one has no weights."""
        logits = network(batch["image"]).float()
        weights = logits.new_full((BACKGROUND + 1,), _BLOB_WEIGHT)
        weights[BACKGROUND] = 1.0
        return {"loss": functional.cross_entropy(logits, batch["classes"], weights)}

    def _item(self, rng: np.random.Generator, places: CanalPoints) -> Item:
        series = self._studies[places.study].study.by_id(places.series_id)
        index = _beside(rng, series, int(rng.choice(places.slices)))
        geometry = series.slices[index].geometry
        near = {
            level: point
            for level, point in places.points_lps_mm.items()
            if abs(float(geometry.signed_distance_mm(point))) <= _MASK_PLANE_MM
        }
        points = _fractions(geometry, list(near.values()))
        image, points_px = _moved(rng, whole_slice(series.slices[index], self._size), points)
        radius = max(1.5, _BLOB_MM * self._size / _side_mm(geometry))
        ranks = [level.rank for level in near]
        return {"image": image[None], "classes": blobs(points_px, ranks, radius, self._size)}


class LevelBoxTask:
    """Whole sagittal slices with a box around each canal point on them, for ``LevelDetector``."""

    def __init__(self, studies: Sequence[LabelledStudy], size: int, batch_size: int, seed: int) -> None:
        self._studies, self._places = studies, canal_points(studies)
        self._size, self._batch_size, self._seed = size, batch_size, seed

    def batch(self, step: int) -> Batch:
        """Images (B, 1, S, S), boxes (B, 5, 4), whether they are present and whether that is known."""
        rng = np.random.default_rng((self._seed, step))
        return stack_items([self._item(rng, one) for one in _drawn(rng, self._places, self._batch_size)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The losses of FCOS."""
        return detection_loss(network(batch["image"]), batch["boxes"], batch["present"], batch["known"])

    def _item(self, rng: np.random.Generator, places: CanalPoints) -> Item:
        any_slice = rng.random() < _ANY_SLICE_SHARE
        series = self._studies[places.study].study.by_id(places.series_id)
        index = int(rng.integers(len(series.slices)) if any_slice else rng.choice(places.slices))
        geometry = series.slices[index].geometry
        points, distance = np.zeros((len(Level), 2)), np.full(len(Level), np.nan)
        for level, point in places.points_lps_mm.items():
            points[level.rank] = to_square(geometry, geometry.pixel_from_lps(point))
            distance[level.rank] = abs(float(geometry.signed_distance_mm(point)))
        image, points_px = _moved(rng, whole_slice(series.slices[index], self._size), points)
        half = _BOX_MM / 2 * self._size / _side_mm(geometry)
        middle = points_px[:, ::-1] + 0.5  # (x, y) from the image's corner
        inside = ((middle > 0) & (middle < self._size)).all(1)
        return {
            "image": image[None],
            "boxes": np.concatenate([middle - half, middle + half], axis=1).astype(np.float32),
            "present": (distance <= _ON_SLICE_MM) & inside,
            # A level without a point is as unknown as one that is a little beside the slice.
            "known": (distance <= _ON_SLICE_MM) | (distance >= _OFF_SLICE_MM),
        }


@dataclass(frozen=True, eq=False)
class RecessPoints:
    """Where a study stands among others, a marked axial slice, and the recesses of its level."""

    study: int
    series_id: str
    slice_index: int
    points_lps_mm: tuple[Vector3 | None, ...]


def recess_points(studies: Sequence[LabelledStudy]) -> list[RecessPoints]:
    """The axial slices of studies on which a recess is marked; points in the order of ``SIDES``."""
    found = []
    for number, study in enumerate(studies):
        axial = {one.series_id for one in study.study.with_role(SeriesRole.AXIAL_T2)}
        for level in Level:
            keys = [FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level) for side in SIDES]
            marked = [study.landmarks.get(key) for key in keys]
            for place in sorted({(m.series_id, m.slice_index) for m in marked if m and m.series_id in axial}):
                points = tuple(m.point_lps_mm if m and m.series_id == place[0] else None for m in marked)
                found.append(RecessPoints(number, *place, points))
    return found


class AxialPointTask:
    """Whole axial slices with both recesses, for ``AxialPointNet``."""

    def __init__(self, studies: Sequence[LabelledStudy], size: int, batch_size: int, seed: int) -> None:
        self._studies, self._places = studies, recess_points(studies)
        self._size, self._batch_size, self._seed = size, batch_size, seed

    def batch(self, step: int) -> Batch:
        """Images (B, 1, S, S), points (B, 2, 2) as fractions, whether they are known (B, 2)."""
        rng = np.random.default_rng((self._seed, step))
        return stack_items([self._item(rng, one) for one in _drawn(rng, self._places, self._batch_size)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Mean squared error of the known points, in hundredths of the image's side."""
        squared = ((network(batch["image"]) - batch["points"]) * 100).square().sum(-1)
        known = batch["known"].float()
        mean = (squared * known).sum() / known.sum().clamp_min(1)
        return {"loss": mean / 100, "rms_percent": mean.detach().sqrt()}

    def _item(self, rng: np.random.Generator, places: RecessPoints) -> Item:
        series = self._studies[places.study].study.by_id(places.series_id)
        index = _beside(rng, series, places.slice_index)
        geometry = series.slices[index].geometry
        known = np.array([point is not None for point in places.points_lps_mm])
        points = _fractions(geometry, [point or (0.0, 0.0, 0.0) for point in places.points_lps_mm])
        image, points_px = _moved(rng, whole_slice(series.slices[index], self._size), points)
        fractions = (points_px + 0.5) / self._size
        known &= ((fractions > 0) & (fractions < 1)).all(1)
        if rng.random() < 0.5:
            image, fractions, known = mirrored_sides(image, fractions, known)
        return {
            "image": np.ascontiguousarray(image)[None],
            "points": fractions.astype(np.float32),
            "known": known,
        }


def _drawn(rng: np.random.Generator, places: Sequence[P], count: int) -> list[P]:
    """So many of the places, each as likely as any."""
    return [places[i] for i in rng.integers(len(places), size=count)]


def mirrored_sides(
    image: Image, fractions: FloatArray, known: npt.NDArray[np.bool_]
) -> tuple[Image, FloatArray, npt.NDArray[np.bool_]]:
    """An axial slice seen in a mirror: what was the left recess is the right one."""
    turned = np.stack([fractions[:, 0], 1 - fractions[:, 1]], axis=1)
    return image[:, ::-1], turned[::-1], known[::-1].copy()


def blobs(points_px: FloatArray, ranks: Sequence[int], radius: float, size: int) -> npt.NDArray[np.int64]:
    """Class of each pixel, shape (size, size): the rank of the point it is near to, or the background."""
    rows, columns = np.indices((size, size))
    classes = np.full((size, size), BACKGROUND, np.int64)
    for (row, column), rank in zip(points_px, ranks, strict=True):
        classes[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = rank
    return classes


def _side_mm(geometry: SliceGeometry) -> float:
    top, _, bottom, _ = square_box(geometry)
    return (bottom - top) * geometry.row_spacing_mm


def _fractions(geometry: SliceGeometry, points_lps_mm: Sequence[Vector3]) -> FloatArray:
    if not points_lps_mm:
        return np.zeros((0, 2))
    return to_square(geometry, geometry.pixel_from_lps(np.array(points_lps_mm)))


def _beside(rng: np.random.Generator, series: MRSeries, index: int) -> int:
    """The slice, or now and then its neighbour: that is how far the search for it misses."""
    stack = stack_range(series, index)
    return min(max(index + int(rng.choice((-1, 0, 1), p=(0.2, 0.6, 0.2))), stack.start), stack.stop - 1)


def _moved(
    rng: np.random.Generator, image: npt.NDArray[np.floating], fractions: FloatArray
) -> tuple[Image, FloatArray]:
    """Turn, scale, shift and recolour a square image of 0..255; where its points come to lie, in pixels."""
    shape, size = (len(image), len(image)), len(image)
    affine = random_affine(rng, shape, shape, (_SHIFT * size, _SHIFT * size), _DEGREES, _LOG_SCALE)
    moved = affine.warp(image / np.float32(255), shape, order=1)
    if rng.random() < 0.5:
        moved = random_appearance(rng, moved, fold_share=0.0, strength=0.5)
    return moved, affine.to_canvas(fractions * size - 0.5)
