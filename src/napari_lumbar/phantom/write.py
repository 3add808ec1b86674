"""Phantoms as DICOM in the layout of the RSNA 2024 files, with their three tables.

Like RSNA's, the files carry no Modality, no SeriesDescription, no TR or TE, and short UIDs.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, RLELossless
from threadpoolctl import threadpool_limits

from ..domain.rsna import COORDINATE_COLUMNS, GRADE_COLUMNS, SERIES_COLUMNS, TRAIN_COLUMNS
from ..domain.spine import ALL_FINDINGS
from ..domain.study import MRSeries, MRSlice
from .config import PhantomConfig
from .make import PhantomStudy, make_phantom

TABLES: Final = {
    "train.csv": TRAIN_COLUMNS,
    "train_label_coordinates.csv": COORDINATE_COLUMNS,
    "train_series_descriptions.csv": SERIES_COLUMNS,
}

#: A study's folder and its rows of each of ``TABLES``.
_Written: TypeAlias = tuple[Path, tuple[list[tuple[object, ...]], ...]]


def write_cohort(
    out: Path,
    studies: int,
    seed: int,
    config: PhantomConfig | None = None,
    *,
    rle: bool = False,
    jobs: int = 1,
) -> list[Path]:
    """Make phantoms from consecutive seeds and write them with their tables.

    Parameters
    ----------
    out
        Folder for ``train_images`` and the three tables.
    studies, seed
        How many; seeds are ``seed`` .. ``seed + studies - 1``.
    config, rle
        See ``make_phantom`` and ``write_rsna``.
    jobs
        Processes that make them.

    Returns
    -------
    list of Path
        The study folders. The same arguments always give the same bytes, whatever ``jobs`` is.

    Raises
    ------
    ValueError
        If ``studies`` is below 1.
    """
    if studies < 1:
        raise ValueError(f"studies {studies} must be at least 1")
    seeds = range(seed, seed + studies)
    if jobs == 1:
        return _write_all((_made(out, rle, config, one) for one in seeds), out)
    one_thread = partial(threadpool_limits, 1)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        return _write_all(pool.map(partial(_made, out, rle, config), seeds), out)


def write_rsna(phantoms: Iterable[PhantomStudy], out: Path, *, rle: bool = False) -> list[Path]:
    """Write studies under ``out/train_images`` and the tables beside it.

    A study's folder appears only when it is whole; the tables appear last.

    Parameters
    ----------
    phantoms
        Taken one at a time, so that a generator needs memory for one study only.
    out
        Made if absent. Tables already there are replaced.
    rle
        Compress the pixels as RLE Lossless, as RSNA's files are.
    """
    return _write_all((_written(phantom, out, rle) for phantom in phantoms), out)


def _made(out: Path, rle: bool, config: PhantomConfig | None, seed: int) -> _Written:
    return _written(make_phantom(seed, config), out, rle)


def _written(phantom: PhantomStudy, out: Path, rle: bool) -> _Written:
    folder = out / "train_images" / phantom.study.study_id
    write_study(phantom, folder, rle=rle)
    return folder, tuple(list(rows) for rows in _table_rows(phantom))


def _write_all(written: Iterable[_Written], out: Path) -> list[Path]:
    """Write the tables of studies that are written, in their order."""
    folders: list[Path] = []
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in TABLES}
    for folder, study_rows in written:
        folders.append(folder)
        for name, new_rows in zip(TABLES, study_rows, strict=True):
            rows[name].extend(new_rows)
    for name, header in TABLES.items():
        _write_table(out / name, header, rows[name])
    return folders


def write_study(phantom: PhantomStudy, folder: Path, *, rle: bool = False) -> None:
    """Write one study as ``folder/{series_id}/{instance_number}.dcm``, replacing the folder.

    The files are written beside the folder and moved there at the end, so that an interrupted run
    leaves no study that only looks whole.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for series in phantom.study.series:
        (partial / series.series_id).mkdir(parents=True)
        for mr_slice in series.slices:
            dataset = _dataset(phantom, series, mr_slice, rle)
            path = partial / series.series_id / f"{mr_slice.instance_number}.dcm"
            dataset.save_as(path, enforce_file_format=True)
    if folder.exists():
        shutil.rmtree(folder)
    partial.replace(folder)


def _dataset(phantom: PhantomStudy, series: MRSeries, mr_slice: MRSlice, rle: bool) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(mr_slice.sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPInstanceUID = mr_slice.sop_instance_uid
    dataset.PatientID = phantom.study.study_id
    dataset.StudyInstanceUID = phantom.study.study_uid
    dataset.SeriesInstanceUID = series.series_uid
    dataset.FrameOfReferenceUID = series.frame_of_reference_uid
    dataset.InstanceNumber = mr_slice.instance_number
    dataset.PatientPosition = "HFS"
    _put_geometry(dataset, mr_slice, phantom.thickness_mm[series.series_id])
    _put_pixels(dataset, mr_slice)
    if rle:
        dataset.compress(RLELossless, generate_instance_uid=False)
    return dataset


def _put_geometry(dataset: FileDataset, mr_slice: MRSlice, thickness_mm: float) -> None:
    geometry = mr_slice.geometry
    dataset.SliceThickness = _decimal(thickness_mm)
    dataset.ImagePositionPatient = [_decimal(v) for v in geometry.position_lps_mm]
    dataset.ImageOrientationPatient = [_decimal(v) for v in (*geometry.along_row, *geometry.along_column)]
    dataset.PixelSpacing = [_decimal(geometry.row_spacing_mm), _decimal(geometry.column_spacing_mm)]


def _put_pixels(dataset: FileDataset, mr_slice: MRSlice) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = mr_slice.pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = mr_slice.pixels.astype(np.uint16).tobytes()
    dataset["PixelData"].VR = "OW"


def _decimal(value: float) -> str:
    """A number as DICOM's decimal string, at most 16 characters."""
    return f"{value:.9g}"


def _table_rows(phantom: PhantomStudy) -> tuple[Iterator[tuple[object, ...]], ...]:
    """Rows for ``TABLES``, in their order."""
    study_id = phantom.study.study_id
    by_column = {key.column: severity.label for key, severity in phantom.severities.items()}
    grades = (study_id, *(by_column[column] for column in GRADE_COLUMNS))
    roles = ((study_id, s.series_id, s.role.value if s.role else "") for s in phantom.study.series)
    return iter([grades]), _coordinate_rows(phantom), roles


def _coordinate_rows(phantom: PhantomStudy) -> Iterator[tuple[object, ...]]:
    for key in ALL_FINDINGS:
        mark = phantom.landmarks.get(key)
        if mark is None:
            continue  # outside the field of view: RSNA's table has no row either
        number = phantom.study.by_id(mark.series_id).slices[mark.slice_index].instance_number
        row, column = mark.pixel_rc
        place = (phantom.study.study_id, mark.series_id, number)
        yield *place, key.condition.value, key.level.value, column, row


def _write_table(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    partial.replace(path)
