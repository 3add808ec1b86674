"""Left and right subarticular recess on an axial patch: what the axial ``HeatmapUNet`` learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...domain.spine import Condition, ConditionGroup, FindingKey, Level
from ...domain.study import MRSlice, SeriesRole
from ...models.heatmap_unet import HeatmapUNetConfig, named_probabilities
from ...phantom import PhantomStudy, Tissue
from ...preprocess.axial_patch import PATCH_MM, PATCH_PX
from ...preprocess.channels import AXIAL_SIDES
from ...preprocess.resample import resample_to_mm
from ..augment import random_affine, random_appearance
from ..engine import Batch, stack_items
from ..targets import gaussian_map

_HALF = (PATCH_PX // 2, PATCH_PX // 2)
_SIGMA = 1.2
_CANVAS = (PATCH_PX, PATCH_PX)


def axial_config() -> HeatmapUNetConfig:
    """Two named points, and the canal as a map that teaches where they belong."""
    return HeatmapUNetConfig(
        named=len(AXIAL_SIDES), maps=1, widths=(12, 24, 40, 64, 80), bottom_kernel=5, contrast_window=31
    )


@dataclass(frozen=True, eq=False)
class AxialSample:
    """An axial slice at 1 mm per pixel, the canal's mask, its point and the two recesses, (row, column)."""

    image: npt.NDArray[np.uint8]
    canal: npt.NDArray[np.uint8]
    centre_rc: npt.NDArray[np.float64]
    recesses_rc: npt.NDArray[np.float64]


def axial_samples(phantom: PhantomStudy) -> list[AxialSample]:
    """One sample per level: the slice its recesses lie on."""
    series = phantom.study.first(SeriesRole.AXIAL_T2)
    if series is None:
        return []
    samples = []
    for level in Level:
        canal = phantom.landmarks.get(FindingKey(Condition.SPINAL_CANAL_STENOSIS, level))
        keys = [FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level) for side in AXIAL_SIDES]
        points = [p for key in keys if (p := phantom.landmarks.get(key)) is not None]
        if canal is None or len(points) < len(keys):
            continue  # outside the field of view
        for index in sorted({point.slice_index for point in points}):
            mr_slice = series.slices[index]
            samples.append(
                AxialSample(
                    _at_one_mm(mr_slice, mr_slice.pixels),
                    _at_one_mm(mr_slice, _canal(phantom.tissues[series.series_id][index])),
                    _to_mm(mr_slice, canal.point_lps_mm),
                    np.stack([_to_mm(mr_slice, point.point_lps_mm) for point in points]),
                )
            )
    return samples


class AxialTask:
    """Patches around a canal point that is as wrong as a localiser may be."""

    def __init__(self, samples: Sequence[AxialSample], seed: int, batch_size: int = 16) -> None:
        self._samples = samples
        self._seed = seed
        self._batch_size = batch_size

    def batch(self, step: int) -> Batch:
        """Images (B, 1, 96, 96), named heatmaps (B, 2, 48, 48), canal (B, 1, 48, 48)."""
        rng = np.random.default_rng((self._seed, step))
        items = [self._item(rng) for _ in range(self._batch_size)]
        return stack_items(items)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy over places, BCE for the canal."""
        logits, absent = network(batch["image"].to(memory_format=torch.channels_last))
        places, _ = named_probabilities(logits[:, : len(AXIAL_SIDES)], absent)
        target = batch["named"]
        share = target / target.sum((-2, -1), keepdim=True).clamp_min(1e-6)
        named = -(share * torch.log(places.clamp_min(1e-8))).sum((-2, -1)).mean()
        canal = functional.binary_cross_entropy_with_logits(
            logits[:, len(AXIAL_SIDES) :].float(), batch["canal"]
        )
        return {"loss": named + canal, "named": named, "canal": canal}

    def _item(self, rng: np.random.Generator) -> dict[str, npt.NDArray[np.float32]]:
        sample = self._samples[int(rng.integers(len(self._samples)))]
        affine = random_affine(
            rng, sample.image.shape, _CANVAS, (0.0, 0.0), max_degrees=12, max_log_scale=0.15
        )
        affine = affine.centred(sample.centre_rc + rng.uniform(-7, 7, 2))
        image = affine.warp(sample.image.astype(np.float32) / 255, _CANVAS, order=1)
        canal = affine.warp(sample.canal, _CANVAS, order=0)
        points = (affine.to_canvas(sample.recesses_rc) - 0.5) / 2
        return {
            "image": random_appearance(rng, image)[None],
            "named": np.stack([gaussian_map(point[None], _HALF, _SIGMA) for point in points]),
            "canal": canal.reshape(_HALF[0], 2, _HALF[1], 2).mean((1, 3))[None],
        }


def _at_one_mm(mr_slice: MRSlice, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    spacing = mr_slice.geometry.spacing_rc_mm
    return np.rint(resample_to_mm(pixels.astype(np.float32), spacing, PATCH_MM)).astype(np.uint8)


def _canal(tissue: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.isin(tissue, (Tissue.CSF, Tissue.ROOTS, Tissue.CORD)).astype(np.uint8)


def _to_mm(mr_slice: MRSlice, point_lps_mm: Sequence[float]) -> npt.NDArray[np.float64]:
    return mr_slice.geometry.pixel_from_lps(point_lps_mm) * mr_slice.geometry.spacing_rc_mm / PATCH_MM
