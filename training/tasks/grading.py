"""Severity from bags of crops: what the ``LstmMil`` networks learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ...domain.study import MRSeries
from ...models.lstm_mil import MilConfig
from ...phantom import PhantomStudy
from ...preprocess.bags import Bag, Jitter, finding_bags, sample_bag
from ...preprocess.canonical import canonical_series
from ...preprocess.planes import PLANE_SHAPES, PLANES
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..losses import OUTSIDE, mil_loss
from .slice_index import head_keys

#: Bags in a batch of whole bags, and of single crops.
_BAG_BATCH, _SINGLE_BATCH = 12, 32
#: A localiser's error in pixels of the 512 frame, and in slices with their probabilities.
_JITTER_PX = 10.0
_SLICE_SHIFTS, _SHIFT_SHARES = (-2, -1, 0, 1, 2), (0.03, 0.17, 0.6, 0.17, 0.03)
#: How often a plane is blank, so that the network can do without it.
_BLANK_SHARE = 0.1


def grading_config(group: ConditionGroup) -> MilConfig:
    """The ``tiny`` network of a condition group."""
    return MilConfig(planes=PLANES[group])


class _Case:
    """One phantom, ready to be cut."""

    def __init__(self, phantom: PhantomStudy) -> None:
        self.phantom = phantom
        self.series: Mapping[str, MRSeries] = {
            s.series_id: canonical_series(s) for s in phantom.study.series if s.role is not None
        }


class GradingTask:
    """Crops cut around the truth, moved as a localiser would miss it.

    The first ``single_steps`` batches hold one crop a bag, the annotated slice's: a fifth of the work, and
    every image shows what it is labelled with. Whole bags follow. Straight from bags, the attention has to
    find the slice before the encoder knows what to look for; that took several times as long.
    """

    def __init__(
        self, phantoms: Sequence[PhantomStudy], group: ConditionGroup, seed: int, single_steps: int
    ) -> None:
        self._cases = [_Case(phantom) for phantom in phantoms]
        self._planes = PLANES[group]
        self._keys = _group_keys(group)
        self._seed = seed
        self._single_steps = single_steps

    def batch(self, step: int) -> Batch:
        """Bags per plane (B, N, 1, H, W), severity (B,), place of the annotated slice (B, planes)."""
        rng = np.random.default_rng((self._seed, step))
        single = step < self._single_steps
        items = [self._item(rng, single) for _ in range(_SINGLE_BATCH if single else _BAG_BATCH)]
        return stack_items(items)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss."""
        output = network(tuple(batch[plane] for plane in self._planes))
        return mil_loss(output, batch["severity"], batch["places"])

    def _item(self, rng: np.random.Generator, single: bool) -> dict[str, npt.NDArray[np.generic]]:
        case = self._cases[rng.integers(len(self._cases))]
        key = self._keys[rng.integers(len(self._keys))]
        side = (Side.LEFT, Side.RIGHT)[rng.integers(2)]
        jitter = {plane: random_jitter(rng) for plane in self._planes}
        bags = finding_bags(key, case.phantom.landmarks, case.series, side, jitter)
        if single:
            bags = {plane: _annotated_alone(bag) for plane, bag in bags.items()}
        may_blank = len(self._planes) > 1 and rng.random() < _BLANK_SHARE
        blank = self._planes[rng.integers(len(self._planes))] if may_blank else None
        item: dict[str, npt.NDArray[np.generic]] = {
            "severity": np.array(int(case.phantom.severities[key])),
            "places": np.array([_place(bags[p], blank == p) for p in self._planes]),
        }
        for plane in self._planes:
            pixels = _augmented(rng, bags[plane], case.series[bags[plane].series_id])
            item[plane] = pixels * np.float32(blank != plane)
        return item


def _group_keys(group: ConditionGroup) -> tuple[FindingKey, ...]:
    if group is ConditionGroup.SUBARTICULAR:
        return tuple(FindingKey(Condition.of(group, side), level) for side in Side for level in Level)
    return head_keys(group)


def random_jitter(rng: np.random.Generator) -> Jitter:
    """A localiser's error."""
    rows, columns = rng.uniform(-_JITTER_PX, _JITTER_PX, 2)
    return Jitter(float(rows), float(columns), int(rng.choice(_SLICE_SHIFTS, p=_SHIFT_SHARES)))


def _annotated_alone(bag: Bag) -> Bag:
    """The bag with nothing but the crop of the annotated slice."""
    return replace(bag, crops=(replace(bag.crops[0], slice_index=bag.annotated),))


def _place(bag: Bag, blank: bool) -> int:
    """Place in the bag of the slice that the truth of the bag's plane lies on."""
    if blank:
        return OUTSIDE
    places = [i for i, crop in enumerate(bag.crops) if crop.slice_index == bag.annotated]
    return places[0] if len(places) == 1 else OUTSIDE


def _augmented(rng: np.random.Generator, bag: Bag, series: MRSeries) -> npt.NDArray[np.float32]:
    """Crops of a bag, turned and recoloured together, shape (N, 1, H, W)."""
    shape = PLANE_SHAPES[bag.plane]
    crops = sample_bag(bag, series, shape)
    if rng.random() < 0.5:
        affine = random_affine(rng, shape, shape, (3.0, 3.0), max_degrees=12, max_log_scale=0.1)
        crops = np.stack([affine.warp(crop, shape, order=1) for crop in crops]).astype(np.float32)
    # Which tissue is bright decides a grade, so contrast may bend here but not fold.
    return random_appearance(rng, crops, fold_share=0.0)[:, None]
