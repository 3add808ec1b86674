"""Tables of disc points on single sagittal images, to pretrain the regressors of sagittal points on.

Format: a CSV file beside its images, with a header and one row per point. Columns:

``image``
    Path of an image file that Pillow opens (PNG, JPEG, TIFF), relative to the folder of the table. Sagittal,
    columns to posterior, rows to caudal.
``level``
    ``L1/L2``, ``L2/L3``, ``L3/L4``, ``L4/L5`` or ``L5/S1``.
``x``, ``y``
    Column and row, relative to the image's outer borders: 0 is its left or upper border, 1 its right or lower
    one.

Other columns are ignored. An image may lack levels; it may not name one twice. The set that the first-place
RSNA 2024 solution used (Kaggle, brendanartley/lumbar-coordinate-pretraining-dataset; not part of this
package) has the same contents; ``spider_points`` makes such a table of SPIDER's slices.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..domain.errors import LumbarError
from ..domain.spine import Level
from ..preprocess.intensity import percentile_scale
from ..preprocess.resample import sample_box
from .tasks.marked import KEPT_BYTES
from .tasks.points import PointSample

COLUMNS = ("image", "level", "x", "y")
#: Names the table to pretrain with; without it there is no pretraining.
VARIABLE = "LUMBAR_POINTS"


@dataclass(frozen=True, eq=False)
class MarkedImage:
    """An image file and the (row, column) of its levels, relative to its borders."""

    path: Path
    points_rc: Mapping[Level, tuple[float, float]]


def named_table() -> Path | None:
    """The table that the environment variable ``LUMBAR_POINTS`` names, or None.

    Raises
    ------
    LumbarError
        If it names a file that is not there.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    path = Path(name)
    if not path.is_file():
        raise LumbarError(
            f"{VARIABLE} names {name!r}, which is no file; name a CSV table of points or unset it"
        )
    return path


def read_points(table: Path) -> list[MarkedImage]:
    """The images of a table, in the order in which it first names them.

    Raises
    ------
    LumbarError
        If a column is missing, or a row names an unknown level, a level twice, a place outside 0..1, or an
        image that is not there: the message names the row.
    """
    images: dict[str, dict[Level, tuple[float, float]]] = {}
    with table.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise LumbarError(f"{table.name} has no column {sorted(missing)}; it needs {list(COLUMNS)}")
        for number, row in enumerate(reader, start=2):
            level, point = _point(row, f"row {number} of {table.name}")
            points = images.setdefault(row["image"], {})
            if level in points:
                raise LumbarError(f"row {number} of {table.name} names {level.value} of its image again")
            points[level] = point
    absent = [name for name in images if not (table.parent / name).is_file()]
    if absent:
        raise LumbarError(f"{table.name} names images that are not there, for example {absent[0]!r}")
    return [MarkedImage(table.parent / name, points) for name, points in images.items()]


def write_points(table: Path, images: Sequence[MarkedImage]) -> None:
    """Write a table of images that lie below its folder."""
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for image in images:
            name = image.path.relative_to(table.parent).as_posix()
            for level, (row, column) in image.points_rc.items():
                writer.writerow([name, level.value, f"{column:.6f}", f"{row:.6f}"])


def _point(row: Mapping[str, str], where: str) -> tuple[Level, tuple[float, float]]:
    try:
        level, place = Level(row["level"]), (float(row["y"]), float(row["x"]))
    except (TypeError, ValueError) as error:
        raise LumbarError(f"{where} is malformed: {error}") from error
    if not all(0 <= value <= 1 for value in place):
        raise LumbarError(
            f"{where} lies outside the image: x and y must be within 0..1, relative to its size"
        )
    return level, place


class TableImages:
    """The images of a table as a regressor sees them: grey in all three channels."""

    def __init__(self, images: Sequence[MarkedImage], size: int) -> None:
        if not images:
            raise LumbarError("a table of points without images teaches nothing")
        self._images, self._size = images, size
        self._made = lru_cache(max(8, KEPT_BYTES // (3 * size * size)))(self._make)

    def __len__(self) -> int:
        return len(self._images)

    def sample(self, place: int, shift: int) -> PointSample:
        """One image with its points in the order of the levels; ``shift`` finds no other slice here."""
        del shift
        return self._made(place)

    def _make(self, place: int) -> PointSample:
        image = self._images[place]
        points = [image.points_rc.get(level, (np.nan, np.nan)) for level in Level]
        grey = np.repeat(_resized(image.path, self._size)[None], 3, axis=0)
        return PointSample(grey, np.array(points, np.float32))


def _resized(path: Path, size: int) -> npt.NDArray[np.uint8]:
    pixels = percentile_scale(np.asarray(Image.open(path).convert("F"), dtype=np.float32))
    rows, columns = pixels.shape
    resized = sample_box(pixels, (-0.5, -0.5, rows - 0.5, columns - 0.5), (size, size))
    return np.rint(resized * 255).astype(np.uint8)
