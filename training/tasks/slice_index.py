"""Which slice a landmark lies on: what the ``SliceIndexNet`` learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...domain.spine import ConditionGroup
from ...models.convnext3d import SliceIndexConfig, SliceIndexOutput
from ...phantom import PhantomStudy
from ...preprocess.slice_volume import VOLUME_SLICES, slice_volume, volume_index
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..rsna.studies import LabelledStudy
from .marked import KEPT_BYTES, MarkedStack, head_keys, marked_stack, needed_stack

SIZE = 64
#: How far a volume is moved, as a share of its size, turned, and scaled.
_SHIFT, _DEGREES, _LOG_SCALE = 0.08, 8.0, 0.08


def slice_index_config(group: ConditionGroup) -> SliceIndexConfig:
    """A small network of a condition group that classifies and regresses."""
    return SliceIndexConfig(heads=len(head_keys(group)), size=SIZE, widths=(16, 32, 64, 128))


@dataclass(frozen=True, eq=False)
class SliceSample:
    """A volume without its padding, and where the truth of each head lies in it; NaN where nobody marked it.

    Parameters
    ----------
    volume
        Shape (slices, size, size), 0..255.
    indices
        Shape (heads,).
    relative_rc
        (row, column) relative to the image's outer borders, shape (heads, 2).
    """

    volume: npt.NDArray[np.uint8]
    indices: npt.NDArray[np.float32]
    relative_rc: npt.NDArray[np.float32]


def slice_sample(phantom: PhantomStudy, group: ConditionGroup, size: int = SIZE) -> SliceSample | None:
    """The sample of a phantom; None where the series is absent or does not show every landmark."""
    marked = marked_stack(phantom.study, phantom.landmarks, group)
    return None if marked is None or np.isnan(marked.indices).any() else _sample(marked, size)


def _sample(marked: MarkedStack, size: int) -> SliceSample:
    count = len(marked.slices)
    return SliceSample(
        np.rint(slice_volume(marked.slices, size)[:count] * 255).astype(np.uint8),
        volume_index(marked.indices, count).astype(np.float32),
        marked.relative_rc.astype(np.float32),
    )


class StudyVolumes(Sequence[SliceSample]):
    """The volumes of studies that show a landmark of a group, made when they are asked for."""

    def __init__(self, studies: Sequence[LabelledStudy], group: ConditionGroup, size: int) -> None:
        stacks = [marked_stack(one.study, one.landmarks, group) for one in studies]
        self._usable = [i for i, stack in enumerate(stacks) if stack is not None]
        if not self._usable:
            raise ValueError(f"none of {len(studies)} studies shows a landmark of {group.value}")

        @lru_cache(max(8, KEPT_BYTES // (VOLUME_SLICES * size * size)))
        def made(place: int) -> SliceSample:
            return _sample(needed_stack(studies[self._usable[place]], group), size)

        self._made = made

    def __len__(self) -> int:
        return len(self._usable)

    @overload
    def __getitem__(self, place: int) -> SliceSample: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SliceSample]: ...
    def __getitem__(self, place: int | slice) -> SliceSample | Sequence[SliceSample]:
        if isinstance(place, slice):
            return [self._made(i) for i in range(*place.indices(len(self)))]
        return self._made(place)


class SliceIndexTask:
    """Series with random slices dropped from either end, moved, and seen in random contrast.

    Parameters
    ----------
    augmented
        False shows every series as it is.
    """

    def __init__(
        self, samples: Sequence[SliceSample], seed: int, batch_size: int = 6, augmented: bool = True
    ) -> None:
        self._samples, self._augmented = samples, augmented
        self._seed, self._batch_size = seed, batch_size

    def batch(self, step: int) -> Batch:
        """Volumes (B, 1, 32, size, size), indices (B, heads), columns and rows (B, heads, 2); NaN unknown."""
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.integers(len(self._samples), size=self._batch_size)
        return stack_items([self._item(rng, self._samples[int(i)]) for i in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy on the index, L1 on what is regressed; of a network that does both, both."""
        output: SliceIndexOutput = network(batch["volume"])
        index, known = batch["index"], batch["index"].isfinite()
        parts: dict[str, Tensor] = {}
        if output.logits is not None:
            target = index[known].round().long().clamp(0, VOLUME_SLICES - 1)
            parts["classes"] = functional.cross_entropy(output.logits[known].float(), target)
        if output.places is not None:
            relative = torch.cat([batch["place"], index[..., None] / VOLUME_SLICES], dim=-1)
            wanted = relative[..., -output.places.shape[-1] :]
            # In slices, so that it compares with the cross-entropy.
            parts["distance"] = VOLUME_SLICES * functional.l1_loss(
                output.places[known].float(), wanted[known]
            )
        loss = parts.get("classes", index.new_zeros(())) + 0.5 * parts.get("distance", index.new_zeros(()))
        return {"loss": loss, **parts}

    def _item(self, rng: np.random.Generator, sample: SliceSample) -> dict[str, npt.NDArray[np.float32]]:
        first, image, relative_rc = 0, sample.volume.astype(np.float32) / np.float32(255), sample.relative_rc
        if self._augmented:
            first, image = _dropped(rng, image, sample.indices)
            image, relative_rc = _moved(rng, image, relative_rc)
            image = random_appearance(rng, image)
        padded = np.zeros((VOLUME_SLICES, *image.shape[1:]), np.float32)
        padded[: len(image)] = image
        return {
            "volume": padded[None],
            "index": (sample.indices - first).astype(np.float32),
            "place": np.ascontiguousarray(relative_rc[:, ::-1], np.float32),
        }


def _dropped(
    rng: np.random.Generator, image: npt.NDArray[np.float32], indices: npt.NDArray[np.float32]
) -> tuple[int, npt.NDArray[np.float32]]:
    """Leave up to two slices out at either end, never one with a landmark; the first that stays."""
    first = int(rng.integers(0, min(3, int(np.nanmin(indices)) + 1)))
    last = len(image) - int(rng.integers(0, min(3, max(1, len(image) - int(np.nanmax(indices))))))
    return first, image[first:last]


def _moved(
    rng: np.random.Generator, image: npt.NDArray[np.float32], relative_rc: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    size = image.shape[-1]
    shift = (_SHIFT * size, _SHIFT * size)
    affine = random_affine(rng, (size, size), (size, size), shift, _DEGREES, _LOG_SCALE)
    places = (affine.to_canvas(relative_rc * size - 0.5) + 0.5) / size
    return affine.warp(image, (size, size), order=1), np.clip(places, 0, 1).astype(np.float32)
