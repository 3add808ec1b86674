"""The published localiser: every number that a network says ends at its place in patient space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.landmarks import Landmark, Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.models.convnext3d import SliceIndexConfig, SliceIndexNet, SliceIndexOutput
from napari_lumbar.models.point_regressor import PointRegressor, PointRegressorConfig
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.progress import CancelToken, ignore_progress
from napari_lumbar.pipeline.regression_localizer import LocalizerNetworks, RegressionLocalizer
from napari_lumbar.preprocess.canonical import canonical_series
from napari_lumbar.preprocess.channels import AXIAL_SIDES, FORAMINAL_HEAD_SIDES
from napari_lumbar.preprocess.point_images import relative_from_pixel

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=2.0)
TINY = {"channels": (8, 8, 8, 8), "stem_width": 8}
CPU = torch.device("cpu")
CANAL, FORAMINAL, SUBARTICULAR = ConditionGroup.CANAL, ConditionGroup.FORAMINAL, ConditionGroup.SUBARTICULAR


class KnownSlices(SliceIndexNet):
    """Says what it was told, whatever it sees."""

    def __init__(self, places: Sequence[float]) -> None:
        super().__init__(SliceIndexConfig(len(places), size=32, widths=(8, 8, 8, 8), classifies=False))
        self.places = torch.tensor(places, dtype=torch.float64)

    def forward(self, volume: Tensor) -> SliceIndexOutput:
        return SliceIndexOutput(None, self.places[None, :, None] / volume.shape[2])


class KnownPoints(PointRegressor):
    """Says what it was told, one answer after the other, as often as it is asked."""

    def __init__(self, answers: Sequence[np.ndarray], channels: int) -> None:
        config = PointRegressorConfig(answers[0].shape[1], channels, 32, "resnet10t", TINY)
        super().__init__(config)
        self.answers, self.asked = [torch.from_numpy(a) for a in answers], 0

    def forward(self, image: Tensor) -> Tensor:
        self.asked += 1
        return self.answers[(self.asked - 1) % len(self.answers)][: len(image)]


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(7, SMALL)


def relative(study: Study, landmark: Landmark) -> np.ndarray:
    geometry = canonical_series(study.by_id(landmark.series_id)).slices[landmark.slice_index].geometry
    return relative_from_pixel(geometry.pixel_from_lps(landmark.point_lps_mm), geometry)


def knowing(phantom: PhantomStudy, moved: float = 0.0) -> LocalizerNetworks:
    """Networks that know the truth of a phantom; points lie ``moved`` of an image too far down."""

    def truth(group: ConditionGroup, side: Side | None) -> list[Landmark]:
        keys = [FindingKey(Condition.of(group, side), level) for level in Level]
        return [phantom.landmarks.points[key] for key in keys]

    def points(landmarks: Sequence[Landmark]) -> np.ndarray:
        return np.stack([relative(phantom.study, point) for point in landmarks]) + np.array([moved, 0.0])

    foramina = {side: truth(FORAMINAL, side) for side in FORAMINAL_HEAD_SIDES}
    recesses = np.stack([points(truth(SUBARTICULAR, side)) for side in AXIAL_SIDES], axis=1)
    return LocalizerNetworks(
        {
            CANAL: [KnownSlices([p.slice_index for p in truth(CANAL, None)])],
            FORAMINAL: [KnownSlices([p.slice_index for side in foramina.values() for p in side])],
        },
        {
            CANAL: [KnownPoints([points(truth(CANAL, None))[None]], 3)],
            FORAMINAL: [KnownPoints([points(side)[None] for side in foramina.values()], 3)],
            SUBARTICULAR: [KnownPoints([recesses], 1)],
        },
    )


def joined(first: LocalizerNetworks, second: LocalizerNetworks) -> LocalizerNetworks:
    return LocalizerNetworks(
        {group: [*nets, *second.slices[group]] for group, nets in first.slices.items()},
        {group: [*nets, *second.points[group]] for group, nets in first.points.items()},
    )


def located(networks: LocalizerNetworks, study: Study) -> Landmarks:
    return RegressionLocalizer(networks, CPU).locate(study, ignore_progress, CancelToken())


def test_true_answers_end_at_the_truth(phantom: PhantomStudy) -> None:
    found = located(knowing(phantom), phantom.study)
    assert set(found.points) == set(ALL_FINDINGS)
    for key, landmark in found.points.items():
        true = phantom.landmarks.points[key]
        assert landmark.series_id == true.series_id
        near = np.abs(landmark.slice_index - true.slice_index)
        # The axial slice nearest to the canal point may be the marked one's neighbour.
        assert near <= (1 if key.condition.group is SUBARTICULAR else 0)
        if near == 0:
            np.testing.assert_allclose(landmark.point_lps_mm, true.point_lps_mm, atol=1e-3)
            np.testing.assert_allclose(landmark.pixel_rc, true.pixel_rc, atol=1e-3)
        assert landmark.confidence is None  # one network cannot disagree with itself


def test_recesses_of_a_level_follow_its_canal_point(phantom: PhantomStudy) -> None:
    level, networks = Level.L1_L2, knowing(phantom)
    canal = located(networks, phantom.study).points[FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)]
    localizer = RegressionLocalizer(networks, CPU)
    found = localizer.locate_recesses(phantom.study, canal, CancelToken())
    assert {key.level for key in found} == {level}
    for key, landmark in found.items():
        assert landmark == located(networks, phantom.study).points[key]
    nowhere = replace(canal, point_lps_mm=(0.0, 0.0, 5000.0))
    assert localizer.locate_recesses(phantom.study, nowhere, CancelToken()) == {}


def test_an_ensemble_takes_the_mean_and_is_less_sure_where_it_disagrees(phantom: PhantomStudy) -> None:
    alike = located(joined(knowing(phantom), knowing(phantom, 0.002)), phantom.study)
    apart = located(joined(knowing(phantom), knowing(phantom, 0.08)), phantom.study)
    for key in ALL_FINDINGS:
        near, far = alike.points[key].confidence, apart.points[key].confidence
        assert near is not None
        assert far is not None
        assert 0 < far < near <= 1


def test_the_median_of_the_votes_decides(phantom: PhantomStudy) -> None:
    networks = knowing(phantom)
    wrong = [
        KnownSlices([0.0] * 5),
        KnownSlices([float(p) + 0.3 for p in torch.as_tensor(networks.slices[CANAL][0].places)]),
    ]
    votes = {**networks.slices, CANAL: [*networks.slices[CANAL], *wrong]}
    found = located(replace(networks, slices=votes), phantom.study)
    for level in Level:
        key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
        assert found.points[key].slice_index == phantom.landmarks.points[key].slice_index


def test_what_a_missing_series_hides_has_a_reason(phantom: PhantomStudy) -> None:
    def without(role: SeriesRole) -> Landmarks:
        kept = tuple(s for s in phantom.study.series if s.role is not role)
        return located(knowing(phantom), replace(phantom.study, series=kept))

    codes = {
        SeriesRole.SAGITTAL_T2: {CANAL: "no_series", SUBARTICULAR: "no_canal_point"},
        SeriesRole.SAGITTAL_T1: {FORAMINAL: "no_series"},
        SeriesRole.AXIAL_T2: {SUBARTICULAR: "no_series"},
    }
    for role, expected in codes.items():
        found = without(role)
        assert {k.condition.group: why.code for k, why in found.missing.items()} == expected
        assert set(found.points) | set(found.missing) == set(ALL_FINDINGS)


def test_it_stops_when_it_is_asked_to(phantom: PhantomStudy) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        RegressionLocalizer(knowing(phantom), CPU).locate(phantom.study, ignore_progress, cancel)
