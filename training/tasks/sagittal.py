"""Discs, canal and foramina on sagittal slices: what the sagittal ``HeatmapUNet`` learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...domain.geometry import FloatArray
from ...models.heatmap_unet import HeatmapUNetConfig, named_probabilities
from ...preprocess.channels import NAMED_DISCS, SAGITTAL_MAPS, SAGITTAL_MM
from ..augment import (
    Affine,
    Kept,
    black_border,
    keep_part,
    random_affine,
    random_appearance,
    random_tissue_contrast,
)
from ..engine import Batch, stack_items
from ..samples import MASK_CANAL, MASK_DISC, MASK_SACRUM, MASK_VERTEBRA, SagittalSample
from ..targets import gaussian_map

CANVAS = (192, 128)
_HALF = (CANVAS[0] // 2, CANVAS[1] // 2)
_SIGMA = 1.3  # in result pixels of 3 mm
_FORAMEN_FADES_MM = 3.0
#: How often a slice comes without neighbours, as a lone image does.
_LONE_SHARE = 0.15
#: How much larger or smaller a slice is seen, as a logarithm; and how often by far more, for there are files
#: whose millimetres are wrong.
_LOG_SCALE, _FAR_LOG_SCALE, _FAR_SHARE = 0.25, 0.5, 0.15
_MAX_SHIFT_PX = (60 / SAGITTAL_MM, 25 / SAGITTAL_MM)


def sagittal_config() -> HeatmapUNetConfig:
    """The network's shape."""
    return HeatmapUNetConfig(
        named=len(NAMED_DISCS), maps=len(SAGITTAL_MAPS), in_channels=3, widths=(8, 16, 48, 80, 112)
    )


class SagittalTask:
    """Mixes several sources of slices with fixed shares."""

    def __init__(
        self, sources: Sequence[tuple[float, Sequence[SagittalSample]]], seed: int, batch_size: int = 8
    ) -> None:
        filled = [(share, samples) for share, samples in sources if samples]
        self._shares = np.array([share for share, _ in filled]) / sum(share for share, _ in filled)
        self._samples = [samples for _, samples in filled]
        self._seed = seed
        self._batch_size = batch_size

    def batch(self, step: int) -> Batch:
        """Images (B, 3, 192, 128) with maps of half that size."""
        rng = np.random.default_rng((self._seed, step))
        items = [self._item(rng) for _ in range(self._batch_size)]
        return stack_items(items)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy over places and "absent" for named discs, weighted BCE for the maps."""
        logits, absent = network(batch["image"].to(memory_format=torch.channels_last))
        named = _named_loss(logits[:, : len(NAMED_DISCS)], absent, batch["named"])
        maps = _map_loss(logits[:, len(NAMED_DISCS) :].float(), batch["maps"], batch["known"])
        return {"loss": named + maps, "named": named, "maps": maps}

    def _item(self, rng: np.random.Generator) -> dict[str, npt.NDArray[np.float32]]:
        samples = self._samples[rng.choice(len(self._samples), p=self._shares)]
        return make_item(rng, samples[int(rng.integers(len(samples)))])


def make_item(rng: np.random.Generator, sample: SagittalSample) -> dict[str, npt.NDArray[np.float32]]:
    """One augmented slice, its neighbours, and its targets."""
    scale = _FAR_LOG_SCALE if rng.random() < _FAR_SHARE else _LOG_SCALE
    affine = random_affine(rng, sample.images.shape[1:], CANVAS, _MAX_SHIFT_PX, max_log_scale=scale)
    # Seen in a mirror, a spine is a spine: the neighbours change places.
    order = slice(None, None, -1 if rng.random() < 0.5 else 1)
    images = affine.warp(sample.images[order].astype(np.float32) / 255, CANVAS, order=1)
    mask = affine.warp(sample.masks[1], CANVAS, order=0).astype(np.uint8)
    if rng.random() < 0.5:
        masks = affine.warp(sample.masks[order], CANVAS, order=0).astype(np.uint8)
        images = random_tissue_contrast(rng, images, masks, labels=4)
    images = random_appearance(rng, images)
    if rng.random() < _LONE_SHARE:
        images[:] = images[1]
    named = {n: affine.to_canvas(np.array([rc])) for n, rc in sample.named_rc.items()}
    images, kept = _cut(rng, images, np.concatenate([np.zeros((0, 2)), *named.values()]))
    seen = [_visible(named.get(n, np.zeros((0, 2))), kept) for n in NAMED_DISCS]
    other = _visible(affine.to_canvas(sample.other_discs_rc), kept)
    made = sample.foramina_rcd is not None
    return {
        "image": images,
        "named": np.stack([gaussian_map(_half(points), _HALF, _SIGMA) for points in seen]),
        "maps": _maps(np.concatenate([*seen, other]), _foramen_map(sample, affine, kept), mask, kept),
        "known": np.array([1, made, 1, 1, 1, made], np.float32),
    }


def _cut(
    rng: np.random.Generator, images: npt.NDArray[np.float32], discs_rc: FloatArray
) -> tuple[npt.NDArray[np.float32], Kept]:
    """A smaller field of view: random margins, or one that ends between two discs."""
    draw = rng.random()
    if draw < 0.3:
        return black_border(rng, images)
    if draw < 0.6 and len(discs_rc):
        row = int(np.clip(rng.choice(discs_rc[:, 0]) + rng.uniform(-12, 12), 30, CANVAS[0] - 30))
        from_below = rng.random() < 0.7
        return keep_part(images, (0, 0, row, CANVAS[1]) if from_below else (row, 0, *CANVAS))
    return images, (0, 0, *CANVAS)


def _foramen_map(sample: SagittalSample, affine: Affine, kept: Kept) -> npt.NDArray[np.float32]:
    """Highest on the slice through the foramen's middle, fading away from it."""
    result = np.zeros(_HALF, np.float32)
    if sample.foramina_rcd is not None:
        for row, column, distance_mm in sample.foramina_rcd:
            point = _visible(affine.to_canvas(np.array([[row, column]])), kept)
            height = np.float32(np.exp(-(distance_mm**2) / (2 * _FORAMEN_FADES_MM**2)))
            np.maximum(result, height * gaussian_map(_half(point), _HALF, _SIGMA), out=result)
    return result


