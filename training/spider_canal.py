"""Canals of real patients: how wide SPIDER's masks say they are, and slices to learn that from.

SPIDER (see ``spider``) holds no grades. The antero-posterior width of the canal at a disc is measured on its
masks and turned into probabilities of the three severities, so that about the share of levels falls into
each that does in the RSNA 2024 tables: of 139 levels, 15 % measure below 8.4 mm and 5 % below 6.8 mm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import ndtr

from ..domain.geometry import FloatArray, vector3
from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import Condition, FindingKey, Level
from ..domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from ..preprocess.intensity import percentile_scale
from .samples import MASK_CANAL
from .spider import SLICE_STEP_MM, clean_mask, disc_table, grey, sagittal_slice, slice_paths
from .tasks.grading import GradedStudy

#: Moderate begins below the first width and severe below the second; the measure and a reader differ by this.
_MODERATE_MM, _SEVERE_MM, _SD_GRADES = 8.4, 6.8, 0.6
#: Rays along the spine, and how far behind the disc centre the canal is looked for.
_RAYS_MM = (-2.0, -1.0, 0.0, 1.0, 2.0)
_DEPTHS_MM = np.arange(6.0, 50.0, 0.25)
#: Slices on either side of the disc's middle that are measured.
_MEASURED = 3
#: Distances of the slices of a clinical stack, in slices of SPIDER, and how many of those it averages.
_STACK_STEPS = (4, 5)
_THICK_SLICES = 4


@dataclass(frozen=True)
class CanalWidth:
    """Antero-posterior width of a canal, and its middle as (row, column, slice) of the case's images."""

    width_mm: float
    middle_rcs: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class _Case:
    images: npt.NDArray[np.float32]
    canal: npt.NDArray[np.bool_]
    first_slice: int
    pixel_mm: float


def canal_widths(root: Path, case: str) -> dict[Level, CanalWidth]:
    """Measure the canal at every lumbar disc of a case that is in its table."""
    return _widths(_read(root, case), disc_table(root, case))


def severity_of_width(width_mm: float) -> npt.NDArray[np.float32]:
    """Probability of each severity, shape (3,)."""
    narrowness = (_MODERATE_MM - width_mm) / (_MODERATE_MM - _SEVERE_MM)
    above = ndtr(np.array([narrowness, narrowness - 1]) / _SD_GRADES)
    return np.array([1 - above[0], above[0] - above[1], above[1]], np.float32)


def graded_canals(root: Path, case: str) -> list[GradedStudy]:
    """The case as stacks of clinical thickness with a canal landmark per level."""
    read = _read(root, case)
    widths = _widths(read, disc_table(root, case))
    return [_study(read, widths, step) for step in _STACK_STEPS] if widths else []


def _read(root: Path, case: str) -> _Case:
    paths = slice_paths(root, case)
    pixel_mm = float(disc_table(root, case)[0]["pixel_mm"])
    images = [grey(path).astype(np.float32) for path in paths.values()]
    masks = [grey(root / "masks" / path.name) for path in paths.values()]
    return _Case(
        np.stack([percentile_scale(image) for image in images]),
        np.stack([clean_mask(mask, pixel_mm) == MASK_CANAL for mask in masks]),
        min(paths),
        pixel_mm,
    )


def _widths(case: _Case, table: list[dict[str, str]]) -> dict[Level, CanalWidth]:
    centres = np.array([[float(r["row"]), float(r["col"])] for r in table])
    order = np.argsort(centres[:, 0])
    found = {}
    for rank, index in enumerate(order):
        name = table[index]["level_assumed"]
        if name in {level.value for level in Level}:
            above, below = order[max(rank - 1, 0)], order[min(rank + 1, len(order) - 1)]
            caudal = centres[below] - centres[above]
            middle = round(float(table[index]["slice"])) - case.first_slice
            middle = min(max(middle, 0), len(case.canal) - 1)
            width = _measure(case, centres[index], caudal / np.linalg.norm(caudal), middle)
            if width is not None:
                found[Level(name)] = width
    return found


def _measure(case: _Case, centre_rc: FloatArray, caudal_rc: FloatArray, middle: int) -> CanalWidth | None:
    posterior = np.array([-caudal_rc[1], caudal_rc[0]])
    slices = range(max(0, middle - _MEASURED), min(len(case.canal), middle + _MEASURED + 1))
    runs = [
        run
        for index in slices
        for ray in _RAYS_MM
        if (
            run := _run(
                case.canal[index], centre_rc + ray / case.pixel_mm * caudal_rc, posterior, case.pixel_mm
            )
        )
    ]
    if len(runs) < len(_RAYS_MM):
        return None
    first, last = np.median(np.array(runs), axis=0)
    row, column = centre_rc + (first + last) / 2 / case.pixel_mm * posterior
    return CanalWidth(float(last - first), (float(row), float(column), float(middle)))


def _run(
    canal: npt.NDArray[np.bool_], start_rc: FloatArray, posterior_rc: FloatArray, pixel_mm: float
) -> tuple[float, float] | None:
    """Where a ray enters and leaves the canal, mm behind its start; the longest stretch."""
    points = start_rc[:, None] + posterior_rc[:, None] * _DEPTHS_MM / pixel_mm
    inside = ndimage.map_coordinates(canal.astype(np.float32), points, order=1) > 0.5
    labels, count = ndimage.label(inside)
    if count == 0:
        return None
    stretch = _DEPTHS_MM[labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))]
    return float(stretch[0]), float(stretch[-1])


def _study(case: _Case, widths: Mapping[Level, CanalWidth], step: int) -> GradedStudy:
    thick = ndimage.uniform_filter1d(case.images, _THICK_SLICES, axis=0, mode="nearest")
    middle = round(float(np.median([w.middle_rcs[2] for w in widths.values()])))
    indices = list(range(middle % step, len(thick), step))
    slices = tuple(_slice(thick[i], i, case.pixel_mm) for i in indices)
    series = MRSeries(
        "spider", "spider", (SliceStack(slices),), SeriesRole.SAGITTAL_T2, "real", "T2", "spider"
    )
    place = indices.index(middle)
    points = {}
    for level, width in widths.items():
        key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
        point = slices[place].geometry.lps_from_pixel(width.middle_rcs[:2])
        points[key] = Landmark(key, vector3(point), "spider", place, width.middle_rcs[:2], None)
    severity = {key: severity_of_width(widths[key.level].width_mm) for key in points}
    return GradedStudy({"spider": series}, Landmarks(points), severity)


def _slice(image: npt.NDArray[np.float32], index: int, pixel_mm: float) -> MRSlice:
    pixels = np.rint(image * 255).astype(np.float32)
    return sagittal_slice(pixels, pixel_mm, index * SLICE_STEP_MM, f"spider.{index}")
