"""Real sagittal T2 slices with masks: SPIDER, CC BY 4.0.

J. W. van der Graaf et al., "Lumbar spine segmentation in MR images: a dataset and a public benchmark",
Scientific Data 11, 264 (2024). Layout read here: ``images/{case}_slice{n}.png``, ``masks/`` with the same
names (76 vertebra, 29 disc, 150 canal), ``discs.csv`` with named disc centres.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ..domain.geometry import SliceGeometry
from ..domain.study import MRSlice
from ..preprocess.channels import NAMED_DISCS, SAGITTAL_MM
from ..preprocess.intensity import percentile_scale
from ..preprocess.resample import resample_to_mm
from .samples import MASK_CANAL, MASK_DISC, MASK_VERTEBRA, SagittalSample, SagittalStack

#: Distance of neighbouring slices.
SLICE_STEP_MM = 0.9
#: SPIDER's value of the canal in its masks.
CANAL_VALUE = 150
_MASK_VALUES = {76: MASK_VERTEBRA, 29: MASK_DISC, CANAL_VALUE: MASK_CANAL}
#: Stray canal pixels lie on disc and vertebra borders; real canal components are larger than this.
_SMALLEST_CANAL_MM2 = 150.0
_SMALLEST_DISC_MM2 = 60.0
_DISC_MATCH_MM = 15.0
#: Neighbours for thin and for averaged slices, and how many are averaged.
_NEIGHBOUR_STEPS = (4, 5)
_THICK_SLICES = 4

Centres = dict[str, tuple[float, float]]


def cases(root: Path) -> list[str]:
    """Names of the cases under ``root`` in order; empty where the data are absent."""
    return sorted({p.name.rsplit("_slice", 1)[0] for p in (root / "images").glob("*_slice*.png")})


def load_case(root: Path, case: str) -> list[SagittalSample]:
    """All slices of a case at 1.5 mm per pixel: as thin as they are, and averaged to a clinical thickness."""
    centres, pixel_mm = _centres_mm(root, case)
    read = [_read_slice(root, path, pixel_mm) for path in slice_paths(root, case).values()]
    thin = np.stack([image for image, _ in read])
    masks = np.stack([mask for _, mask in read])
    named, others = zip(*(_truth(mask, centres) for mask in masks), strict=True)
    unknown = [None] * len(masks)
    return [
        sample
        for images, step in zip((thin, _thick(thin)), _NEIGHBOUR_STEPS, strict=True)
        for sample in SagittalStack(images, masks, named, others, unknown).samples(step)
    ]


def _thick(stack: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    mean = ndimage.uniform_filter1d(stack.astype(np.float32), _THICK_SLICES, axis=0, mode="nearest")
    return np.rint(mean).astype(np.uint8)


def slice_paths(root: Path, case: str) -> dict[int, Path]:
    """The images of a case by SPIDER's number of the slice, in its order."""
    found = {int(re.findall(r"slice(\d+)", p.stem)[-1]): p for p in root.glob(f"images/{case}_slice*.png")}
    return dict(sorted(found.items()))


def grey(path: Path) -> npt.NDArray[np.uint8]:
    """An image or a mask; some are stored in colour."""
    return np.asarray(Image.open(path).convert("L"))


def sagittal_slice(pixels: npt.NDArray[np.float32], pixel_mm: float, across_mm: float, name: str) -> MRSlice:
    """A sagittal slice of square pixels, its centre on the patient's long axis."""
    rows, columns = pixels.shape
    corner = (across_mm, -columns * pixel_mm / 2, rows * pixel_mm / 2)
    axes = (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)
    return MRSlice(SliceGeometry(corner, *axes, pixel_mm, pixel_mm, rows, columns), pixels, name, 1)


def disc_table(root: Path, case: str) -> list[dict[str, str]]:
    """The rows of ``discs.csv`` of one case."""
    with (root / "discs.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["case"] == case]


def _centres_mm(root: Path, case: str) -> tuple[Centres, float]:
    """Named centres as (row, column) in mm from pixel (0, 0), and the pixel size."""
    rows = disc_table(root, case)
    pixel_mm = float(rows[0]["pixel_mm"])
    return {
        r["level_assumed"]: (float(r["row"]) * pixel_mm, float(r["col"]) * pixel_mm) for r in rows
    }, pixel_mm


def _read_slice(
    root: Path, path: Path, pixel_mm: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Image and mask at 1.5 mm per pixel."""
    image = percentile_scale(grey(path).astype(np.float32))
    raw = grey(root / "masks" / path.name)
    small = resample_to_mm(image, np.array([pixel_mm, pixel_mm]), SAGITTAL_MM)
    mask = clean_mask(raw, pixel_mm)
    return (small * 255).astype(np.uint8), _resample_labels(mask, pixel_mm, small.shape)


def _truth(
    mask: npt.NDArray[np.uint8], centres: Centres
) -> tuple[dict[str, tuple[float, float]], npt.NDArray[np.float32]]:
    return _name_discs(_disc_centres_in_slice(mask == MASK_DISC, SAGITTAL_MM), centres)


def clean_mask(raw: npt.NDArray[np.uint8], pixel_mm: float) -> npt.NDArray[np.uint8]:
    """Masks of SPIDER's values as ours, without stray pixels."""
    mask = np.zeros(raw.shape, np.uint8)
    for value, label in _MASK_VALUES.items():
        part = raw == value
        if label == MASK_CANAL:
            part = ndimage.binary_opening(part, iterations=1)
            part = _drop_small(part, _SMALLEST_CANAL_MM2 / pixel_mm**2)
        mask[part] = label
    return mask


def _drop_small(part: npt.NDArray[np.bool_], smallest_px: float) -> npt.NDArray[np.bool_]:
    labels, count = ndimage.label(part)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes >= smallest_px
    keep[0] = False
    return np.asarray(keep[labels], dtype=np.bool_)


def _disc_centres_in_slice(discs: npt.NDArray[np.bool_], pixel_mm: float) -> npt.NDArray[np.float64]:
    labels, count = ndimage.label(_drop_small(discs, _SMALLEST_DISC_MM2 / pixel_mm**2))
    if count == 0:
        return np.zeros((0, 2))
    return np.array(ndimage.center_of_mass(labels > 0, labels, range(1, count + 1))) * pixel_mm


def _name_discs(
    discs_mm: npt.NDArray[np.float64], centres: Centres
) -> tuple[dict[str, tuple[float, float]], npt.NDArray[np.float32]]:
    """Give each disc of the slice the name of the 3-D centre it lies at; pixels of 1.5 mm."""
    named: dict[str, tuple[float, float]] = {}
    other = []
    for disc in discs_mm:
        name, distance = min(
            ((n, float(np.hypot(*(disc - c)))) for n, c in centres.items()), key=lambda pair: pair[1]
        )
        if distance < _DISC_MATCH_MM and name in NAMED_DISCS:
            named[name] = (disc[0] / SAGITTAL_MM, disc[1] / SAGITTAL_MM)
        else:
            other.append(disc / SAGITTAL_MM)
    return named, np.array(other, np.float32).reshape(-1, 2)


def _resample_labels(
    mask: npt.NDArray[np.uint8], pixel_mm: float, shape: tuple[int, ...]
) -> npt.NDArray[np.uint8]:
    rows, columns = (np.rint(np.arange(n) * SAGITTAL_MM / pixel_mm).astype(int) for n in shape)
    rows, columns = rows.clip(max=mask.shape[0] - 1), columns.clip(max=mask.shape[1] - 1)
    return mask[np.ix_(rows, columns)]