def _visible(points_rc: FloatArray, kept: Kept) -> FloatArray:
    low, high = np.array(kept[:2]), np.array(kept[2:])
    return points_rc[((points_rc >= low) & (points_rc < high)).all(axis=1)]


def _half(points_rc: FloatArray) -> FloatArray:
    """Input pixels to result pixels: result pixel i covers input pixels 2i and 2i + 1."""
    return (points_rc - 0.5) / 2


def _maps(
    discs: FloatArray, foramen: npt.NDArray[np.float32], mask: npt.NDArray[np.uint8], kept: Kept
) -> npt.NDArray[np.float32]:
    inside = np.zeros(CANVAS, np.float32)
    inside[kept[0] : kept[2], kept[1] : kept[3]] = 1
    labels = [
        _halved((mask == label) * inside) for label in (MASK_CANAL, MASK_DISC, MASK_VERTEBRA, MASK_SACRUM)
    ]
    return np.stack([gaussian_map(_half(discs), _HALF, _SIGMA), foramen, *labels])


def _halved(mask: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return mask.reshape(_HALF[0], 2, _HALF[1], 2).mean((1, 3)).astype(np.float32)


def _named_loss(logits: Tensor, absent: Tensor, target: Tensor) -> Tensor:
    places, nowhere = named_probabilities(logits, absent)
    mass = target.sum((-2, -1))
    seen = (mass > 0.5).float()
    share = target / mass.clamp_min(1e-6)[..., None, None]
    located = -(share * torch.log(places.clamp_min(1e-8))).sum((-2, -1))
    missing = -torch.log(nowhere.clamp_min(1e-8))
    return (seen * located + (1 - seen) * missing).mean()


def _map_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """BCE with heavier positives: a disc centre is 20 of 10,000 pixels."""
    weight = torch.tensor([40.0, 40.0, 3.0, 3.0, 1.5, 2.0], device=logits.device)[:, None, None]
    loss = functional.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none")
    per_map = loss.mean((-2, -1)) * known
    return (per_map * torch.tensor([8.0, 8.0, 2.0, 1.0, 1.0, 1.0], device=logits.device)).sum(1).mean()
