"""A real thoraco-lumbar volume in which L5/S1 lies outside: it is not claimed."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from napari_lumbar.dicom import read_study
from napari_lumbar.domain.spine import Level
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.bundle import default_bundle_path
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.run import analyze

#: The volume's file: shape (x, y, z) toward the patient's right, front and head, at 1 mm (NIfTI, RAS).
FILE = "sct_t2_lumbar_thoracolumbar.nii.gz"


def volume(path: Path) -> np.ndarray:
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, "<i2", 3, 42)
    start = int(np.frombuffer(content, "<f4", 1, 108)[0])
    return np.frombuffer(content, "<i2", int(np.prod(shape)), start).reshape(shape, order="F")


def write_sagittal(pixels: np.ndarray, folder: Path, thickness: int) -> None:
    """Slices of ``thickness`` mm as a scanner writes them: the head above, the front at the left."""
    study, series = generate_uid(), generate_uid()
    for number in range(pixels.shape[0] // thickness):
        slab = pixels[number * thickness : (number + 1) * thickness].mean(axis=0)
        image = np.ascontiguousarray(slab.T[::-1, ::-1]).round().astype("<u2")
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
        dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = study, series, "MR"
        dataset.InstanceNumber, dataset.SeriesDescription = number + 1, "T2 sagittal"
        dataset.ImagePositionPatient = [-thickness * (number + 0.5), 0.0, 0.0]
        dataset.ImageOrientationPatient, dataset.PixelSpacing = [0, 1, 0, 0, 0, -1], [1.0, 1.0]
        dataset.SliceThickness, dataset.RepetitionTime, dataset.EchoTime = float(thickness), 3000.0, 100.0
        dataset.Rows, dataset.Columns = image.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
            16,
            16,
            15,
            0,
        )
        dataset.PixelData = image.tobytes()
        dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)


@pytest.mark.data
@pytest.mark.parametrize("thickness", [1, 4])
def test_a_real_field_that_ends_above_the_sacrum_has_four_levels(tmp_path: Path, thickness: int) -> None:
    default = Path(__file__).parents[2] / ".." / "shared" / "data"
    path = Path(os.environ.get("LUMBAR_DATA", default)) / "mr_dicom" / FILE
    if not path.is_file():
        pytest.skip("the development data are absent; LUMBAR_DATA names their folder")
    write_sagittal(volume(path), tmp_path, thickness)
    study = read_study(tmp_path)
    assert study.first(SeriesRole.SAGITTAL_T2) is not None
    analysis = analyze(study, load_system(default_bundle_path(), "cpu"))
    named = {landmark.key.level for landmark in analysis.landmarks.points.values()}
    assert Level.L5_S1 not in named
    assert len(named) == 4, "the other levels are found"
    assert any(
        "the sacrum, which levels are counted from, is not in view" in said for said in analysis.warnings
    )
