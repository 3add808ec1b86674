"""The published localiser of the multistage system: where the 25 findings are, by regression.

Stage 1 of the first-place RSNA 2024 solution (Panditrao et al.): networks vote for the slice of each level on
sagittal volumes, and the median decides; regressors look at the middle one of these slices between its
neighbours, and the mean of their points counts; the axial slice is the one whose plane passes nearest to the
canal point, and another regressor finds both recesses on it.
Deviations: an axial plane too far from the canal point is none; neighbours at the ends of a stack repeat
instead of wrapping round; every slice is scaled on its own before the volume is.
Confidence: how probable it is that a landmark lies near the truth if the members of the ensemble err
independently; None from a single network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..domain.geometry import FloatArray, SliceGeometry, vector3
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from ..domain.study import OWN_ROLES, MRSeries, MRSlice, PixelArray, SeriesRole, Study
from ..models.bundle import Bundle
from ..models.convnext3d import SliceIndexNet
from ..models.point_regressor import PointRegressor
from ..preprocess.bags import prepared_series
from ..preprocess.canonical import canonical_series
from ..preprocess.channels import AXIAL_SIDES, FORAMINAL_HEAD_SIDES
from ..preprocess.intensity import percentile_scale
from ..preprocess.point_images import pixel_from_relative, sagittal_image, whole_image
from ..preprocess.sagittal_stack import sagittal_stack
from .confidence import NEAR_MM, LandmarkConfidence
from .missing_series import no_series
from .progress import CancelToken, Progress, ProgressCallback
from .recesses import FARTHEST_PLANE_MM, AxialSlice, nearest_axial_slice
from .slice_votes import network_votes

#: Sides of the images that a group's points are found on; the canal has one image.
_IMAGE_SIDES: Mapping[ConditionGroup, tuple[Side | None, ...]] = {
    ConditionGroup.CANAL: (None,),
    ConditionGroup.FORAMINAL: FORAMINAL_HEAD_SIDES,
}


@dataclass(frozen=True, eq=False)
class LocalizerNetworks:
    """Ensembles by group: networks for the slice on sagittal volumes, and for points on images."""

    slices: Mapping[ConditionGroup, Sequence[SliceIndexNet]]
    points: Mapping[ConditionGroup, Sequence[PointRegressor]]

    @classmethod
    def from_bundle(
        cls, bundle: Bundle, members: Mapping[str, Sequence[str]] | None = None
    ) -> LocalizerNetworks:
        """The ensembles ``slice_canal``, ``slice_foraminal``, ``points_canal`` and so on of a bundle.

        Raises
        ------
        BundleError
            If one is missing.
        """
        chosen = members or {}
        return cls(
            {group: bundle.members(n, SliceIndexNet, chosen.get(n)) for group, n in SLICE_NAMES.items()},
            {group: bundle.members(n, PointRegressor, chosen.get(n)) for group, n in POINT_NAMES.items()},
        )

    def to(self, device: torch.device) -> LocalizerNetworks:
        """The same networks on a device."""
        return LocalizerNetworks(
            {group: [n.to(device) for n in networks] for group, networks in self.slices.items()},
            {group: [n.to(device) for n in networks] for group, networks in self.points.items()},
        )


SLICE_NAMES = {ConditionGroup.CANAL: "slice_canal", ConditionGroup.FORAMINAL: "slice_foraminal"}
POINT_NAMES = {
    ConditionGroup.CANAL: "points_canal",
    ConditionGroup.FORAMINAL: "points_foraminal",
    ConditionGroup.SUBARTICULAR: "points_axial",
}


@dataclass(frozen=True, eq=False)
class _Stack:
    """The largest stack of a series: the series as it was read, and the slices as networks see them."""

    series: MRSeries
    slices: tuple[MRSlice, ...]
    first_index: int


class RegressionLocalizer:
    """Localises with the networks of stage 1.

    Parameters
    ----------
    confidence
        Turns raw confidences into probabilities; None leaves them as they are.
    """

    def __init__(
        self,
        networks: LocalizerNetworks,
        device: torch.device,
        confidence: LandmarkConfidence | None = None,
    ) -> None:
        self._networks = networks.to(device)
        self._device = device
        self._confidence = confidence or LandmarkConfidence({})

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return a landmark or a reason for each of the 25 findings."""
        found: dict[FindingKey, Landmark] = {}
        for i, group in enumerate(SLICE_NAMES):
            cancel.raise_if_cancelled()
            report(Progress(f"finding {group.value.lower()} on {OWN_ROLES[group].value}", 0.35 * i))
            found |= self._sagittal(study, group, cancel)
        report(Progress("finding recesses on axial T2", 0.7))
        found |= self._axial(study, found, cancel)
        found = {key: self._confidence.calibrated(landmark) for key, landmark in found.items()}
        missing = {key: _why_missing(study, found, key) for key in ALL_FINDINGS if key not in found}
        return Landmarks(found, missing)

    def locate_recesses(
        self, study: Study, canal: Landmark, cancel: CancelToken
    ) -> Mapping[FindingKey, Landmark]:
        """Return both recesses on the axial slice nearest to the canal point; none where none is near."""
        found = self._axial(study, {canal.key: canal}, cancel)
        return {key: self._confidence.calibrated(landmark) for key, landmark in found.items()}

    def _sagittal(
        self, study: Study, group: ConditionGroup, cancel: CancelToken
    ) -> dict[FindingKey, Landmark]:
        series = study.first(OWN_ROLES[group])
        if series is None:
            return {}
        stack, sides = _seen_stack(series), _IMAGE_SIDES[group]
        places = self._places(stack, group, cancel).reshape(len(sides), len(Level))
        found = {}
        for side, of_side in zip(sides, places, strict=True):
            cancel.raise_if_cancelled()
            points = self._points(group, [_SagittalImage(stack, of_side, side)])[:, 0]
            for level in Level:
                key, place = FindingKey(Condition.of(group, side), level), int(of_side[level.rank])
                geometry = stack.slices[place].geometry
                answers = pixel_from_relative(points[:, level.rank], geometry)
                found[key] = _landmark(key, stack.series, stack.first_index + place, geometry, answers)
        return found

    def _places(self, stack: _Stack, group: ConditionGroup, cancel: CancelToken) -> FloatArray:
        """The slice of each head: the median of all votes, shape (heads,), whole numbers."""
        votes = []
        for network in self._networks.slices[group]:
            cancel.raise_if_cancelled()
            votes.append(network_votes(network, stack.slices, self._device))
        middle = np.median(np.concatenate(votes), axis=0)
        return np.clip(np.rint(middle), 0, len(stack.slices) - 1)

    def _axial(
        self, study: Study, found: Mapping[FindingKey, Landmark], cancel: CancelToken
    ) -> dict[FindingKey, Landmark]:
        usual = [canonical_series(series) for series in study.with_role(SeriesRole.AXIAL_T2)]
        chosen = {level: one for level in Level if (one := _axial_slice(usual, found, level)) is not None}
        if not chosen:
            return {}
        cancel.raise_if_cancelled()
        points = self._points(ConditionGroup.SUBARTICULAR, [_AxialImage(one) for one in chosen.values()])
        recesses = {}
        for i, (level, one) in enumerate(chosen.items()):
            series, geometry = study.by_id(one.series.series_id), one.series.slices[one.slice_index].geometry
            for j, side in enumerate(AXIAL_SIDES):
                key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), level)
                answers = pixel_from_relative(points[:, i, j], geometry)
                recesses[key] = _landmark(key, series, one.slice_index, geometry, answers)
        return recesses

    def _points(self, group: ConditionGroup, images: Sequence[Callable[[int], PixelArray]]) -> FloatArray:
        """What each network of a group says of images, shape (networks, images, points, 2), relative."""
        answers = []
        with torch.inference_mode():
            for network in self._networks.points[group]:
                seen = torch.from_numpy(np.stack([image(network.config.size) for image in images]))
                answers.append(network(seen.to(self._device)).double().cpu().numpy())
        return np.stack(answers)


