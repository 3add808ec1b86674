"""The multistage grader: a bag of crops per plane, one network per condition group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..domain.errors import LumbarError
from ..domain.findings import CropEvidence, Finding, probs_from_array
from ..domain.geometry import SliceGeometry
from ..domain.landmarks import Landmarks, NotGradable
from ..domain.spine import ConditionGroup, FindingKey, Side
from ..domain.study import MRSeries, PixelArray, Study
from ..models.bundle import Bundle
from ..models.lstm_mil import LstmMil
from ..preprocess.bags import Bag, finding_bags, sample_bag
from ..preprocess.canonical import canonical_series
from ..preprocess.planes import PLANE_SHAPES, PLANES
from ..preprocess.resample import Box
from .explain import grade_with_heatmaps
from .progress import CancelToken, Progress, ProgressCallback

_NETWORKS = {
    ConditionGroup.CANAL: "grade_canal",
    ConditionGroup.FORAMINAL: "grade_foraminal",
    ConditionGroup.SUBARTICULAR: "grade_subarticular",
}
#: The plane that carries a group's own landmark; without it there is no grade.
_OWN_PLANE = {
    ConditionGroup.CANAL: "sagittal",
    ConditionGroup.FORAMINAL: "sagittal",
    ConditionGroup.SUBARTICULAR: "axial",
}


@dataclass(frozen=True, eq=False)
class _View:
    """One look at a finding: probabilities, shape (3,), and evidence."""

    probs: PixelArray
    evidence: tuple[CropEvidence, ...]


class MultistageGrader:
    """Grades with the networks ``grade_canal``, ``grade_foraminal`` and ``grade_subarticular``."""

    def __init__(self, bundle: Bundle, device: torch.device) -> None:
        self._networks = {
            group: bundle.network(name, LstmMil).to(device) for group, name in _NETWORKS.items()
        }
        self._device = device

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        """Return a finding, graded or with the reason why not, for each key."""
        usual = {s.series_id: canonical_series(s) for s in study.series if s.role is not None}
        findings = {}
        for done, key in enumerate(keys):
            cancel.raise_if_cancelled()
            report(Progress(f"grading {key.text}", done / len(keys)))
            findings[key] = self._finding(study, landmarks, key, usual)
        return findings

    def _finding(
        self, study: Study, landmarks: Landmarks, key: FindingKey, usual: Mapping[str, MRSeries]
    ) -> Finding:
        landmark = landmarks.get(key)
        if landmark is None:
            why = landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
            return Finding(key, None, None, not_gradable=why)
        views = [self._view(landmarks, key, side, usual) for side in _sides(key)]
        probs = np.mean([view.probs for view in views], axis=0)
        evidence = _joined([view.evidence for view in views])
        native = tuple(_to_native(crop, usual, study) for crop in evidence)
        return Finding(key, probs_from_array(probs / probs.sum()), landmark, native)

    def _view(
        self, landmarks: Landmarks, key: FindingKey, side: Side, usual: Mapping[str, MRSeries]
    ) -> _View:
        group = key.condition.group
        bags = finding_bags(key, landmarks, usual, side)
        if _OWN_PLANE[group] not in bags:
            raise LumbarError(f"{key.text}: its landmark lies in a series that has no role in this study")
        tensors = tuple(self._tensor(bags.get(plane), plane, usual) for plane in PLANES[group])
        output, heatmaps = grade_with_heatmaps(self._networks[group], tensors)
        probs = output.logits[0].detach().float().softmax(-1).cpu().numpy()
        evidence: list[CropEvidence] = []
        for i, plane in enumerate(PLANES[group]):
            if plane in bags:
                weights = output.weights[i][0].detach().float().cpu().numpy()
                evidence += _evidence(bags[plane], weights, heatmaps[i][0])
        return _View(probs, tuple(evidence))

    def _tensor(self, bag: Bag | None, plane: str, usual: Mapping[str, MRSeries]) -> torch.Tensor:
        """A bag as (1, 5, 1, H, W); zeros where the plane is absent, as in training."""
        shape = PLANE_SHAPES[plane]
        crops = (
            np.zeros((5, *shape), np.float32) if bag is None else sample_bag(bag, usual[bag.series_id], shape)
        )
        return torch.from_numpy(crops)[None, :, None].to(self._device)


def _sides(key: FindingKey) -> tuple[Side, ...]:
    """The canal is graded from both sides' axial crops; the published code picks one at random."""
    return (key.condition.side,) if key.condition.side else (Side.LEFT, Side.RIGHT)


def _evidence(bag: Bag, weights: PixelArray, heatmaps: PixelArray) -> list[CropEvidence]:
    """Crops with their heatmaps turned back to how the slice lies."""
    return [
        CropEvidence(
            role=bag.role,
            series_id=bag.series_id,
            slice_index=crop.slice_index,
            box_rc=crop.box_rc,
            weight=float(weight),
            heatmap=heatmap[:, ::-1] if bag.mirrored else heatmap,
        )
        for crop, weight, heatmap in zip(bag.crops, weights, heatmaps, strict=True)
    ]


def _joined(views: list[tuple[CropEvidence, ...]]) -> tuple[CropEvidence, ...]:
    """Evidence of all views; each plane's weights still sum to 1, and a crop seen twice stands once."""
    joined: dict[tuple[str, int, Box], CropEvidence] = {}
    for crop in (replace(c, weight=c.weight / len(views)) for view in views for c in view):
        place = (crop.series_id, crop.slice_index, crop.box_rc)
        seen = joined.get(place)
        joined[place] = crop if seen is None else _merged(seen, crop)
    return tuple(joined.values())


def _merged(first: CropEvidence, second: CropEvidence) -> CropEvidence:
    heatmap = np.maximum(first.heatmap, second.heatmap)
    return replace(first, weight=first.weight + second.weight, heatmap=heatmap)


def _to_native(crop: CropEvidence, usual: Mapping[str, MRSeries], study: Study) -> CropEvidence:
    """Box and heatmap from the usual view to the pixels of the file."""
    turned = usual[crop.series_id].slices[crop.slice_index].geometry
    native = study.by_id(crop.series_id).slices[crop.slice_index].geometry
    if turned == native:
        return crop
    box, heatmap = _turn_back(crop.box_rc, crop.heatmap, turned, native)
    return replace(crop, box_rc=box, heatmap=heatmap)


def _turn_back(
    box_rc: Box, heatmap: PixelArray, turned: SliceGeometry, native: SliceGeometry
) -> tuple[Box, PixelArray]:
    corners = turned.lps_from_pixel(np.array([box_rc[:2], box_rc[2:]]))
    (top, left), (bottom, right) = native.pixel_from_lps(corners)
    transposed = abs(np.dot(turned.along_row, native.along_row)) < 0.5
    heatmap = heatmap.T if transposed else heatmap
    if top > bottom:
        top, bottom, heatmap = bottom, top, heatmap[::-1]
    if left > right:
        left, right, heatmap = right, left, heatmap[:, ::-1]
    return (float(top), float(left), float(bottom), float(right)), heatmap
