"""Where points lie on whole images: what the ``PointRegressor`` learns on sagittal and on axial slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import functional

from ...domain.geometry import FloatArray
from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ...domain.study import MRSeries, SeriesRole
from ...preprocess.bags import slice_window
from ...preprocess.canonical import canonical_series
from ...preprocess.channels import AXIAL_SIDES, FORAMINAL_HEAD_SIDES
from ...preprocess.point_images import relative_from_pixel, sagittal_image, whole_image
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..rsna.studies import LabelledStudy
from .marked import KEPT_BYTES, marked_stack, needed_stack

#: How far an image is moved, as a share of its size, turned, and scaled.
_SHIFT, _DEGREES, _LOG_SCALE = 0.06, 8.0, 0.1
#: How often the image is that of the slice before or behind, as the votes for a slice miss (Table 2).
_MISSED_SHARE = 0.29


@dataclass(frozen=True, eq=False)
class PointSample:
    """An image, shape (C, size, size) in 0..255, and points (n, 2) relative to its borders; NaN unknown."""

    image: npt.NDArray[np.uint8]
    points_rc: npt.NDArray[np.float32]


class PointImages(Protocol):
    """Images with points."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def sample(self, place: int, shift: int) -> PointSample:
        """One image, of so many slices further than the marked one; tables of images know no others."""
        ...


class SagittalImages:
    """Of each study the image of the canal's five points, or those of the right and of the left foramina."""

    def __init__(self, studies: Sequence[LabelledStudy], group: ConditionGroup, size: int) -> None:
        sides: tuple[Side | None, ...] = (
            FORAMINAL_HEAD_SIDES if group is ConditionGroup.FORAMINAL else (None,)
        )
        self._studies, self._group, self._sides, self._size = studies, group, sides, size
        self._places: list[tuple[int, int]] = []
        for i, one in enumerate(studies):
            marked = marked_stack(one.study, one.landmarks, group)
            if marked is not None:
                seen = np.isfinite(marked.indices).reshape(len(sides), -1).any(axis=1)
                self._places += [(i, side) for side in np.flatnonzero(seen).tolist()]
        if not self._places:
            raise ValueError(f"none of {len(studies)} studies shows a landmark of {group.value}")
        self.sample = lru_cache(max(8, KEPT_BYTES // (3 * size * size)))(self._sample)

    def __len__(self) -> int:
        return len(self._places)

    def _sample(self, place: int, shift: int) -> PointSample:
        study, side = self._places[place]
        marked = needed_stack(self._studies[study], self._group)
        rows = slice(side * len(Level), (side + 1) * len(Level))
        middle = int(np.rint(np.nanmedian(marked.indices[rows]))) + shift
        middle = min(max(middle, 0), len(marked.slices) - 1)
        image = sagittal_image(marked.slices, middle, self._size, self._sides[side] is Side.RIGHT)
        return PointSample(np.rint(image).astype(np.uint8), marked.relative_rc[rows].astype(np.float32))


class AxialImages:
    """The axial slices on which recesses are marked."""

    def __init__(self, studies: Sequence[LabelledStudy], size: int) -> None:
        self._studies, self._size = studies, size
        self._places = [
            (i, level) for i, one in enumerate(studies) for level in Level if _recesses(one, level)
        ]
        if not self._places:
            raise ValueError(f"none of {len(studies)} studies shows a recess that somebody marked")
        self.sample = lru_cache(max(8, KEPT_BYTES // (size * size)))(self._sample)

    def __len__(self) -> int:
        return len(self._places)

    def _sample(self, place: int, shift: int) -> PointSample:
        study, level = self._places[place]
        one = self._studies[study]
        points = _recesses(one, level)
        series_id, index = next(iter(points.values()))[:2]
        series = canonical_series(one.study.by_id(series_id))
        shown = series.slices[_beside(series, index, shift)]
        marked = np.full((len(AXIAL_SIDES), 2), np.nan, np.float32)
        for side, (own_series, own_index, point) in points.items():
            if (own_series, own_index) == (series_id, index):
                pixel = shown.geometry.pixel_from_lps(point)
                marked[AXIAL_SIDES.index(side)] = relative_from_pixel(pixel, shown.geometry)
        image = whole_image(shown, self._size)[None]
        return PointSample(np.rint(image).astype(np.uint8), marked)


def _recesses(one: LabelledStudy, level: Level) -> dict[Side, tuple[str, int, FloatArray]]:
    """Series, slice and place in patient space of the recesses of a level that are marked."""
    axial = {series.series_id for series in one.study.with_role(SeriesRole.AXIAL_T2)}
    found = {}
    for side in AXIAL_SIDES:
        point = one.landmarks.get(FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level))
        if point is not None and point.series_id in axial:
            found[side] = (point.series_id, point.slice_index, np.array(point.point_lps_mm))
    return found


def _beside(series: MRSeries, index: int, shift: int) -> int:
    """The slice ``shift`` further, within the same stack."""
    window = slice_window(series, index, shift)
    return window[len(window) // 2]


class PointTask:
    """Random images, moved, seen in random contrast and from the slice before or behind.

    Parameters
    ----------
    flips
        True where the two points are the patient's left and right: half of the images are then mirrored,
        and the points change places.
    augmented
        False shows every image as it is.
    """

    def __init__(
        self,
        images: PointImages,
        seed: int,
        batch_size: int = 16,
        flips: bool = False,
        augmented: bool = True,
    ) -> None:
        self._images, self._seed, self._batch_size = images, seed, batch_size
        self._flips, self._augmented = flips, augmented

    def batch(self, step: int) -> Batch:
        """Images (B, C, size, size), points (B, n, 2); NaN where unknown or outside."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.integers(len(self._images), size=self._batch_size)
        return stack_items([self._item(rng, int(i)) for i in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """L1 over the points that are known."""
        points = network(batch["image"])
        known = batch["points"].isfinite()
        if not known.any():
            return {"loss": points.sum() * 0}
        return {"loss": functional.l1_loss(points[known].float(), batch["points"][known])}

    def _item(self, rng: np.random.Generator, place: int) -> dict[str, npt.NDArray[np.float32]]:
        shift = int(rng.choice((-1, 1))) if self._augmented and rng.random() < _MISSED_SHARE else 0
        sample = self._images.sample(place, shift)
        image, points_rc = sample.image.astype(np.float32) / np.float32(255), sample.points_rc
        if self._augmented:
            image, points_rc = _moved(rng, image, points_rc)
            image = random_appearance(rng, image, fold_share=0.1)
        if self._flips and rng.random() < 0.5:
            image, points_rc = mirrored(image, points_rc)
        return {"image": image, "points": points_rc}


def mirrored(
    image: npt.NDArray[np.float32], points_rc: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """An axial image with left and right exchanged, and its left and right points."""
    turned = points_rc[::-1].copy()
    turned[:, 1] = 1 - turned[:, 1]
    return np.ascontiguousarray(image[..., ::-1]), turned


def _moved(
    rng: np.random.Generator, image: npt.NDArray[np.float32], points_rc: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    size = image.shape[-1]
    shift = (_SHIFT * size, _SHIFT * size)
    affine = random_affine(rng, (size, size), (size, size), shift, _DEGREES, _LOG_SCALE)
    points = (affine.to_canvas(points_rc * size - 0.5) + 0.5) / size
    outside = ((points < 0) | (points > 1)).any(axis=1)
    points[outside] = np.nan
    return affine.warp(image, (size, size), order=1), points.astype(np.float32)
