"""Whether T1 and T2 of one patient are named alike: single mid-sagittal slices of SPIDER's other patients.

Each contrast is read alone by the networks for levels, which are the same for both. Agreement is not truth:
both may be one level off.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ...domain.geometry import FloatArray
from ...domain.spine import Level
from ...domain.study import MRSlice, SeriesRole
from ...models.bundle import Bundle
from ...models.heatmap_unet import HeatmapUNet
from ...pipeline.progress import CancelToken
from ...pipeline.spine_search import look_for_spine
from ...preprocess.canonical import canonical_series
from ..metrics import bootstrap
from ..spider import sagittal_slice
from .schema import Figure, FigureMaker
from .spider_studies import study_of

#: Levels of the two contrasts are the same where they lie this near.
_SAME_MM = 10.0
#: Fields of view, rows and columns, outside which an image was stored with another size than its table says.
_USUAL_FIELD_MM = ((150.0, 420.0), (120.0, 420.0))
#: Pairs whose fields differ by more than this have no common frame.
_SAME_FIELD_MM = 5.0


@dataclass(frozen=True, eq=False)
class Pair:
    """The five disc centres in T1 and in T2, shape (5, 3) in mm; NaN where a disc was not found."""

    patient: str
    t1_lps_mm: FloatArray
    t2_lps_mm: FloatArray

    @property
    def is_complete(self) -> bool:
        """Whether all levels were found in both."""
        return not np.isnan(self.distances_mm).any()

    @property
    def agrees(self) -> bool:
        """Whether all five levels lie in the same places."""
        return bool((self.distances_mm <= _SAME_MM).all())

    @property
    def distances_mm(self) -> FloatArray:
        """From T1 to T2, shape (5,)."""
        return np.asarray(np.linalg.norm(self.t1_lps_mm - self.t2_lps_mm, axis=1))


def midsagittal_figures(
    bundle: Bundle,
    root: Path,
    trained_on: Collection[str],
    make: FigureMaker,
    say: Callable[[str], None] = lambda _: None,
) -> list[Figure]:
    """Agreement over all usable pairs of patients that no network was trained on.

    Parameters
    ----------
    root
        ``midsagittal`` of SPIDER.
    trained_on
        Numbers of patients to leave out.
    """
    networks, pairs = bundle.members("sagittal", HeatmapUNet), []
    for patient, (t1, t2) in usable_pairs(root, trained_on).items():
        pairs.append(Pair(patient, _discs(networks, t1), _discs(networks, t2)))
        if not pairs[-1].agrees:
            say(f"patient {patient}: T1 and T2 differ by {np.round(pairs[-1].distances_mm, 1)} mm")
    return pair_figures(pairs, make)


def pair_figures(pairs: list[Pair], make: FigureMaker) -> list[Figure]:
    """Figures of pairs; intervals draw patients."""
    complete = [pair for pair in pairs if pair.is_complete]
    distances = bootstrap(
        complete, lambda drawn: float(np.median(np.concatenate([p.distances_mm for p in drawn])))
    )
    return [
        make(
            "agreeing",
            "pairs of T1 and T2 with all five levels within 10 mm of each other",
            bootstrap(pairs, lambda drawn: float(np.mean([p.agrees for p in drawn]))),
            len(pairs),
        ),
        make(
            "complete",
            "pairs with all five levels found in both",
            bootstrap(pairs, lambda drawn: float(np.mean([p.is_complete for p in drawn]))),
            len(pairs),
        ),
        make(
            "agreeing_of_complete",
            "of the complete pairs, those that agree",
            bootstrap(complete, lambda drawn: float(np.mean([p.agrees for p in drawn]))),
            len(complete),
        ),
        make("distance_median", "levels of complete pairs, T1 to T2, median", distances, len(complete), "mm"),
    ]


def usable_pairs(root: Path, left_out: Collection[str]) -> dict[str, tuple[MRSlice, MRSlice]]:
    """T1 and T2 by patient, where both have a usual field of view and the same one."""
    spacings = _spacings_mm(root / "overview.csv")
    pairs = {}
    for path in sorted(root.glob("*_t1.png")):
        patient = path.stem.removesuffix("_t1")
        other = path.with_name(f"{patient}_t2.png")
        known = {path.stem, other.stem} <= set(spacings) and other.is_file()
        if known and patient not in left_out:
            t1, t2 = (_slice(image, spacings[image.stem]) for image in (path, other))
            if (
                _is_usual(t1)
                and _is_usual(t2)
                and np.abs(_field_mm(t1) - _field_mm(t2)).max() < _SAME_FIELD_MM
            ):
                pairs[patient] = (t1, t2)
    return pairs


def _spacings_mm(table: Path) -> Mapping[str, float]:
    """Pixel size by image; those without one are left out."""
    with table.open(newline="") as stream:
        rows = [(row["new_file_name"], row["PixelSpacing"].strip("[] ")) for row in csv.DictReader(stream)]
    return {name: float(spacing.split(",")[0]) for name, spacing in rows if spacing}


def _slice(path: Path, pixel_mm: float) -> MRSlice:
    pixels = np.asarray(Image.open(path).convert("L"), np.float32)
    return sagittal_slice(pixels, pixel_mm, 0.0, path.stem)


def _field_mm(image: MRSlice) -> FloatArray:
    return np.asarray(np.multiply(image.pixels.shape, image.geometry.row_spacing_mm), dtype=np.float64)


def _is_usual(image: MRSlice) -> bool:
    return all(
        low <= size <= high for size, (low, high) in zip(_field_mm(image), _USUAL_FIELD_MM, strict=True)
    )


def _has_field_of(image: MRSlice, other: MRSlice) -> bool:
    return bool(np.abs(_field_mm(image) - _field_mm(other)).max() < _SAME_FIELD_MM)


def _discs(networks: Sequence[HeatmapUNet], image: MRSlice) -> FloatArray:
    study = study_of(image.sop_instance_uid, [image], SeriesRole.SAGITTAL_T2)
    series = canonical_series(study.series[0])
    _, spine = look_for_spine(networks, series, torch.device("cpu"), CancelToken())
    missing = np.full(3, np.nan)
    return np.array([spine.levels[lv].disc_lps_mm if lv in spine.levels else missing for lv in Level])
