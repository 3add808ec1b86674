from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_lumbar.domain.spine import Level
from napari_lumbar.preprocess.channels import NAMED_DISCS
from napari_lumbar.training import spider
from napari_lumbar.training.samples import MASK_CANAL, MASK_DISC, with_neighbours
from napari_lumbar.training.spider_canal import canal_widths, graded_canals, severity_of_width

PIXEL_MM = 0.5


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two slices of one case: two discs, a canal, and stray canal pixels on a disc's border."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    mask = np.zeros((300, 240), np.uint8)
    mask[100:120, 80:140] = 29
    mask[160:180, 80:140] = 29
    mask[50:250, 150:180] = 150
    mask[120, 80:140] = 150
    for index in (7, 12):
        name = f"9_t2_slice{index}.png"
        Image.fromarray((mask > 0).astype(np.uint8) * 200).save(tmp_path / "images" / name)
        Image.fromarray(mask).save(tmp_path / "masks" / name)
    header = "case,disc_from_bottom,level_assumed,col,row,slice,voxels,rows,cols,pixel_mm,n_slices_png"
    rows = ["9_t2,1,L5/S1,109.5,169.5,9,1,300,240,0.5,2", "9_t2,7,T11/T12,109.5,109.5,9,1,300,240,0.5,2"]
    (tmp_path / "discs.csv").write_text("\n".join([header, *rows]))
    return tmp_path


def test_slices_come_with_their_truth_at_one_and_a_half_millimetres(root: Path) -> None:
    assert spider.cases(root) == ["9_t2"]
    samples = spider.load_case(root, "9_t2")
    assert len(samples) == 4  # both slices, thin and averaged
    sample = samples[0]
    assert sample.images.shape == sample.masks.shape == (3, 100, 80)
    assert set(sample.named_rc) == {"L5/S1"} <= set(NAMED_DISCS)
    np.testing.assert_allclose(sample.named_rc["L5/S1"], (169.5 / 3, 109.5 / 3), atol=0.5)
    np.testing.assert_allclose(sample.other_discs_rc, [(109.5 / 3, 109.5 / 3)], atol=0.5)
    assert sample.foramina_rcd is None


def test_stray_canal_pixels_are_cleaned_away(root: Path) -> None:
    mask = spider.load_case(root, "9_t2")[0].masks[1]
    columns = np.flatnonzero((mask == MASK_CANAL).any(axis=0))
    assert columns.min() >= 149 / 3 - 1
    assert (mask == MASK_DISC).any()


def test_no_data_means_no_cases(tmp_path: Path) -> None:
    assert spider.cases(tmp_path) == []


def test_neighbours_repeat_at_the_ends_of_a_stack() -> None:
    stack = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    triples = [t[:, 0, 0].tolist() for t in with_neighbours(stack, 2)]
    assert triples == [[0, 0, 2], [0, 1, 3], [0, 2, 4], [1, 3, 4], [2, 4, 4]]


def test_a_canal_is_measured_between_its_walls(root: Path) -> None:
    widths = canal_widths(root, "9_t2")
    assert set(widths) == {Level.L5_S1}
    assert widths[Level.L5_S1].width_mm == pytest.approx(30 * PIXEL_MM, abs=0.6)
    assert widths[Level.L5_S1].middle_rcs[:2] == pytest.approx((169.5, 164.5), abs=1.5)
    study = graded_canals(root, "9_t2")[0]
    (key,) = study.severity
    assert study.severity[key].sum() == pytest.approx(1)
    assert study.severity[key].argmax() == 0


def test_a_narrow_canal_is_more_severe() -> None:
    expected = [float(severity_of_width(width) @ np.arange(3)) for width in (14.0, 8.4, 7.0, 4.0)]
    assert expected == sorted(expected)
    assert expected[0] < 0.1
    assert expected[-1] > 1.9
