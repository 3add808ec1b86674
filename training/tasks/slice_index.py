"""Which slice a landmark lies on: what the ``SliceIndexNet`` learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from ...domain.study import SeriesRole
from ...models.convnext3d import SliceIndexConfig
from ...phantom import PhantomStudy
from ...preprocess.channels import FORAMINAL_HEAD_SIDES
from ...preprocess.slice_volume import VOLUME_SLICES, slice_volume
from ..augment import random_appearance
from ..engine import Batch, stack_items

SIZE = 64
_ROLES = {ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2, ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1}


def head_keys(group: ConditionGroup) -> tuple[FindingKey, ...]:
    """The finding of each head: five canal levels, or right then left foramina."""
    sides: tuple[Side | None, ...] = (None,) if group is ConditionGroup.CANAL else FORAMINAL_HEAD_SIDES
    return tuple(FindingKey(Condition.of(group, side), level) for side in sides for level in Level)


def slice_index_config(group: ConditionGroup) -> SliceIndexConfig:
    """The ``tiny`` network of a condition group."""
    return SliceIndexConfig(heads=len(head_keys(group)), size=SIZE, widths=(16, 32, 64, 128))


@dataclass(frozen=True, eq=False)
class SliceSample:
    """Slices scaled to 64 x 64, shape (slices, 64, 64) in 0..255, and the true index of each head."""

    volume: npt.NDArray[np.uint8]
    indices: npt.NDArray[np.float32]


def slice_sample(phantom: PhantomStudy, group: ConditionGroup) -> SliceSample | None:
    """The sample of a phantom; None where the series is absent or does not show every landmark."""
    series, keys = phantom.study.first(_ROLES[group]), head_keys(group)
    if series is None or any(key not in phantom.landmarks.points for key in keys):
        return None
    volume = slice_volume(series.slices, SIZE)[: len(series.slices)]
    indices = [phantom.landmarks.points[key].slice_index for key in keys]
    return SliceSample((volume * 255).astype(np.uint8), np.array(indices, np.float32))


class SliceIndexTask:
    """Series with random slices dropped from either end, moved, and seen in random contrast."""

    def __init__(self, samples: Sequence[SliceSample], seed: int, batch_size: int = 6) -> None:
        self._samples = samples
        self._seed = seed
        self._batch_size = batch_size

    def batch(self, step: int) -> Batch:
        """Volumes (B, 1, 32, 64, 64), indices (B, heads)."""
        rng = np.random.default_rng((self._seed, step))
        items = [self._item(rng) for _ in range(self._batch_size)]
        return stack_items([{"volume": volume[None], "index": index} for volume, index in items])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy on the index, L1 on the relative index."""
        logits, relative = network(batch["volume"])
        target = batch["index"].round().long().clamp(0, VOLUME_SLICES - 1)
        classes = functional.cross_entropy(logits.flatten(0, 1), target.flatten())
        distance = functional.l1_loss(relative * (VOLUME_SLICES - 1), batch["index"])
        return {"loss": classes + 0.5 * distance, "classes": classes, "distance": distance}

    def _item(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        sample = self._samples[int(rng.integers(len(self._samples)))]
        volume, indices = sample.volume, sample.indices
        first = int(rng.integers(0, min(3, int(indices.min()) + 1)))
        last = len(volume) - int(rng.integers(0, min(3, len(volume) - int(indices.max()))))
        image = volume[first:last].astype(np.float32) / np.float32(255)
        shift = rng.uniform(-5, 5, 2)
        moved = ndimage.shift(image, (0, *shift), order=1, mode="nearest")
        image = random_appearance(rng, np.asarray(moved, dtype=np.float32))
        padded = np.zeros((VOLUME_SLICES, SIZE, SIZE), np.float32)
        padded[: len(image)] = image
        return padded, (indices - first).astype(np.float32)
