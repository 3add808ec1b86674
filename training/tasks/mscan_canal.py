"""What M-SCAN's graders learn: the canal from single crops, then from all crops of a study.

Levels without a grade or without a point are ignored, never filled in. Crops are cut around the readers'
points, moved as a localiser misses them, recoloured a little, then equalised as in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import functional

from ...domain.geometry import Vector3, vector3
from ...domain.spine import Condition, FindingKey, Level
from ...domain.study import MRSeries, SeriesRole, Study
from ...models.crop_grader import CropGrader
from ...models.mscan import AXIAL_SLICES, Mscan, MscanConfig, MscanInput
from ...preprocess.bags import NO_JITTER, Jitter
from ...preprocess.mscan_views import (
    AxialSlices,
    CanalCrop,
    axial_crop,
    equalised,
    nearest_axial_slices,
    recess_middle,
    sagittal_crop,
    sample_canal_crop,
)
from ..augment import Image, random_affine, random_appearance
from ..engine import Batch, stack_items
from ..losses import weighted_cross_entropy
from ..misses import typical_jitter
from ..rsna.studies import LabelledStudy

if TYPE_CHECKING:
    from ..recipes.recipe import FoldData

View = Literal["sagittal", "axial"]
#: In the place of a severity that is not known.
UNGRADED = -100
#: How often a whole study, and each level, goes without its axial crops.
_NO_AXIAL_STUDY, _NO_AXIAL_LEVEL = 0.1, 0.05
Item = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class CanalLevel:
    """Where the canal of one level is seen.

    Parameters
    ----------
    series_id, slice_index, point_lps_mm
        The sagittal slice, and the point in patient space.
    axial
        Three slices and the point, or None where no axial slice passes near.
    severity
        The reader's, or ``UNGRADED``.
    """

    series_id: str
    slice_index: int
    point_lps_mm: Vector3
    axial: tuple[AxialSlices, Vector3] | None
    severity: int


@dataclass(frozen=True)
class CanalStudy:
    """Where a study stands among others, and its levels that have a point."""

    place: int
    levels: Mapping[Level, CanalLevel]


def canal_studies(studies: Sequence[LabelledStudy]) -> list[CanalStudy]:
    """Studies with at least one level whose canal is marked and graded; no pixel is touched."""
    found = [CanalStudy(place, _levels(study)) for place, study in enumerate(studies)]
    return [one for one in found if any(level.severity != UNGRADED for level in one.levels.values())]


def _levels(study: LabelledStudy) -> dict[Level, CanalLevel]:
    known = {one.series_id for one in study.study.series}
    axial = study.study.with_role(SeriesRole.AXIAL_T2)
    found = {}
    for level in Level:
        key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
        point = study.landmarks.get(key)
        if point is None or point.series_id not in known:
            continue
        slices = nearest_axial_slices(axial, point.point_lps_mm)
        middle = recess_middle(study.landmarks, level)
        place = point.point_lps_mm if middle is None else vector3(middle)
        found[level] = CanalLevel(
            point.series_id,
            point.slice_index,
            point.point_lps_mm,
            None if slices is None else (slices, place),
            int(study.severities.get(key, UNGRADED)),
        )
    return found


class CanalCropTask:
    """Single crops of one view, for ``CropGrader``."""

    def __init__(
        self, studies: Sequence[LabelledStudy], view: View, size: int, batch_size: int, seed: int
    ) -> None:
        self._studies, self._levels = studies, graded_levels(canal_studies(studies), view)
        self._view, self._size = view, size
        self._batch_size, self._seed = batch_size, seed

    def batch(self, step: int) -> Batch:
        """Crops (B, 1, S, S), severity (B,)."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.integers(len(self._levels), size=self._batch_size)
        return stack_items([self._item(rng, *self._levels[i]) for i in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss."""
        target = functional.one_hot(batch["severity"], 3).float()
        return {"loss": weighted_cross_entropy(network(batch["crop"]), target)}

    def _item(self, rng: np.random.Generator, place: int, level: CanalLevel) -> Item:
        cutter = Cutter(self._studies[place].study, self._size, self._size, rng)
        if self._view == "sagittal":
            crop = cutter.sagittal(level)
        else:
            crop = cutter.axial(level, int(rng.integers(AXIAL_SLICES)), mirrored=rng.random() < 0.5)
        return {"crop": crop[None], "severity": np.array(level.severity)}


class CanalStudyTask:
    """All crops of a study, for ``Mscan``."""

    def __init__(
        self, studies: Sequence[LabelledStudy], config: MscanConfig, batch_size: int, seed: int
    ) -> None:
        self._studies, self._canals = studies, canal_studies(studies)
        self._config, self._batch_size, self._seed = config, batch_size, seed

    def batch(self, step: int) -> Batch:
        """Crops (B, 5, 1, S, S) and (B, 5, 3, 1, S, S), what is seen (B, 5, 2), severity (B, 5)."""
        rng = np.random.default_rng((self._seed, step))
        chosen = [self._canals[i] for i in rng.integers(len(self._canals), size=self._batch_size)]
        return stack_items([study_item(self._studies[c.place].study, c, self._config, rng) for c in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss, over the levels that are graded."""
        output = network(MscanInput(batch["sagittal"], batch["axial"], batch["seen"]))
        known = batch["severity"] != UNGRADED
        target = functional.one_hot(batch["severity"][known], 3).float()
        return {"loss": weighted_cross_entropy(output.logits[known], target)}


def graded_levels(studies: Sequence[CanalStudy], view: View) -> list[tuple[int, CanalLevel]]:
    """The graded levels that a view shows, with the places of their studies."""
    levels = [(one.place, level) for one in studies for level in one.levels.values()]
    graded = [(place, level) for place, level in levels if level.severity != UNGRADED]
    return [(place, level) for place, level in graded if view == "sagittal" or level.axial is not None]


def study_item(
    study: Study, canal: CanalStudy, config: MscanConfig, rng: np.random.Generator | None = None
) -> Item:
    """What ``Mscan`` sees of a study; moved and recoloured if there is a generator."""
    cutter = Cutter(study, config.sagittal.size, config.axial.size, rng)
    item = empty_item(config)
    mirrored = rng is not None and rng.random() < 0.5
    without = config.views == "sagittal" or (rng is not None and rng.random() < _NO_AXIAL_STUDY)
    for level, one in canal.levels.items():
        i = level.rank
        item["severity"][i] = one.severity
        item["sagittal"][i, 0] = cutter.sagittal(one)
        item["seen"][i, 0] = True
        if one.axial is None or without or (rng is not None and rng.random() < _NO_AXIAL_LEVEL):
            continue
        item["axial"][i, :, 0] = [cutter.axial(one, k, mirrored) for k in range(AXIAL_SLICES)]
        item["seen"][i, 1] = True
    return item


def empty_item(config: MscanConfig) -> Item:
    """A study of which nothing is seen."""
    levels, sagittal, axial = len(Level), config.sagittal.size, config.axial.size
    return {
        "sagittal": np.zeros((levels, 1, sagittal, sagittal), np.float32),
        "axial": np.zeros((levels, AXIAL_SLICES, 1, axial, axial), np.float32),
        "seen": np.zeros((levels, 2), np.bool_),
        "severity": np.full(levels, UNGRADED, np.int64),
    }


@dataclass(frozen=True, eq=False)
class Cutter:
    """Cuts crops out of a study (usual view, 0..255); moved and recoloured if there is a generator."""

    study: Study
    sagittal_size: int
    axial_size: int
    rng: np.random.Generator | None

    def sagittal(self, level: CanalLevel) -> Image:
        """The crop of a level, shape (S, S)."""
        series = self.study.by_id(level.series_id)
        crop = sagittal_crop(series, level.slice_index, level.point_lps_mm, self._jitter())
        return self._pixels(crop, series, self.sagittal_size)

    def axial(self, level: CanalLevel, k: int, mirrored: bool) -> Image:
        """The crop of a level's k-th slice; the canal has no side, so a mirrored one is as good."""
        if level.axial is None:
            raise ValueError("a level without axial slices has no axial crop")
        slices, point = level.axial
        series = self.study.by_id(slices.series_id)
        crop = axial_crop(series, slices.indices[k], point, self._jitter())
        image = self._pixels(crop, series, self.axial_size)
        return np.ascontiguousarray(image[:, ::-1]) if mirrored else image

    def _jitter(self) -> Jitter:
        return NO_JITTER if self.rng is None else typical_jitter(self.rng)

    def _pixels(self, crop: CanalCrop, series: MRSeries, size: int) -> Image:
        rng, image = self.rng, sample_canal_crop(crop, series, size) / np.float32(255)
        if rng is not None and rng.random() < 0.5:
            affine = random_affine(rng, image.shape, (size, size), (0.0, 0.0), 12.0, 0.1)
            image = affine.warp(image, (size, size), order=1)
        if rng is not None and rng.random() < 0.5:
            image = random_appearance(rng, image, fold_share=0.0, strength=0.5)
        return equalised(image)


def take_encoders(network: nn.Module, fold: FoldData) -> None:
    """Put the encoders of stage 2 into an ``Mscan`` and freeze them."""
    if not isinstance(network, Mscan):
        raise TypeError(f"only an Mscan takes the encoders of M-SCAN's stage 2, not {type(network).__name__}")
    for name, view in network.views.items():
        trained = cast(CropGrader, fold.trained(f"grade_{name}"))
        view.encoder.load_state_dict(trained.encoder.state_dict())
        view.encoder.requires_grad_(False)
