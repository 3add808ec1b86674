"""Studies made of SPIDER's slices, what is read of them, and the canal's width in the masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.findings import Finding, SeverityProbs
from napari_lumbar.domain.geometry import FloatArray, vector3
from napari_lumbar.domain.landmarks import Dependence, Landmark, Landmarks
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline import System
from napari_lumbar.pipeline.progress import CancelToken, ProgressCallback
from napari_lumbar.training.figures import FigureMaker, spider_figures
from napari_lumbar.training.figures.spider_canal import expected_and_width
from napari_lumbar.training.figures.spider_figures import (
    CUTS_MM,
    cases_unseen,
    cut_rows,
    fold_of,
    level_figures,
    read_patient,
    score_levels,
)
from napari_lumbar.training.figures.spider_studies import SpiderCase, cut_below, read_case

PIXEL_MM = 0.5
CASE = "9_t2"
#: Discs 35 mm apart on a straight spine that leans back by 0.2 on 1.
LEAN = 0.2
ROWS = {level: 60 + 70 * level.rank for level in Level}
WIDTH_MM = 12.0


def centre_of(level: Level) -> FloatArray:
    return np.array([ROWS[level], 100 + LEAN * ROWS[level]])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three slices with a canal 20 mm behind the discs, 12 mm wide across its own axis."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    row, column = np.mgrid[0:480, 0:384].astype(float)
    behind_mm = (column - (100 + LEAN * row)) * PIXEL_MM / np.hypot(1, LEAN)
    mask = np.where(np.abs(behind_mm - 20) < WIDTH_MM / 2, 150, 0).astype(np.uint8)
    mask[np.abs(behind_mm - 5) < 0.3] = 150  # stray pixels on a border
    for number in (29, 30, 31):
        Image.fromarray(mask // 2).save(tmp_path / "images" / f"{CASE}_slice{number}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{CASE}_slice{number}.png")
    lines = ["case,disc_from_bottom,level_assumed,col,row,slice,voxels,rows,cols,pixel_mm,n_slices_png"]
    for level in reversed(Level):
        row_px, column_px = centre_of(level)
        lines.append(f"{CASE},{5 - level.rank},{level.value},{column_px},{row_px},30,1,480,384,{PIXEL_MM},3")
    (tmp_path / "discs.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def case(root: Path) -> SpiderCase:
    return read_case(root, CASE)


def canal_landmarks(study: Study, shift_px: float = 0.0, renamed: int = 0) -> Landmarks:
    """A canal landmark behind each disc that is on the image, moved along the spine, or given other names."""
    series = study.series[0]
    geometry = series.slices[0].geometry
    along = np.array([1, LEAN]) / np.hypot(1, LEAN)
    points = {}
    for level in Level:
        pixel = centre_of(level) + np.array([-LEAN, 1]) * 40 + along * shift_px
        key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, list(Level)[max(0, level.rank - renamed)])
        if geometry.contains(pixel):
            lps = vector3(geometry.lps_from_pixel(pixel))
            points[key] = Landmark(key, lps, series.series_id, 0, (pixel[0], pixel[1]), 0.9)
    return Landmarks(points)


class Careful:
    """Claims what lies on the image."""

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        return canal_landmarks(study)


class Inventive:
    """Claims five levels whatever it sees, as long as there are several slices."""

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        seen = canal_landmarks(study)
        if len(study.series[0].slices) == 1:
            return seen
        last = max(seen, key=lambda landmark: landmark.key.level.rank)
        key = FindingKey(last.key.condition, Level.L5_S1)
        return seen.replacing(replace(last, key=key))


def system(localizer: Careful | Inventive) -> System:
    return System(localizer, None, "b", "0", "cpu")  # type: ignore[arg-type]  # nothing is graded here


def test_a_case_is_a_sagittal_study_with_its_millimetres(case: SpiderCase) -> None:
    first, *_, last = case.study.series[0].slices
    assert case.numbers == (29, 30, 31)
    across = last.geometry.centre_lps_mm - first.geometry.centre_lps_mm
    np.testing.assert_allclose(across, (2 * 0.9, 0, 0))
    down = first.geometry.lps_from_pixel((10, 0)) - first.geometry.lps_from_pixel((0, 0))
    np.testing.assert_allclose(down, (0, 0, -5))
    back = first.geometry.lps_from_pixel((0, 10)) - first.geometry.lps_from_pixel((0, 0))
    np.testing.assert_allclose(back, (0, 5, 0))


def test_a_cut_leaves_the_rest_in_its_place(case: SpiderCase) -> None:
    cut = cut_below(case.study, 200)
    for whole, part in zip(case.study.series[0].slices, cut.series[0].slices, strict=True):
        assert part.pixels.shape == (200, 384)
        np.testing.assert_array_equal(part.pixels, whole.pixels[:200])
        np.testing.assert_allclose(
            part.geometry.lps_from_pixel((150, 3)), whole.geometry.lps_from_pixel((150, 3))
        )


def test_every_cut_ends_above_l5_s1(case: SpiderCase) -> None:
    rows = cut_rows(case)
    assert len(rows) == len(CUTS_MM)
    assert (ROWS[Level.L5_S1] - max(rows)) * PIXEL_MM == pytest.approx(8)


def test_errors_are_counted_along_the_spine_only(case: SpiderCase) -> None:
    errors, right = score_levels(case, canal_landmarks(case.study))
    np.testing.assert_allclose(errors, 0, atol=1e-6)
    assert right
    errors, right = score_levels(case, canal_landmarks(case.study, shift_px=6))
    np.testing.assert_allclose(errors, 3, atol=1e-6)
    assert right


def test_one_name_off_is_not_right_and_what_is_missing_neither(case: SpiderCase) -> None:
    _, right = score_levels(case, canal_landmarks(case.study, renamed=1))
    assert not right
    some = canal_landmarks(case.study)
    fewer = {key: mark for key, mark in some.points.items() if key.level is not Level.L2_L3}
    errors, right = score_levels(case, Landmarks(fewer))
    assert np.isnan(errors).sum() == 1
    assert not right


def test_inventing_l5_s1_is_seen_in_studies_and_in_slices(case: SpiderCase) -> None:
    careful = read_patient(case, system(Careful()))
    inventive = read_patient(case, system(Inventive()))
    assert not any(careful.invented)
    assert all(inventive.invented)
    assert not any(inventive.invented_alone)
    assert len(inventive.invented_alone) == len(CUTS_MM) * 2  # three slices: both ends of the reach
    make = FigureMaker("spider", "c", "b")
    figures = {figure.name: figure for figure in level_figures([careful, inventive], make)}
    assert figures["spider/l5_s1_invented_studies"].value == 0.5
    assert figures["spider/l5_s1_invented_studies"].n == 2
    assert figures["spider/along_spine_p95"].value == pytest.approx(0, abs=1e-6)


class Grading:
    """The further down, the worse."""

    dependence = Dependence.CROPS

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        severe = {key: key.level.rank / 10 for key in keys}
        return {key: Finding(key, SeverityProbs(1 - severe[key], 0, severe[key]), None) for key in keys}


def test_expected_severities_come_with_the_width_of_the_same_level(root: Path, case: SpiderCase) -> None:
    pairs = expected_and_width(root, case, System(Careful(), Grading(), "b", "0", "cpu"))
    np.testing.assert_allclose(pairs[:, 0], [0.0, 0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(pairs[:, 1], WIDTH_MM, atol=0.6)


def test_each_patient_meets_only_networks_that_never_saw_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(bundle: Path, device: str, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        loaded.append(members)
        return members

    monkeypatch.setattr(spider_figures, "load_system", load)
    monkeypatch.setattr(spider_figures, "read_case", lambda _, name: name)
    folds = {"sagittal": {"a": 0, "b": 1, "c": 0}, "grade_canal": {"a": 1, "b": 1, "c": 0, "d": 0}}
    found: dict[str, object] = {
        str(case): members for case, members in cases_unseen(root, root, folds, "cpu")
    }
    assert found == {
        "a": {"sagittal": ("sagittal_0",), "grade_canal": ("grade_canal_1",)},
        "b": {"sagittal": ("sagittal_1",), "grade_canal": ("grade_canal_1",)},
        "c": {"sagittal": ("sagittal_0",), "grade_canal": ("grade_canal_0",)},
    }
    assert len(loaded) == 3


def test_folds_must_be_known() -> None:
    assert fold_of({"spider_folds": [["a", "b"], ["c"]]}, "spider_folds") == {"a": 0, "b": 0, "c": 1}
    with pytest.raises(LumbarError, match="does not say which SPIDER patients"):
        fold_of({}, "spider_folds")
