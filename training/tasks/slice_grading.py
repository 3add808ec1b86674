"""Severity from one slice and a level: what a ``SequenceEfficientNet`` learns, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...domain.landmarks import Landmark
from ...domain.spine import ConditionGroup, Severity
from ...domain.study import MRSeries
from ...models.sequence_efficientnet import N_SEVERITIES, LevelSlices, SequenceConfig
from ...preprocess.bags import NO_JITTER, Jitter
from ...preprocess.slice_views import sample_view, slice_view
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..losses import weighted_cross_entropy
from ..metrics import graded_figures
from ..misses import typical_jitter
from ..rsna.studies import LabelledStudy

#: Published: "rotations" and "contrast" without numbers.
_MAX_DEGREES, _CONTRAST = 10.0, 0.2
#: Share of an image's side that it is moved by.
_MAX_SHIFT = 0.03
#: Images measured at a time.
_CHUNK = 32

Item = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class GradedSlice:
    """A finding whose severity and place are known, with the series that it is seen on (usual view)."""

    landmark: Landmark
    series: MRSeries
    severity: Severity

    def item(self, config: SequenceConfig, jitter: Jitter = NO_JITTER) -> Item:
        """Image (1, size, size) in 0..1, level () and severity (3,), as a network is shown them."""
        view = slice_view(self.landmark, self.series, config.window_mm, jitter)
        pixels = sample_view(view, self.series, config.size) / np.float32(255)
        return {
            "image": pixels[None],
            "level": np.array(self.landmark.key.level.rank),
            "severity": np.eye(N_SEVERITIES, dtype=np.float32)[self.severity],
        }


def graded_slices(studies: Sequence[LabelledStudy], group: ConditionGroup) -> list[GradedSlice]:
    """The findings of a group with grade and landmark; both must be there."""
    found = []
    for study in studies:
        series = {one.series_id: one for one in study.study.series if one.role is not None}
        for key, severity in study.severities.items():
            mark = study.landmarks.get(key)
            if key.condition.group is group and mark is not None and mark.series_id in series:
                found.append(GradedSlice(mark, series[mark.series_id], severity))
    return found


class SliceTask:
    """Slices moved as the localiser would miss them, turned, shifted and recoloured a little.

    The published random flips are left out: they exchange left and right, or head and feet, and with them
    the place of a level. The mirrored right side is the one flip that keeps the labels true.

    Raises
    ------
    ValueError
        If no finding of the group has both a grade and a landmark.
    """

    def __init__(
        self,
        studies: Sequence[LabelledStudy],
        group: ConditionGroup,
        config: SequenceConfig,
        seed: int,
        batch_size: int,
    ) -> None:
        self._slices = graded_slices(studies, group)
        if not self._slices:
            raise ValueError(
                f"no finding of {group.value.lower()} in {len(studies)} studies has a grade and a landmark"
            )
        self._config, self._seed, self._batch_size = config, seed, batch_size

    def batch(self, step: int) -> Batch:
        """Images (B, 1, H, W), levels (B,) and severities (B, 3)."""
        rng = np.random.default_rng((self._seed, step))
        return stack_items([self._item(rng) for _ in range(self._batch_size)])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy weighted as the challenge weighs severities."""
        output = network(LevelSlices(batch["image"], batch["level"]))
        return {"loss": weighted_cross_entropy(output.logits, batch["severity"])}

    def _item(self, rng: np.random.Generator) -> Item:
        one = self._slices[int(rng.integers(len(self._slices)))]
        item = one.item(self._config, typical_jitter(rng))
        return {**item, "image": augmented(rng, item["image"].astype(np.float32))}


def augmented(rng: np.random.Generator, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Turn and shift an image (1, size, size), change its contrast, and sometimes more of its looks."""
    shape = (image.shape[-2], image.shape[-1])
    shift = (_MAX_SHIFT * shape[0], _MAX_SHIFT * shape[1])
    affine = random_affine(rng, shape, shape, shift, max_degrees=_MAX_DEGREES, max_log_scale=0.05)
    image = affine.warp(image, shape, order=1).reshape(image.shape)
    mean = image.mean()
    image = np.clip(mean + (image - mean) * rng.uniform(1 - _CONTRAST, 1 + _CONTRAST), 0, 1)
    if rng.random() < 0.5:
        image = random_appearance(rng, image, fold_share=0.0, strength=0.5)
    return image.astype(np.float32)


def slice_figures(
    studies: Sequence[LabelledStudy], group: ConditionGroup, config: SequenceConfig
) -> Callable[[nn.Module], Mapping[str, float]]:
    """A measure for held-out studies: accuracy never without log loss, balanced accuracy and no skill."""
    slices = graded_slices(studies, group)
    # Cut once; half precision, because every measurement holds them all.
    items = [{**item, "image": item["image"].astype(np.float16)} for item in (s.item(config) for s in slices)]
    labels = np.array([one.severity for one in slices], np.int64)

    def measure(network: nn.Module) -> Mapping[str, float]:
        chunks = [items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK)]
        probs = [_probabilities(network, chunk) for chunk in chunks]
        return graded_figures(np.concatenate(probs) if probs else np.zeros((0, 3)), labels)

    return measure


def _probabilities(network: nn.Module, items: Sequence[Item]) -> npt.NDArray[np.float64]:
    device = next(network.parameters()).device
    batch = {name: value.to(device) for name, value in stack_items(items).items()}
    with torch.no_grad():
        output = network(LevelSlices(batch["image"].float(), batch["level"]))
    return output.logits.float().softmax(-1).cpu().numpy().astype(np.float64)
