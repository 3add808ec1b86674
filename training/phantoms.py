"""Phantoms to train on, made once per run and kept on disk in a compact form."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..domain.landmarks import Landmarks
from ..domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from ..phantom import PhantomConfig, PhantomStudy, Tissue, make_phantom
from ..preprocess.channels import NAMED_DISCS, SAGITTAL_MM
from ..preprocess.intensity import percentile_scale
from ..preprocess.resample import resample_to_mm
from .samples import MASK_CANAL, MASK_DISC, MASK_VERTEBRA, SagittalSample

#: Networks see phantoms with every severity equally likely and tissues of random brightness.
TRAINING_CONFIG = PhantomConfig(balanced=True, randomize_appearance=True)

_MASKS = {
    MASK_VERTEBRA: (Tissue.VERTEBRA, Tissue.CORTEX),
    MASK_DISC: (Tissue.DISC_ANNULUS, Tissue.DISC_NUCLEUS),
    MASK_CANAL: (Tissue.CSF, Tissue.CORD, Tissue.ROOTS),
}
#: A disc is seen this far from its centre, a foramen this near to its middle (across, in mm).
_DISC_SEEN_MM = 19.0
_FORAMEN_SEEN_MM = 4.0


def make_phantoms(folder: Path, seeds: Sequence[int], jobs: int, say: Callable[[str], None] = print) -> None:
    """Make the phantoms that ``folder`` lacks, in ``jobs`` processes."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [seed for seed in seeds if not _path(folder, seed).exists()]
    with ProcessPoolExecutor(jobs) as pool:
        for done, _ in enumerate(pool.map(partial(_make, folder), wanted), start=1):
            if done % 20 == 0 or done == len(wanted):
                say(f"phantoms {done} of {len(wanted)}")


def load_phantoms(folder: Path, seeds: Sequence[int]) -> Iterator[PhantomStudy]:
    """Read phantoms back; pixels are 0..255 within each slice's 1-99 percentiles."""
    for seed in seeds:
        yield pickle.loads(_path(folder, seed).read_bytes())  # noqa: S301 - written by this very run


def _path(folder: Path, seed: int) -> Path:
    return folder / f"{seed:09d}.pickle"


def _make(folder: Path, seed: int) -> None:
    phantom = make_phantom(seed, TRAINING_CONFIG)
    compact = replace(
        phantom, study=replace(phantom.study, series=tuple(_compact(s) for s in phantom.study.series))
    )
    temporary = folder / f"{seed}.part"
    temporary.write_bytes(pickle.dumps(compact))
    os.replace(temporary, _path(folder, seed))  # noqa: PTH105


def _compact(series: MRSeries) -> MRSeries:
    """One byte per pixel: a quarter of the memory, and far finer than the noise."""
    return replace(
        series, stacks=tuple(SliceStack(tuple(_compact_slice(s) for s in k.slices)) for k in series.stacks)
    )


def _compact_slice(mr_slice: MRSlice) -> MRSlice:
    scaled = (percentile_scale(mr_slice.pixels) * 255).astype(np.uint8)
    return replace(mr_slice, pixels=scaled)  # type: ignore[arg-type]


def sagittal_samples(phantom: PhantomStudy) -> list[SagittalSample]:
    """Every sagittal slice of both contrasts with its truth, at 1.5 mm per pixel."""
    samples = []
    for role in (SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2):
        series = phantom.study.first(role)
        if series is not None:
            samples += [_sagittal_sample(phantom, series, index) for index in range(len(series.slices))]
    return samples


def _sagittal_sample(phantom: PhantomStudy, series: MRSeries, index: int) -> SagittalSample:
    mr_slice, tissue = series.slices[index], phantom.tissues[series.series_id][index]
    spacing = mr_slice.geometry.spacing_rc_mm
    counts = [int((n - 1) * s / SAGITTAL_MM) + 1 for n, s in zip(tissue.shape, spacing, strict=True)]
    rows, columns = (
        np.rint(np.arange(n) * SAGITTAL_MM / s).astype(int).clip(max=m - 1)
        for n, s, m in zip(counts, spacing, tissue.shape, strict=True)
    )
    labels = tissue[np.ix_(rows, columns)]
    mask = np.zeros(labels.shape, np.uint8)
    for value, tissues in _MASKS.items():
        mask[np.isin(labels, tissues)] = value
    return SagittalSample(
        image=_image(mr_slice),
        mask=mask,
        named_rc=_named_discs(phantom, mr_slice),
        other_discs_rc=np.zeros((0, 2), np.float32),
        foramina_rc=_foramina(phantom.landmarks, mr_slice),
    )


def _image(mr_slice: MRSlice) -> npt.NDArray[np.uint8]:
    pixels = mr_slice.pixels.astype(np.float32)
    return resample_to_mm(pixels, mr_slice.geometry.spacing_rc_mm, SAGITTAL_MM).astype(np.uint8)


def _pixel(mr_slice: MRSlice, point_lps_mm: Sequence[float]) -> tuple[float, float]:
    row, column = (
        mr_slice.geometry.pixel_from_lps(point_lps_mm) * mr_slice.geometry.spacing_rc_mm / SAGITTAL_MM
    )
    return float(row), float(column)


def _named_discs(phantom: PhantomStudy, mr_slice: MRSlice) -> dict[str, tuple[float, float]]:
    found = {}
    for name in NAMED_DISCS:
        centre = phantom.disc_centres_lps_mm[name]
        near = abs(float(mr_slice.geometry.signed_distance_mm(centre))) <= _DISC_SEEN_MM
        if near and mr_slice.geometry.contains(mr_slice.geometry.pixel_from_lps(centre)):
            found[name] = _pixel(mr_slice, centre)
    return found


def _foramina(landmarks: Landmarks, mr_slice: MRSlice) -> npt.NDArray[np.float32]:
    points = [
        _pixel(mr_slice, landmark.point_lps_mm)
        for landmark in landmarks
        if landmark.key.condition.value.endswith("Neural Foraminal Narrowing")
        and abs(float(mr_slice.geometry.signed_distance_mm(landmark.point_lps_mm))) <= _FORAMEN_SEEN_MM
    ]
    return np.array(points, np.float32).reshape(-1, 2)
