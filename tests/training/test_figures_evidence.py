"""The deletion test, on a grader whose answer is known to hang on one place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.findings import CropEvidence, Finding, SeverityProbs
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import Dependence, Landmark, Landmarks, NotGradable
from napari_lumbar.domain.spine import ALL_FINDINGS, FindingKey
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.pipeline import System
from napari_lumbar.pipeline.progress import CancelToken, ProgressCallback
from napari_lumbar.training.figures import FigureMaker
from napari_lumbar.training.figures.evidence import (
    blurred,
    change_figures,
    hottest,
    random_place,
    study_changes,
)

KEY = ALL_FINDINGS[0]
SHAPE = (60, 80)
SPOT = np.s_[30:34, 40:44]


def study() -> Study:
    geometry = SliceGeometry((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), 1.0, 1.0, *SHAPE)
    bright = np.zeros(SHAPE, np.float32)
    bright[SPOT] = 100
    slices = tuple(MRSlice(replace(geometry, position_lps_mm=(i, 0, 0)), bright, str(i), i) for i in range(3))
    series = MRSeries("s", "s", (SliceStack(slices),), SeriesRole.SAGITTAL_T1, "known")
    return Study("1", "1", (series,))


def crop(heatmap: np.ndarray, slice_index: int = 1) -> CropEvidence:
    box = (9.5, 19.5, 49.5, 69.5)  # rows 10..49, columns 20..69
    return CropEvidence(SeriesRole.SAGITTAL_T1, "s", slice_index, box, 1.0, heatmap)


def heat_at_the_spot() -> np.ndarray:
    heatmap = np.zeros((20, 25), np.float32)
    heatmap[10:12, 10:12] = 1  # rows 30..33, columns 40..43
    return heatmap


class SpotGrader:
    """Severe as far as the spot of the middle slice is bright."""

    dependence = Dependence.CROPS
    heatmap = heat_at_the_spot()

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        return Landmarks({KEY: Landmark(KEY, (1.0, 42.0, -32.0), "s", 1, (32.0, 42.0), 0.9)})

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        severe = float(study.series[0].slices[1].pixels[SPOT].mean()) / 110
        why = NotGradable("none", "none")
        findings = {key: Finding(key, None, None, not_gradable=why) for key in keys}
        graded = Finding(KEY, SeverityProbs(1 - severe, 0, severe), None, (crop(self.heatmap),))
        return {**findings, KEY: graded}


def test_the_hottest_tenth_lies_where_the_heatmap_says() -> None:
    mask = hottest(crop(heat_at_the_spot()), SHAPE)
    assert mask.sum() == 40 * 50 // 10
    assert mask[SPOT].all()
    assert not mask[:10].any()
    assert not mask[:, 70:].any()


def test_a_random_place_is_as_large_connected_and_elsewhere_each_time() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(1)
    masks = [random_place(crop(heat_at_the_spot()), SHAPE, rng) for _ in range(5)]
    assert {int(mask.sum()) for mask in masks} == {200}
    assert all(ndimage.label(mask)[1] == 1 for mask in masks)
    assert (np.sum(masks, axis=0) < 5).all()


def test_only_the_chosen_places_of_the_crop_s_slice_are_blurred() -> None:
    before = study()
    finding = Finding(
        KEY, SeverityProbs(0, 0, 1), None, (crop(heat_at_the_spot()), crop(np.zeros((4, 4)), 2))
    )
    after = blurred(before, finding, hottest)
    changed = [
        a.pixels != b.pixels for a, b in zip(after.series[0].slices, before.series[0].slices, strict=True)
    ]
    assert not changed[0].any()
    assert not changed[2].any()  # a crop without heat stays
    assert changed[1].any()
    assert hottest(crop(heat_at_the_spot()), SHAPE)[changed[1]].all()


def test_a_true_heatmap_changes_more_than_other_places_and_a_false_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An image of one spot shows no spine.
    monkeypatch.setattr("napari_lumbar.pipeline.run.find_doubts", lambda *_: ())

    def changes(grader: SpotGrader) -> np.ndarray:
        system = System(grader, grader, "b", "0", "cpu")
        return np.concatenate(
            [study_changes(replace(study(), study_id=str(number)), system) for number in range(6)]
        )

    grader = SpotGrader()
    true = changes(grader)
    assert true.shape == (6, 2)
    assert (true[:, 0] > 0.3).all()
    assert true[:, 1].mean() < 0.5 * true[:, 0].mean()
    grader.heatmap = np.zeros((20, 25), np.float32)
    grader.heatmap[:3, :20] = 1
    assert changes(grader)[:, 0].max() < 0.1


def test_figures_of_changes() -> None:
    rows = [np.array([[0.4, 0.1], [0.2, 0.3]]), np.array([[0.6, 0.1]])]
    figures = {f.name: f for f in change_figures(rows, FigureMaker("evidence", "c", "b"))}
    assert figures["evidence/hot_change"].value == pytest.approx(0.4)
    assert figures["evidence/ratio"].value == pytest.approx(1.2 / 0.5)
    assert figures["evidence/hot_changes_more"].value == pytest.approx(2 / 3, abs=1e-5)
    assert figures["evidence/ratio"].n == 2