@dataclass(frozen=True, eq=False)
class _SagittalImage:
    """The image on which the points of one side, or of the canal, are found."""

    stack: _Stack
    places: FloatArray
    side: Side | None

    def __call__(self, size: int) -> PixelArray:
        """The middle slice of the levels between its neighbours."""
        middle = int(np.rint(np.median(self.places)))
        return sagittal_image(self.stack.slices, middle, size, reverse=self.side is Side.RIGHT)


@dataclass(frozen=True, eq=False)
class _AxialImage:
    """The image on which both recesses are found."""

    chosen: AxialSlice

    def __call__(self, size: int) -> PixelArray:
        """The whole slice, scaled."""
        mr_slice = self.chosen.series.slices[self.chosen.slice_index]
        return whole_image(replace(mr_slice, pixels=percentile_scale(mr_slice.pixels)), size)[None]


def _seen_stack(series: MRSeries) -> _Stack:
    first_index, stack = sagittal_stack(series)
    return _Stack(series, prepared_series(replace(series, stacks=(stack,))).slices, first_index)


def _axial_slice(
    usual: Sequence[MRSeries], found: Mapping[FindingKey, Landmark], level: Level
) -> AxialSlice | None:
    canal = found.get(FindingKey(Condition.SPINAL_CANAL_STENOSIS, level))
    return nearest_axial_slice(usual, np.array(canal.point_lps_mm)) if canal is not None else None


def _landmark(
    key: FindingKey, series: MRSeries, slice_index: int, geometry: SliceGeometry, pixels_rc: FloatArray
) -> Landmark:
    """The mean of an ensemble's points, shape (networks, 2), on a slice in the usual view.

    ``series`` as it was read: the landmark's pixel is that of the file.
    """
    point = geometry.lps_from_pixel(pixels_rc.mean(0))
    row, column = series.slices[slice_index].geometry.pixel_from_lps(point)
    confidence = _confidence(pixels_rc * geometry.spacing_rc_mm)
    return Landmark(
        key, vector3(point), series.series_id, slice_index, (float(row), float(column)), confidence
    )


def _confidence(points_mm: FloatArray) -> float | None:
    """Probability of lying within ``NEAR_MM`` of the truth, from the spread of points, shape (networks, 2).

    If each member errs independently and alike in both directions, distances follow Rayleigh's distribution.
    """
    if len(points_mm) < 2:
        return None
    variance = float(points_mm.var(axis=0, ddof=1).mean())
    return float(1 - np.exp(-(NEAR_MM**2) / (2 * variance))) if variance > 0 else 1.0


def _why_missing(study: Study, found: Mapping[FindingKey, Landmark], key: FindingKey) -> NotGradable:
    role = OWN_ROLES[key.condition.group]
    if study.first(role) is None:
        return no_series(study, role)
    if FindingKey(Condition.SPINAL_CANAL_STENOSIS, key.level) not in found:
        return NotGradable(
            "no_canal_point",
            f"no canal point on sagittal T2 says which axial slice shows {key.level.value}",
        )
    return NotGradable(
        "no_axial_slice",
        f"no axial slice passes within {FARTHEST_PLANE_MM:g} mm of the canal at {key.level.value}",
    )
