"""A table of points (``point_table``) from SPIDER's sagittal slices, as an example of one.

SPIDER is CC BY 4.0; see ``spider`` for its paper and the layout that is read here. Of each case the slices
that show the canal best are taken, each with the named disc centres that lie on it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..domain.errors import LumbarError
from ..domain.spine import Level
from . import spider
from .point_table import MarkedImage, write_points

TABLE = "points.csv"
#: Slices of a case that are taken, those with most canal first.
_SLICES = 3


def convert_spider(root: Path, out: Path) -> Path:
    """Write ``points.csv`` and its images into ``out``; return the table.

    Raises
    ------
    LumbarError
        If there is no case under ``root``.
    """
    cases = spider.cases(root)
    if not cases:
        raise LumbarError(f"no SPIDER slices under {root / 'images'}; see training/spider.py for the layout")
    (out / "images").mkdir(parents=True, exist_ok=True)
    images = [_written(root, path, case, out) for case in cases for path in _best_slices(root, case)]
    write_points(out / TABLE, [image for image in images if image.points_rc])
    return out / TABLE


def _best_slices(root: Path, case: str) -> list[Path]:
    paths = list(spider.slice_paths(root, case).values())
    canal = [int((spider.grey(root / "masks" / path.name) == spider.CANAL_VALUE).sum()) for path in paths]
    order = np.argsort(canal)[::-1][:_SLICES]
    return [paths[i] for i in sorted(order.tolist()) if canal[i] > 0]


def _written(root: Path, path: Path, case: str, out: Path) -> MarkedImage:
    grey = spider.grey(path)
    target = out / "images" / path.name
    Image.fromarray(grey).save(target)
    levels = {level.value: level for level in Level}
    points = {
        levels[row["level_assumed"]]: (
            (float(row["row"]) + 0.5) / grey.shape[0],
            (float(row["col"]) + 0.5) / grey.shape[1],
        )
        for row in spider.disc_table(root, case)
        if row["level_assumed"] in levels
    }
    return MarkedImage(target, points)
