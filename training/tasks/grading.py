"""Severity from bags of crops: what the ``LstmMil`` networks learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ...domain.landmarks import Landmarks
from ...domain.spine import ConditionGroup, FindingKey, Side
from ...domain.study import MRSeries, SliceStack
from ...models.lstm_mil import MilConfig
from ...phantom import READER_SD_GRADES, PhantomStudy, reader_probabilities
from ...phantom.tissue import LabelArray
from ...preprocess.bags import Bag, finding_bags, sample_bag, sample_crop
from ...preprocess.canonical import canonical_series
from ...preprocess.planes import PLANE_SHAPES, PLANES
from ..augment import random_affine, random_appearance, tissue_gains
from ..engine import Batch, stack_items
from ..losses import OUTSIDE, mil_loss
from ..misses import Misses, random_jitter

#: Bags in a batch of whole bags, and of single crops.
_BAG_BATCH, _SINGLE_BATCH = 12, 32
#: How unsure the readers are whose answers are the targets, in grades. Recesses were learnt best from readers
#: twice as unsure as the phantoms' own; canal and foramen from those themselves.
_TARGET_SD_GRADES = {
    ConditionGroup.CANAL: READER_SD_GRADES,
    ConditionGroup.FORAMINAL: READER_SD_GRADES,
    ConditionGroup.SUBARTICULAR: 2 * READER_SD_GRADES,
}
#: How often a plane is blank, so that the network can do without it.
_BLANK_SHARE = 0.3
#: How often the tissues of a phantom get another brightness.
_RECOLOURED_SHARE = 0.7


def grading_config(group: ConditionGroup) -> MilConfig:
    """The ``tiny`` network of a condition group."""
    return MilConfig(planes=PLANES[group])


@dataclass(frozen=True, eq=False)
class GradedStudy:
    """A study ready to be cut.

    Parameters
    ----------
    series
        By ``series_id``, in the usual view, each slice scaled to 0..255.
    landmarks
        Where to cut.
    severity
        Probability of each severity, shape (3,), for the findings whose severity is known.
    tissues
        The phantom's labels in the place of pixels, by ``series_id``; none for real series.
    """

    series: Mapping[str, MRSeries]
    landmarks: Landmarks
    severity: Mapping[FindingKey, npt.NDArray[np.float32]]
    tissues: Mapping[str, MRSeries] = field(default_factory=dict)

    @classmethod
    def from_phantom(cls, phantom: PhantomStudy) -> GradedStudy:
        """A phantom with what readers would say: many of them, so that one's slip teaches nothing."""
        used = [s for s in phantom.study.series if s.role is not None]
        return cls(
            {s.series_id: canonical_series(s) for s in used},
            phantom.landmarks,
            reader_targets(phantom.narrowness, phantom.landmarks.points),
            {s.series_id: canonical_series(_labelled(s, phantom.tissues[s.series_id])) for s in used},
        )


@dataclass(frozen=True, eq=False)
class GradedSource:
    """Studies of one kind, and the share of the items that comes from them.

    Parameters
    ----------
    single_share, bag_share
        While the network learns from single crops, and from whole bags.
    """

    studies: Sequence[GradedStudy]
    single_share: float
    bag_share: float


def reader_targets(
    narrowness: Mapping[FindingKey, float], keys: Iterable[FindingKey]
) -> dict[FindingKey, npt.NDArray[np.float32]]:
    """What many readers would say of places this narrow, in grades: probabilities, shape (3,), by finding."""
    targets = {}
    for key in keys:
        said = reader_probabilities(np.array([narrowness[key]]), _TARGET_SD_GRADES[key.condition.group])
        targets[key] = said[0].astype(np.float32)
    return targets


