"""Write small DICOM series from known geometry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, RLELossless, generate_uid

from napari_lumbar.domain.geometry import SliceGeometry, vector3

from .catalogue import GOOD, Lab

Write = Callable[..., Path]
MakeBlock = Callable[..., list[SliceGeometry]]
ROWS, COLUMNS = 20, 14
AXES = {
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
}


@pytest.fixture
def block() -> MakeBlock:
    """Parallel slices: ``block("axial", n, centre=..., tilt_deg=..., step_mm=...)``, along the normal."""

    def make(
        plane: str,
        count: int,
        centre: Sequence[float] = (0, 0, 0),
        tilt_deg: float = 0.0,
        step_mm: float = 4.0,
        spacing_mm: tuple[float, float] = (0.8, 0.5),
        size: tuple[int, int] = (ROWS, COLUMNS),
    ) -> list[SliceGeometry]:
        angle = np.radians(tilt_deg)
        about_x = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
        row, column = (about_x @ np.array(axis, dtype=float) for axis in AXES[plane])
        normal = np.cross(row, column)
        half = column * spacing_mm[0] * (size[0] - 1) / 2 + row * spacing_mm[1] * (size[1] - 1) / 2
        centres = [np.array(centre) + normal * step_mm * (i - (count - 1) / 2) for i in range(count)]
        return [
            SliceGeometry(vector3(c - half), vector3(row), vector3(column), *spacing_mm, *size)
            for c in centres
        ]

    return make


@pytest.fixture
def write() -> Write:
    """``write(path, geometry, pixels=None, drop=(), compress=False, label=None, **attributes)``: one file.

    ``label`` is the transfer syntax that the file claims, whatever the pixels are encoded as.
    """

    def one(
        path: Path,
        geometry: SliceGeometry,
        pixels: np.ndarray | None = None,
        drop: Sequence[str] = (),
        compress: bool = False,
        label: str | None = None,
        **attributes: Any,
    ) -> Path:
        dataset = _dataset(geometry, _ramp(geometry) if pixels is None else pixels, attributes)
        for keyword in drop:
            delattr(dataset, keyword)
        if compress:
            dataset.compress(RLELossless, generate_instance_uid=False)
        if label:
            dataset.file_meta.TransferSyntaxUID = UID(label)
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return one


@pytest.fixture
def lab(tmp_path: Path, block: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name, geometry in zip(GOOD, block("sagittal", 5), strict=True):
        write(tmp_path / name, geometry)
    return Lab(tmp_path, block, write, monkeypatch)


def _ramp(geometry: SliceGeometry) -> np.ndarray:
    return np.arange(geometry.rows * geometry.columns, dtype=np.uint16).reshape(
        geometry.rows, geometry.columns
    )


def _dataset(geometry: SliceGeometry, pixels: np.ndarray, attributes: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = (
        "1.2.3",
        "1.2.3.4",
        "1.2.9",
    )
    dataset.PatientName, dataset.PatientID = "Secret^Person", "ID-4711"
    dataset.InstanceNumber = 1
    dataset.Rows, dataset.Columns = geometry.rows, geometry.columns
    dataset.ImagePositionPatient = [f"{v:.9g}" for v in geometry.position_lps_mm]
    dataset.ImageOrientationPatient = [f"{v:.9g}" for v in (*geometry.along_row, *geometry.along_column)]
    dataset.PixelSpacing = [geometry.row_spacing_mm, geometry.column_spacing_mm]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset
