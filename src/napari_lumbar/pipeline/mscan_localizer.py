"""M-SCAN's localiser: the canal of each level on sagittal T2, by a detector and a U-Net.

The detector says which slice shows a level best (published: the highest score over all slices) and where; the
U-Net says where in its box the canal's point is. Where the detector finds nothing the U-Net decides alone, by
its highest probability over all slices. The system grades the canal only, so it looks for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from ..domain.geometry import FloatArray
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from ..domain.study import MRSeries, MRSlice, PixelArray, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.level_detector import LevelDetector
from ..models.point_unet import BACKGROUND, PointUNet
from ..preprocess.bags import prepared_series
from ..preprocess.mscan_views import from_square, whole_slice
from .confidence import LandmarkConfidence
from .localise import landmark_on_slice
from .missing_series import no_series
from .progress import CancelToken, Progress, ProgressCallback

#: Code and reason of everything that is not the canal.
CANAL_ONLY = NotGradable("canal_only", "M-SCAN grades the spinal canal only")
#: A detection below this is none; a blob below the first is not seen in a box, below the second not at all.
_LEAST_SCORE, _LEAST_BLOB, _LEAST_LONE_BLOB = 0.1, 0.3, 0.5
#: Half the side of what of a blob counts around its peak, as a fraction of the image.
_BLOB_REACH = 0.05
#: How much less is thought of a point that only one of the two networks saw.
_ALONE = 0.5
_CHUNK = 4


@dataclass(frozen=True, eq=False)
class _Maps:
    """What the networks say of the n slices of a series; places as fractions of the slice's square.

    Parameters
    ----------
    scores
        Best detection of each level on each slice, shape (n, 5).
    boxes
        Its (top, left, bottom, right), shape (n, 5, 4).
    blobs
        Probability of each level's blob, shape (n, 5, S, S).
    """

    scores: PixelArray
    boxes: PixelArray
    blobs: PixelArray


@dataclass(frozen=True, eq=False)
class _Point:
    """Slice, (row, column) as fractions of its square, and raw confidence."""

    slice_index: int
    fraction_rc: FloatArray
    confidence: float


class MscanLocalizer:
    """Localises with the ensembles ``levels`` and ``points``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = members or {}
        detectors = bundle.members("levels", LevelDetector, chosen.get("levels"))
        unets = bundle.members("points", PointUNet, chosen.get("points"))
        self._detectors = [network.to(device) for network in detectors]
        self._unets = [network.to(device) for network in unets]
        self._confidence = LandmarkConfidence.from_settings(bundle.manifest.settings)
        self._device = device

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return a landmark or a reason for each of the 25 findings."""
        series = study.first(SeriesRole.SAGITTAL_T2)
        if series is None:
            return Landmarks({}, _missing(study, {}))
        usual = prepared_series(series)
        maps = self._maps(usual, report, cancel)
        found, rows = {}, []
        for level in Level:
            point = find_point(
                maps.scores[:, level.rank], maps.boxes[:, level.rank], maps.blobs[:, level.rank]
            )
            if point is not None:
                key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
                found[key] = self._confidence.calibrated(_landmark(key, point, series, usual))
                rows.append(point.fraction_rc[0])
        return Landmarks(found, _missing(study, found), _notes(rows))

    def _maps(self, usual: MRSeries, report: ProgressCallback, cancel: CancelToken) -> _Maps:
        parts = []
        for start in range(0, len(usual.slices), _CHUNK):
            cancel.raise_if_cancelled()
            report(Progress("finding levels on sagittal T2", start / len(usual.slices)))
            parts.append(self._look(usual.slices[start : start + _CHUNK]))
        scores, boxes, blobs = (np.concatenate(part) for part in zip(*parts, strict=True))
        return _Maps(scores, boxes, blobs)

    def _look(self, slices: Sequence[MRSlice]) -> tuple[PixelArray, PixelArray, PixelArray]:
        detector_size, unet_size = self._detectors[0].config.size, self._unets[0].config.size
        with torch.inference_mode():
            seen = [network(self._images(slices, detector_size)) for network in self._detectors]
            images = self._images(slices, unet_size)
            blobs = torch.stack([network(images).float().softmax(1) for network in self._unets]).mean(0)
            scores = torch.stack([one.scores for one in seen]).mean(0)  # (n, P, 5)
            boxes = torch.stack([one.boxes for one in seen]).mean(0) / detector_size
        best, place = scores.max(1)
        chosen = boxes.gather(1, place[..., None].expand(-1, -1, 4))[..., [1, 0, 3, 2]]
        return best.cpu().numpy(), chosen.cpu().numpy(), blobs[:, :BACKGROUND].cpu().numpy()

    def _images(self, slices: Sequence[MRSlice], size: int) -> torch.Tensor:
        images = np.stack([whole_slice(one, size) for one in slices])
        return torch.from_numpy(images)[:, None].to(self._device)


def find_point(scores: PixelArray, boxes: PixelArray, blobs: PixelArray) -> _Point | None:
    """Where a level is, from its scores (n,), boxes (n, 4) and blobs (n, S, S); None where it is not seen."""
    index = int(scores.argmax())
    if scores[index] >= _LEAST_SCORE:
        inside = _within(blobs[index], boxes[index])
        middle = (boxes[index][:2] + boxes[index][2:]) / 2
        if inside.max() >= _LEAST_BLOB:
            return _Point(index, _centre(inside), float(scores[index]))
        return _Point(index, middle.astype(np.float64), _ALONE * float(scores[index]))
    index = int(blobs.max((-2, -1)).argmax())
    peak = float(blobs[index].max())
    return _Point(index, _centre(blobs[index]), _ALONE * peak) if peak >= _LEAST_LONE_BLOB else None


def _within(blob: PixelArray, box: PixelArray) -> PixelArray:
    """The blob inside a box, 0 outside."""
    middles = (np.arange(len(blob)) + 0.5) / len(blob)
    rows = (middles >= box[0]) & (middles <= box[2])
    columns = (middles >= box[1]) & (middles <= box[3])
    return np.asarray(blob * (rows[:, None] & columns), np.float32)


def _centre(blob: PixelArray) -> FloatArray:
    """Centre of mass around the peak, as fractions of the image, shape (2,)."""
    middles = (np.arange(len(blob)) + 0.5) / len(blob)
    row, column = np.unravel_index(int(blob.argmax()), blob.shape)
    near = np.abs(middles - middles[row]) <= _BLOB_REACH, np.abs(middles - middles[column]) <= _BLOB_REACH
    weights = blob * (near[0][:, None] & near[1])
    weights = weights / weights.sum()
    return np.array([(weights.sum(1) * middles).sum(), (weights.sum(0) * middles).sum()])


def _landmark(key: FindingKey, point: _Point, series: MRSeries, usual: MRSeries) -> Landmark:
    geometry = usual.slices[point.slice_index].geometry
    place = geometry.lps_from_pixel(from_square(geometry, point.fraction_rc))
    return landmark_on_slice(key, series, point.slice_index, place, point.confidence)


def _missing(study: Study, found: Mapping[FindingKey, Landmark]) -> dict[FindingKey, NotGradable]:
    return {key: _why_missing(study, key) for key in ALL_FINDINGS if key not in found}


def _why_missing(study: Study, key: FindingKey) -> NotGradable:
    if key.condition.group is not ConditionGroup.CANAL:
        return CANAL_ONLY
    if study.first(SeriesRole.SAGITTAL_T2) is None:
        return no_series(study, SeriesRole.SAGITTAL_T2)
    return NotGradable("level_not_found", f"disc {key.level.value} was not found on the sagittal T2 images")


def _notes(rows: Sequence[float]) -> tuple[str, ...]:
    """``rows`` of the levels that were found, from L1/L2 on."""
    if all(upper < lower for upper, lower in pairwise(rows)):
        return ()
    return ("The levels were not found in their order from head to foot; their names are unsure.",)