class GradingTask:
    """Crops cut around the truth, moved as the localiser would miss it.

    The first ``single_steps`` batches hold one crop a bag, the annotated slice's: a fifth of the work, and
    every image shows what it is labelled with. Whole bags follow. Straight from bags, the attention has to
    find the slice before the encoder knows what to look for; that took several times as long.

    Parameters
    ----------
    sources
        Where the items come from; those without studies are left out.
    misses
        How the localiser misses.
    """

    def __init__(
        self,
        sources: Sequence[GradedSource],
        group: ConditionGroup,
        seed: int,
        single_steps: int,
        misses: Misses,
    ) -> None:
        filled = [source for source in sources if source.studies]
        self._single_shares = _normalised([source.single_share for source in filled])
        self._bag_shares = _normalised([source.bag_share for source in filled])
        self._studies = [source.studies for source in filled]
        self._group = group
        self._planes = PLANES[group]
        self._seed = seed
        self._single_steps = single_steps
        # An axial crop is cut around the recesses, whatever is graded.
        own = {"sagittal": group, "axial": ConditionGroup.SUBARTICULAR}
        self._misses = {plane: misses[own[plane]] for plane in self._planes}

    def batch(self, step: int) -> Batch:
        """Bags per plane (B, N, 1, H, W), severity (B, 3), place of the annotated slice (B, planes)."""
        rng = np.random.default_rng((self._seed, step))
        single = step < self._single_steps
        items = [self._item(rng, single) for _ in range(_SINGLE_BATCH if single else _BAG_BATCH)]
        return stack_items(items)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss, and attention drawn to the annotated slice."""
        output = network(tuple(batch[plane] for plane in self._planes))
        return mil_loss(output, batch["severity"], batch["places"])

    def _item(self, rng: np.random.Generator, single: bool) -> dict[str, npt.NDArray[np.generic]]:
        shares = self._single_shares if single else self._bag_shares
        studies = self._studies[rng.choice(len(self._studies), p=shares)]
        study = studies[int(rng.integers(len(studies)))]
        keys = [key for key in study.severity if key.condition.group is self._group]
        key = keys[int(rng.integers(len(keys)))]
        side = (Side.LEFT, Side.RIGHT)[rng.integers(2)]
        jitter = {plane: random_jitter(rng, self._misses[plane]) for plane in self._planes}
        bags: dict[str, Bag] = dict(finding_bags(key, study.landmarks, study.series, side, jitter))
        if single:
            bags = {plane: annotated_alone(bag) for plane, bag in bags.items()}
        if len(bags) > 1 and rng.random() < _BLANK_SHARE:
            del bags[self._planes[rng.integers(len(self._planes))]]
        item: dict[str, npt.NDArray[np.generic]] = {
            "severity": study.severity[key],
            "places": np.array([annotated_place(bags.get(plane)) for plane in self._planes]),
        }
        for plane in self._planes:
            item[plane] = _crops(rng, plane, bags.get(plane), study, 1 if single else 5)
        return item


def _normalised(shares: Sequence[float]) -> npt.NDArray[np.float64]:
    return np.array(shares) / sum(shares)


def annotated_alone(bag: Bag) -> Bag:
    """The bag with nothing but the crop of the annotated slice."""
    return replace(bag, crops=(replace(bag.crops[0], slice_index=bag.annotated),))


def annotated_place(bag: Bag | None) -> int:
    """Place in the bag of the slice that the truth of the bag's plane lies on."""
    if bag is None:
        return OUTSIDE
    places = [i for i, crop in enumerate(bag.crops) if crop.slice_index == bag.annotated]
    return places[0] if len(places) == 1 else OUTSIDE


def _crops(
    rng: np.random.Generator, plane: str, bag: Bag | None, study: GradedStudy, count: int
) -> npt.NDArray[np.float32]:
    """Crops of a bag, turned and recoloured together, shape (N, 1, H, W); zeros without a bag."""
    shape = PLANE_SHAPES[plane]
    if bag is None:
        return np.zeros((count, 1, *shape), np.float32)
    series, tissues = study.series[bag.series_id], study.tissues.get(bag.series_id)
    crops = sample_bag(bag, series, shape) / np.float32(255)
    if tissues is not None and rng.random() < _RECOLOURED_SHARE:
        crops = crops * _gain_crops(rng, bag, series, tissues, shape)
    if rng.random() < 0.5:
        affine = random_affine(rng, shape, shape, (3.0, 3.0), max_degrees=12, max_log_scale=0.1)
        crops = affine.warp(crops, shape, order=1)
    if rng.random() < 0.5:
        # Which tissue is bright decides a grade, so contrast may bend here but not fold.
        crops = random_appearance(rng, crops, fold_share=0.0, strength=0.5)
    return crops[:, None]


def _gain_crops(
    rng: np.random.Generator, bag: Bag, series: MRSeries, tissues: MRSeries, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """A new brightness for every tissue, as factors of a bag's crops, shape (N, H, W)."""
    annotated = series.slices[bag.annotated].pixels, tissues.slices[bag.annotated].pixels.astype(np.uint8)
    gains = tissue_gains(rng, *annotated)
    labels = (tissues.slices[crop.slice_index].pixels.astype(np.uint8) for crop in bag.crops)
    return np.stack(
        [sample_crop(bag, crop, gains[one], shape) for crop, one in zip(bag.crops, labels, strict=True)]
    )


def _labelled(series: MRSeries, tissues: Sequence[LabelArray]) -> MRSeries:
    """A series with labels in the place of pixels."""
    labels = iter(tissues)
    stacks = tuple(
        SliceStack(tuple(replace(s, pixels=next(labels)) for s in stack.slices))  # type: ignore[arg-type]
        for stack in series.stacks
    )
    return replace(series, stacks=stacks)
