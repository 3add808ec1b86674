"""Running the sagittal network over a series: maps of every slice, in one frame of millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..domain.geometry import FloatArray, SliceGeometry
from ..domain.study import MRSeries, MRSlice, PixelArray
from ..models.heatmap_unet import HeatmapUNet, named_probabilities, pad_to_multiple
from ..preprocess.channels import NAMED_DISCS, NEIGHBOUR_MM, SAGITTAL_MAPS, SAGITTAL_MM
from ..preprocess.intensity import percentile_scale
from ..preprocess.resample import resample_to_mm
from ..preprocess.sagittal_stack import sagittal_stack
from .naming import DiscEvidence
from .progress import CancelToken

_BATCH = 4
#: Slices this near to the middle of the canal are averaged before discs are named.
_MIDDLE_MM = 9.0
#: A canal is looked for this far sideways from the middle of all levels, and believed from this probability.
_CANAL_REACH_MM = 22.0
_CANAL_SEEN = 0.3


@dataclass(frozen=True, eq=False)
class SagittalMaps:
    """Maps of one sagittal stack.

    Parameters
    ----------
    slices
        The stack's slices in the usual view, patient right to left.
    first_index
        ``slice_index`` of the stack's first slice in its series.
    named, absent
        Probabilities per slice, shape (slices, 6, h, w) and (slices, 6).
    maps
        Probabilities by name, each of shape (slices, h, w).
    pixel_mm
        Size of the pixels that the networks were shown.
    """

    slices: tuple[MRSlice, ...]
    first_index: int
    named: PixelArray
    absent: PixelArray
    maps: dict[str, PixelArray]
    pixel_mm: float = SAGITTAL_MM

    @property
    def map_mm(self) -> float:
        """Size of a map pixel."""
        return 2 * self.pixel_mm

    @property
    def geometry(self) -> SliceGeometry:
        """Geometry of the middle slice; the stack's slices are parallel and alike."""
        return self.slices[len(self.slices) // 2].geometry

    @property
    def across_mm(self) -> FloatArray:
        """Position of each slice along the patient's left, shape (slices,), from the middle slice."""
        normal = left_pointing(self.geometry)
        centres = np.stack([s.geometry.centre_lps_mm for s in self.slices])
        return np.asarray((centres - self.geometry.centre_lps_mm) @ normal)

    def pixel_from_map(self, map_rc: FloatArray) -> FloatArray:
        """Map pixel to (row, column) of the slices: map pixel i covers input pixels 2i and 2i + 1."""
        return (2 * np.asarray(map_rc) + 0.5) * self.pixel_mm / self.geometry.spacing_rc_mm

    def map_from_pixel(self, pixel_rc: FloatArray) -> FloatArray:
        """Inverse of ``pixel_from_map``."""
        return (np.asarray(pixel_rc) * self.geometry.spacing_rc_mm / self.pixel_mm - 0.5) / 2

    def map_from_lps(self, point_lps_mm: FloatArray) -> FloatArray:
        """Project a point onto the maps, shape (2,)."""
        return self.map_from_pixel(self.geometry.pixel_from_lps(point_lps_mm))

    def holds(self, map_rc: FloatArray) -> bool:
        """Whether a place lies on the maps."""
        rows, columns = self.named.shape[-2:]
        return bool(0 <= map_rc[0] <= rows - 1 and 0 <= map_rc[1] <= columns - 1)

    def canal_across_mm(self, map_rc: FloatArray, guess_mm: float) -> float:
        """Where across the slices the canal's middle lies at a map pixel; ``guess_mm`` where none is seen."""
        canal = self.maps["canal"]
        row, column = (
            int(np.clip(np.rint(v), 1, n - 2)) for v, n in zip(map_rc, canal.shape[1:], strict=True)
        )
        seen = canal[:, row - 1 : row + 2, column - 1 : column + 2].mean((1, 2)).astype(np.float64)
        across = self.across_mm
        seen = np.where(np.abs(across - guess_mm) <= _CANAL_REACH_MM, seen, 0.0)
        return float((seen * across).sum() / seen.sum()) if seen.max() > _CANAL_SEEN else guess_mm

    def shows_canal_at(self, point_lps_mm: FloatArray) -> bool:
        """Whether a canal is seen within two map pixels of a point, on the slices near it."""
        canal = self.maps["canal"]
        row, column = np.rint(self.map_from_lps(point_lps_mm)).astype(int)
        if not (0 <= row < canal.shape[1] and 0 <= column < canal.shape[2]):
            return False
        across_mm = float((point_lps_mm - self.geometry.centre_lps_mm) @ left_pointing(self.geometry))
        near = np.abs(self.across_mm - across_mm) <= _MIDDLE_MM
        around = canal[near, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        return bool(around.size and around.max() > _CANAL_SEEN)

    def middle_evidence(self) -> tuple[DiscEvidence, float]:
        """Average the slices around the canal's middle; also return that middle in mm across."""
        # The power lets the slices that show the canal outweigh many that show a little of something else.
        mass = self.maps["canal"].sum((-2, -1)).astype(np.float64) ** 4
        across = self.across_mm
        centre = float((mass * across).sum() / max(mass.sum(), 1e-9)) if mass.sum() > 0 else 0.0
        chosen = np.argsort(np.abs(across - centre))[
            : max(3, int((np.abs(across - centre) <= _MIDDLE_MM).sum()))
        ]
        evidence = DiscEvidence(
            any_disc=self.maps["any_disc"][chosen].mean(0),
            named=self.named[chosen].mean(0),
            absent=self.absent[chosen].mean(0),
            pixel_mm=self.map_mm,
            sacrum=self.maps["sacrum"][chosen].mean(0) if "sacrum" in self.maps else None,
        )
        return evidence, centre


def left_pointing(geometry: SliceGeometry) -> FloatArray:
    """The slice normal, turned to the patient's left (+x)."""
    normal = geometry.normal
    return normal if normal[0] > 0 else -normal


def sagittal_maps(
    networks: Sequence[HeatmapUNet],
    series: MRSeries,
    device: torch.device,
    cancel: CancelToken,
    pixel_mm: float = SAGITTAL_MM,
) -> SagittalMaps:
    """Run the networks over the slices of a sagittal series that lie side by side; their mean answers.

    The series comes in the usual view. The networks learnt from pixels of ``SAGITTAL_MM``; with smaller ones
    they see the spine larger.
    """
    first_index, stack = sagittal_stack(series)
    slices = stack.slices
    images = np.stack([network_image(s, pixel_mm) for s in slices])
    batches = []
    for start in range(0, len(slices), _BATCH):
        cancel.raise_if_cancelled()
        indices = np.arange(start, min(start + _BATCH, len(slices)))
        batches.append(_mean_answer(networks, images, indices, neighbour_step(slices), device))
    named, absent, maps = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return SagittalMaps(
        slices=slices,
        first_index=first_index,
        named=named,
        absent=absent,
        maps={name: maps[:, i] for i, name in enumerate(SAGITTAL_MAPS[: maps.shape[1]])},
        pixel_mm=pixel_mm,
    )


def network_image(mr_slice: MRSlice, pixel_mm: float = SAGITTAL_MM) -> PixelArray:
    """A slice as the network sees it: scaled to 0..1, square pixels."""
    scaled = percentile_scale(mr_slice.pixels)
    return resample_to_mm(scaled, mr_slice.geometry.spacing_rc_mm, pixel_mm)


def neighbour_step(slices: Sequence[MRSlice]) -> int:
    """How many slices away the neighbours lie that the network wants to see, at least 1."""
    if len(slices) == 1:
        return 1
    first, second = (s.geometry for s in slices[:2])
    step_mm = abs(float(first.signed_distance_mm(second.position_lps_mm)))
    return max(1, round(NEIGHBOUR_MM / max(step_mm, 0.1)))


def _mean_answer(
    networks: Sequence[HeatmapUNet],
    images: PixelArray,
    indices: npt.NDArray[np.intp],
    step: int,
    device: torch.device,
) -> tuple[PixelArray, ...]:
    answers = []
    for network in networks:
        reach = step * (network.config.in_channels // 2)
        offsets = np.arange(-reach, reach + 1, step)
        seen = images[np.clip(indices[:, None] + offsets, 0, len(images) - 1)]
        answers.append(_run(network, torch.from_numpy(brighter_side_first(seen)), device))
    return tuple(np.mean(parts, axis=0) for parts in zip(*answers, strict=True))


def brighter_side_first(windows: PixelArray) -> PixelArray:
    """Turn windows of neighbouring slices, shape (n, channels, h, w), so that their brighter end comes first.

    The networks learnt that the neighbours may change places, but do not answer exactly alike. With an order
    that the images themselves decide, a spine and its mirror image get the same answer at no cost.
    """
    brightness = windows.mean((2, 3), dtype=np.float64)
    turn = brightness[:, 0] < brightness[:, -1]
    return np.where(turn[:, None, None, None], windows[:, ::-1], windows)


def _run(network: nn.Module, image: torch.Tensor, device: torch.device) -> tuple[PixelArray, ...]:
    with torch.inference_mode():
        logits, absent = network(pad_to_multiple(image.to(device)))
        height, width = (-(-n // 2) for n in image.shape[-2:])
        logits = logits[..., :height, :width]  # what lies in the padding is not in the image
        named, nowhere = named_probabilities(logits[:, : len(NAMED_DISCS)], absent)
        maps = logits[:, len(NAMED_DISCS) :].float().sigmoid()
    return named.cpu().numpy(), nowhere.cpu().numpy(), maps.cpu().numpy()
