"""A small study whose every pixel's place is known, as DICOM data sets that can be altered."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread

from napari_lumbar.domain.geometry import FloatArray, SliceGeometry
from napari_lumbar.domain.study import MRSeries, MRSlice, PixelArray, SeriesRole, SliceStack, Study
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom, write_study

CONFIG = PhantomConfig(sagittal_matrices=(448,), axial_matrices=(160,), voxel_mm=1.6, transitional="none")
#: The lowest axial stacks are kept, so many slices of each; of a sagittal series every so many slices.
_STACKS, _PER_STACK, _EVERY = 3, 3, 2
_NAMES = {
    SeriesRole.SAGITTAL_T1: ("t1_tse_sag", 10, 600),
    SeriesRole.SAGITTAL_T2: ("t2_tse_sag", 100, 3500),
    SeriesRole.AXIAL_T2: ("t2_tse_tra", 100, 3500),
}


@dataclass(frozen=True, eq=False)
class TrueSlice:
    """Where a slice lies, what it shows, and pixels whose place is checked, shape (n, 2)."""

    geometry: SliceGeometry
    pixels: PixelArray
    series: str
    known_rc: FloatArray


@dataclass(frozen=True, eq=False)
class KnownStudy:
    """The files of a study in ``folder`` by name, and the truth of each slice by SOPInstanceUID."""

    folder: Path
    files: Mapping[str, Dataset]
    truth: Mapping[str, TrueSlice]

    def series(self, key: str) -> list[str]:
        """Names of a series' files; ``key`` is ``t1``, ``t2`` or ``axial``."""
        return [name for name in self.files if name.startswith(f"{key}/")]


@dataclass(eq=False)
class Draft:
    """Changes to a known study: altered or added files, removed ones, and the truth of slices renamed."""

    study: KnownStudy
    changed: dict[str, Dataset] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    def edit(self, name: str) -> Dataset:
        """A file's data set, to be altered."""
        if name not in self.changed:
            self.changed[name] = copy.deepcopy(self.study.files[name])
        return self.changed[name]

    def add(self, name: str, dataset: Dataset, of: str) -> None:
        """Add a file that shows what slice ``of`` shows."""
        self.changed[name] = dataset
        self.renamed[str(dataset.SOPInstanceUID)] = of

    def truth(self, sop_instance_uid: str) -> TrueSlice:
        """What a slice that was read should be."""
        return self.study.truth[self.renamed.get(sop_instance_uid, sop_instance_uid)]

    def write(self, folder: Path) -> None:
        """Write the study; files that nobody altered are linked, not copied."""
        for name in self.study.files.keys() - self.changed.keys() - self.removed:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.study.folder / name, path)
        for name, dataset in self.changed.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            dataset.save_as(path, enforce_file_format=False)


def known_study(seed: int, folder: Path) -> KnownStudy:
    """Make the study of a seed with images and pixels that are not square, and write it to ``folder``."""
    phantom = _small(make_phantom(seed, CONFIG))
    raw = folder.with_name(f"{folder.name}_raw")
    write_study(phantom, raw)
    files: dict[str, Dataset] = {}
    truth: dict[str, TrueSlice] = {}
    for key, series in zip(("t1", "t2", "axial"), phantom.study.series, strict=True):
        for index, mr_slice in enumerate(series.slices):
            name = f"{key}/{index}.dcm"
            files[name] = _complete(
                dcmread(raw / series.series_id / f"{mr_slice.instance_number}.dcm"), series
            )
            (folder / key).mkdir(parents=True, exist_ok=True)
            files[name].save_as(folder / name)
            known = _known_pixels(phantom, mr_slice)
            truth[mr_slice.sop_instance_uid] = TrueSlice(mr_slice.geometry, mr_slice.pixels, key, known)
    return KnownStudy(folder, files, truth)


def _known_pixels(phantom: PhantomStudy, mr_slice: MRSlice) -> FloatArray:
    """The landmarks on a slice, its corners and its centre."""
    g = mr_slice.geometry
    marks = [
        g.pixel_from_lps(mark.point_lps_mm)
        for mark in phantom.landmarks.points.values()
        if abs(g.signed_distance_mm(mark.point_lps_mm)) < 1e-3
    ]
    last = g.rows - 1, g.columns - 1
    return np.array([(0, 0), (0, last[1]), (last[0], 0), last, (last[0] / 2, last[1] / 2), *marks])


def _small(phantom: PhantomStudy) -> PhantomStudy:
    """The phantom with images that are not square, and few slices, since many cases are made of it."""
    series = tuple(_fewer(one) for one in phantom.study.series)
    return replace(phantom, study=Study(phantom.study.study_id, phantom.study.study_uid, series))


def _fewer(series: MRSeries) -> MRSeries:
    stacks = [stack.slices for stack in series.stacks]
    if series.role is SeriesRole.AXIAL_T2:
        count = _PER_STACK if len(stacks) > 1 else _PER_STACK * _STACKS
        firsts = [(len(slices) - count) // 2 for slices in stacks]
        kept = [slices[i : i + count] for i, slices in zip(firsts, stacks, strict=True)][-_STACKS:]
    else:
        kept = [slices[::_EVERY] for slices in stacks]
    thinned = tuple(SliceStack(tuple(_thinned(s, series.role) for s in slices)) for slices in kept)
    return replace(series, stacks=thinned)


def _thinned(mr_slice: MRSlice, role: SeriesRole | None) -> MRSlice:
    """Every other row of an axial image, every other column of a sagittal one."""
    axial = role is SeriesRole.AXIAL_T2
    g = mr_slice.geometry
    pixels = np.ascontiguousarray(mr_slice.pixels[::2] if axial else mr_slice.pixels[:, ::2])
    rows, columns = pixels.shape
    thinned = replace(
        g,
        rows=rows,
        columns=columns,
        row_spacing_mm=g.row_spacing_mm * (2 if axial else 1),
        column_spacing_mm=g.column_spacing_mm * (1 if axial else 2),
    )
    return replace(mr_slice, geometry=thinned, pixels=pixels)


def _complete(dataset: Dataset, series: MRSeries) -> Dataset:
    """Add what RSNA's files lack and a scanner's have."""
    assert series.role is not None
    name, echo, repetition = _NAMES[series.role]
    dataset.Modality, dataset.BodyPartExamined = "MR", "LSPINE"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SeriesDescription, dataset.EchoTime, dataset.RepetitionTime = name, echo, repetition
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.SpacingBetweenSlices = f"{max(stack.step_mm for stack in series.stacks):.6g}"
    return dataset
