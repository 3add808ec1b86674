"""Severity from bags of crops of graded studies: what the ``LstmMil`` networks of a fold learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ...domain.spine import ConditionGroup, FindingKey, Severity, Side
from ...domain.study import MRSeries
from ...models.lstm_mil import MilConfig
from ...preprocess.bags import NO_JITTER, Bag, Jitter, finding_bags, sample_bag
from ...preprocess.crop_tables import crop_table
from ...preprocess.planes import plane_shapes
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..losses import MilWeights, mil_loss
from ..misses import Misses, random_jitter
from ..rsna.studies import LabelledStudy
from .grading import annotated_alone, annotated_place

#: Slices of a bag, and how far a miss may shift them (published).
_CROPS, _FARTHEST_SLICES = 5, 2
#: A miss farther than this shows another disc: its crop would teach the wrong severity.
_FARTHEST_MM = 15.0
#: The landmark that each plane's crops lie around.
_AROUND = {"axial": ConditionGroup.SUBARTICULAR}


@dataclass(frozen=True)
class BagOptions:
    """How bags are drawn and what their loss is; the defaults are the published ones.

    Parameters
    ----------
    size
        Findings in a batch of whole bags.
    single_steps, single_size
        The first batches hold so many findings of one crop each, the annotated slice's: a fifth of the work
        a finding, and every image shows what it is labelled with.
    blank_share
        How often one of two planes is blank, so that the network can do without it.
    jitter
        False cuts every crop around the truth (ablation).
    auxiliary
        False leaves out both auxiliary losses, the slice's and the planes' (ablation).
    attention
        How much the grading attention itself is drawn to the annotated slice.
    """

    size: int = 20
    single_steps: int = 0
    single_size: int = 32
    blank_share: float = 0.0
    jitter: bool = True
    auxiliary: bool = True
    attention: float = 0.0

    def weights(self, planes: int) -> MilWeights:
        """Of the parts of the loss; that of the slice counts once per plane."""
        if not self.auxiliary:
            return MilWeights(planes=0.0, slices=0.0, attention=0.0)
        return MilWeights(slices=float(planes), attention=self.attention)


class BagTask:
    """Bags of graded findings, each finding once an epoch, moved as the localiser of the fold misses.

    Parameters
    ----------
    config
        Of the network: its planes and their crops.
    misses
        How the localiser of the same fold misses studies that it never saw.

    Raises
    ------
    ValueError
        If no finding of the group has both a grade and a landmark.
    """

    def __init__(
        self,
        studies: Sequence[LabelledStudy],
        group: ConditionGroup,
        config: MilConfig,
        misses: Misses,
        options: BagOptions,
        seed: int,
    ) -> None:
        self._studies, self._options, self._seed = studies, options, seed
        self._findings = graded_findings(studies, group)
        if not self._findings:
            raise ValueError(f"none of {len(studies)} studies has a graded {group.value} with a landmark")
        self._shapes = plane_shapes(config.planes, config.shapes)
        self._table = crop_table(config.crops)
        self._misses = {plane: near_misses(misses[_AROUND.get(plane, group)]) for plane in self._shapes}

    def batch(self, step: int) -> Batch:
        """Bags per plane (B, N, 1, H, W), severity (B, 3), place of the annotated slice (B, planes)."""
        rng = np.random.default_rng((self._seed, step))
        single = step < self._options.single_steps
        size = self._options.single_size if single else self._options.size
        chosen = epoch_order(self._seed, step, size, len(self._findings))
        return stack_items([self._item(rng, *self._findings[i], single) for i in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The published loss, or less of it."""
        output = network(tuple(batch[plane] for plane in self._shapes))
        weights = self._options.weights(len(self._shapes))
        return mil_loss(output, batch["severity"], batch["places"], weights)

    def _item(
        self, rng: np.random.Generator, place: int, key: FindingKey, single: bool
    ) -> dict[str, npt.NDArray[np.generic]]:
        study = self._studies[place]
        series = {one.series_id: one for one in study.study.series}
        side = (Side.LEFT, Side.RIGHT)[rng.integers(2)]
        jitter = {plane: self._jitter(rng, plane) for plane in self._shapes}
        found = finding_bags(key, study.landmarks, series, side, jitter, self._table)
        bags = {plane: annotated_alone(found[plane]) if single else found[plane] for plane in found}
        if len(self._shapes) > 1 and rng.random() < self._options.blank_share:
            bags.pop(list(self._shapes)[rng.integers(len(self._shapes))], None)
        item: dict[str, npt.NDArray[np.generic]] = {
            "severity": np.eye(len(Severity), dtype=np.float32)[study.severities[key]],
            "places": np.array([annotated_place(bags.get(plane)) for plane in self._shapes]),
        }
        for plane, shape in self._shapes.items():
            item[plane] = _crops(rng, bags.get(plane), series, shape, 1 if single else _CROPS)
        return item

    def _jitter(self, rng: np.random.Generator, plane: str) -> Jitter:
        if not self._options.jitter:
            return NO_JITTER
        drawn = random_jitter(rng, self._misses[plane])
        return replace(drawn, slices=int(np.clip(drawn.slices, -_FARTHEST_SLICES, _FARTHEST_SLICES)))


def graded_findings(studies: Sequence[LabelledStudy], group: ConditionGroup) -> list[tuple[int, FindingKey]]:
    """Place of the study and key of every finding that has a grade and a landmark on one of its series."""
    found = []
    for place, one in enumerate(studies):
        shown = {series.series_id for series in one.study.series}
        for key in one.severities:
            point = one.landmarks.get(key)
            if key.condition.group is group and point is not None and point.series_id in shown:
                found.append((place, key))
    return found


def near_misses(measured: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The misses, shape (n, 3), that still show the right disc."""
    return measured[np.hypot(measured[:, 0], measured[:, 1]) <= _FARTHEST_MM]


def epoch_order(seed: int, step: int, size: int, count: int) -> list[int]:
    """What a step takes of ``count`` things: everything once before anything twice, anew every epoch."""
    wanted = range(step * size, (step + 1) * size)
    orders = {
        epoch: np.random.default_rng((seed, 1, epoch)).permutation(count)
        for epoch in {place // count for place in wanted}
    }
    return [int(orders[place // count][place % count]) for place in wanted]


def _crops(
    rng: np.random.Generator,
    bag: Bag | None,
    series: Mapping[str, MRSeries],
    shape: tuple[int, int],
    count: int,
) -> npt.NDArray[np.float32]:
    """Crops of a bag, turned and changed in contrast together, shape (N, 1, H, W); zeros without a bag."""
    if bag is None:
        return np.zeros((count, 1, *shape), np.float32)
    crops = sample_bag(bag, series[bag.series_id], shape) / np.float32(255)
    if rng.random() < 0.5:
        shift = (0.05 * shape[0], 0.05 * shape[1])
        affine = random_affine(rng, shape, shape, shift, max_degrees=12, max_log_scale=0.1)
        crops = affine.warp(crops, shape, order=1)
    if rng.random() < 0.5:
        # Which tissue is bright decides a grade, so contrast may bend here but not fold.
        crops = random_appearance(rng, crops, fold_share=0.0, strength=0.5)
    return crops[:, None]
