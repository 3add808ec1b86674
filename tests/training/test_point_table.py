"""Tables of points to pretrain on: the format, what is refused, and SPIDER as an example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.spine import Level
from napari_lumbar.training.point_table import (
    MarkedImage,
    TableImages,
    named_table,
    read_points,
    write_points,
)
from napari_lumbar.training.spider_points import convert_spider
from napari_lumbar.training.tasks.points import PointTask


@pytest.fixture
def image(tmp_path: Path) -> Path:
    pixels = np.zeros((100, 50), np.uint8)
    pixels[70:90, 10:20] = 200
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "points.csv"
    path.write_text("\n".join(["image,level,x,y,from", *rows]), encoding="utf-8")
    return path


def test_a_table_comes_back_as_it_was_written(tmp_path: Path, image: Path) -> None:
    points = {Level.L1_L2: (0.25, 0.5), Level.L5_S1: (0.8, 0.3)}
    write_points(tmp_path / "points.csv", [MarkedImage(image, points)])
    assert (tmp_path / "points.csv").read_text().splitlines()[1] == "one.png,L1/L2,0.500000,0.250000"
    (found,) = read_points(tmp_path / "points.csv")
    assert found.path == image
    assert found.points_rc == points


def test_an_image_is_seen_grey_in_three_channels_with_what_it_lacks_unknown(
    tmp_path: Path, image: Path
) -> None:
    images = TableImages(read_points(table(tmp_path, "one.png,L5/S1,0.3,0.8,me")), 40)
    sample = images.sample(0, 1)
    assert sample.image.shape == (3, 40, 40)
    assert (sample.image[0] == sample.image[2]).all()
    row, column = (sample.points_rc[4] * 40).astype(int)
    assert sample.image[0, row, column] > 100
    assert np.isnan(sample.points_rc[:4]).all()
    batch = PointTask(images, seed=1, batch_size=2, augmented=False).batch(0)
    np.testing.assert_allclose(batch["points"][0, 4].numpy(), (0.8, 0.3), atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["one.png,L6/S1,0.1,0.1,"], r"row 2 of points\.csv is malformed: 'L6/S1'"),
        (["one.png,L1/L2,0.1,1.2,"], r"row 2 of points\.csv lies outside the image"),
        (["one.png,L1/L2,0.1,nan,"], r"row 2 of points\.csv lies outside the image"),
        (
            ["one.png,L1/L2,0.1,0.2,", "one.png,L1/L2,0.1,0.2,"],
            r"row 3 of points\.csv names L1/L2 of its image",
        ),
        (["two.png,L1/L2,0.1,0.2,"], r"images that are not there, for example 'two\.png'"),
    ],
)
def test_what_is_wrong_is_named_by_its_row(
    tmp_path: Path, image: Path, rows: list[str], message: str
) -> None:
    with pytest.raises(LumbarError, match=message):
        read_points(table(tmp_path, *rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("image,level,x\n")
    with pytest.raises(LumbarError, match=r"points\.csv has no column \['y'\]"):
        read_points(tmp_path / "points.csv")


def test_the_variable_names_a_table_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUMBAR_POINTS", raising=False)
    assert named_table() is None
    monkeypatch.setenv("LUMBAR_POINTS", str(tmp_path / "none.csv"))
    with pytest.raises(LumbarError, match=r"LUMBAR_POINTS names .* which is no file"):
        named_table()


def test_spider_slices_become_a_table(tmp_path: Path) -> None:
    root = tmp_path / "spider"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for index, canal in ((3, 10), (5, 40), (8, 0)):
        mask = np.zeros((120, 80), np.uint8)
        mask[:canal, 50:60] = 150
        Image.fromarray(np.full((120, 80), index, np.uint8)).save(root / f"images/9_t2_slice{index}.png")
        Image.fromarray(mask).save(root / f"masks/9_t2_slice{index}.png")
    rows = ["9_t2,L5/S1,39.5,89.5,0.5", "9_t2,T11/T12,39.5,9.5,0.5"]
    (root / "discs.csv").write_text("\n".join(["case,level_assumed,col,row,pixel_mm", *rows]))
    images = read_points(convert_spider(root, tmp_path / "out"))
    assert [one.path.name for one in images] == ["9_t2_slice3.png", "9_t2_slice5.png"]  # those with a canal
    assert images[0].points_rc == {Level.L5_S1: (0.75, 0.5)}
    with pytest.raises(LumbarError, match="no SPIDER slices under"):
        convert_spider(tmp_path / "nothing", tmp_path / "again")
