"""One image in every transfer syntax of MR gives the same pixels, or says which decoder is missing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from napari_lumbar.dicom import read_study
from napari_lumbar.dicom.codes import Exclusion
from napari_lumbar.dicom.complaint import Complaint
from napari_lumbar.dicom.decoder_process import DecoderProcess
from napari_lumbar.dicom.opening import open_header, open_whole
from napari_lumbar.dicom.pixels import SlicePixels, WantedSlice, read_pixels
from napari_lumbar.dicom.syntaxes import find_decoder
from napari_lumbar.domain.geometry import SliceGeometry

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def encoded(path: Path, syntax: UID) -> None:
    dataset = dcmread(path)
    if syntax in COMPRESSED:
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path, enforce_file_format=True)
        return
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = dataset.pixel_array.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    dcmwrite(path, dataset, implicit_vr=implicit, little_endian=little, force_encoding=True)


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda syntax: syntax.keyword)
def test_every_syntax_gives_the_same_pixels(
    tmp_path: Path, block: Callable[..., list[SliceGeometry]], write: Callable[..., Path], syntax: UID
) -> None:
    (geometry,) = block("axial", 1, size=(64, 96))
    pixels = np.random.default_rng(1).integers(0, 4096, (64, 96)).astype(np.uint16)
    encoded(write(tmp_path / "a", geometry, pixels), syntax)
    (series,) = read_study(tmp_path).series
    np.testing.assert_array_equal(series.slices[0].pixels, pixels)


def test_the_decoder_process_gives_what_decoding_here_gives(
    tmp_path: Path, block: Callable[..., list[SliceGeometry]], write: Callable[..., Path]
) -> None:
    (geometry,) = block("axial", 1, size=(64, 96))
    pixels = np.random.default_rng(2).integers(-2048, 2048, (64, 96)).astype(np.int16)
    rescaled = {"BitsStored": 16, "HighBit": 15, "RescaleSlope": "0.37", "RescaleIntercept": "-3.3"}
    wanted = [WantedSlice("1.9", None, 64, 96, compressed=True)]
    with DecoderProcess(lambda: None) as decoder:
        for syntax in COMPRESSED:
            path = tmp_path / syntax.keyword
            encoded(write(path, geometry, pixels, SOPInstanceUID="1.9", **rescaled), syntax)
            (here,), (there,) = read_pixels(path, wanted), decoder.read(path, wanted)
            assert isinstance(here, SlicePixels)
            assert isinstance(there, SlicePixels)
            assert here.signal.dtype == there.signal.dtype == np.float32
            np.testing.assert_array_equal(here.signal, there.signal)
            assert here.oddities == there.oddities


@pytest.mark.data
def test_a_real_image_in_seven_syntaxes_gives_the_same_pixels() -> None:
    default = Path(__file__).parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("LUMBAR_DATA", default)) / "mr_dicom" / "dcm_qa_ts"
    if not folder.is_dir():
        pytest.skip("the development data are absent; LUMBAR_DATA names their folder")
    decoded = {}
    for path in sorted(folder.iterdir()):
        opened = open_header(path)
        assert not isinstance(opened, Complaint)
        assert opened.pixels is not None
        decoder = find_decoder(opened.dataset)
        if isinstance(decoder, Complaint):
            assert decoder.why is Exclusion.NO_DECODER
            assert "JPEG Lossless" in decoder.detail, "the other decoders come with the package"
        else:
            decoded[path.name] = decoder.as_array(open_whole(path), index=0)[0]
    assert len(decoded) >= 7
    for pixels in decoded.values():
        np.testing.assert_array_equal(pixels, decoded["1.dcm"])
