"""Small MR images in many transfer syntaxes, and seeded ways of damaging them. Bytes in, bytes out."""

from __future__ import annotations

import random
import re
import struct
import tempfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import gdcm
import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
)

SIZE = 32
#: Numbers as text that readers have stumbled over; the last is a digit of another script.
_TOKENS = (b"nan", b"inf", b"-1", b"0", b"1e308", b"1e400", b"-1e-320", b"\\", b"9" * 12, "٣".encode())
#: Lengths and sizes that readers have believed.
_SIZES = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_NUMBER = re.compile(rb"[-0-9.\\]{1,24}")

Mutation = Callable[[random.Random, bytearray, int], None]


def seeds() -> dict[str, bytes]:
    """Return a good image in every syntax, and an enhanced one, by name."""
    plain = _image()
    made = {
        str(syntax.keyword): _native(plain, syntax)
        for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian)
    }
    made["ExplicitVRLittleEndian"] = explicit = _native(plain, ExplicitVRLittleEndian)
    made["DeflatedExplicitVRLittleEndian"] = _native(plain, DeflatedExplicitVRLittleEndian)
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        compressed = dcmread(BytesIO(explicit))
        compressed.compress(syntax, generate_instance_uid=False)
        made[syntax.keyword] = _written(compressed)
    made["JPEGLosslessSV1"] = _jpeg_lossless(explicit)
    made["Enhanced"] = _native(_enhanced(), ExplicitVRLittleEndian)
    return made


def mutant(rng: random.Random, name: str, good: dict[str, bytes]) -> bytes:
    """Return the image of that name with one to four kinds of damage, in its header, its pixels or both."""
    inside = name == "DeflatedExplicitVRLittleEndian" and rng.random() < 0.5
    data = bytearray(good["ExplicitVRLittleEndian" if inside else name])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        header_end = max(data.rfind(b"\xe0\x7f\x10\x00"), data.rfind(b"\x7f\xe0\x00\x10"), 1)
        rng.choice(_MUTATIONS)(rng, data, header_end)
    if rng.random() < 0.05:
        other = good[rng.choice(list(good))]
        data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other)) :]
    return _deflated(bytes(data)) if inside else bytes(data)


def _place(rng: random.Random, data: bytearray, header_end: int) -> int:
    """A place in the header, in the pixels, or anywhere."""
    low, high = rng.choice(((132, header_end), (header_end, len(data)), (0, len(data))))
    return min(rng.randrange(min(low, high), max(low, high, 1) + 1), max(len(data) - 1, 0))


def _flip(rng: random.Random, data: bytearray, header_end: int) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[_place(rng, data, header_end)] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, data: bytearray, header_end: int) -> None:
    at = _place(rng, data, header_end)
    count = rng.choice((1, 2, 4, 16, 64))
    data[at : at + count] = rng.randbytes(count)


def _cut(rng: random.Random, data: bytearray, header_end: int) -> None:
    del data[_place(rng, data, header_end) :]


def _remove(rng: random.Random, data: bytearray, header_end: int) -> None:
    at = _place(rng, data, header_end)
    del data[at : at + rng.choice((1, 2, 8, 40))]


def _insert(rng: random.Random, data: bytearray, header_end: int) -> None:
    at = _place(rng, data, header_end)
    data[at:at] = rng.choice((rng.randbytes(8), bytes(2), data[at : at + 60], bytes(2000)))


def _resize(rng: random.Random, data: bytearray, header_end: int) -> None:
    at = _place(rng, data, header_end) & ~1
    form = rng.choice(("<H", "<L", ">H", ">L"))
    packed = struct.pack(form, rng.choice(_SIZES) & (0xFFFF if form[1] == "H" else 0xFFFFFFFF))
    data[at : at + len(packed)] = packed


def _renumber(rng: random.Random, data: bytearray, header_end: int) -> None:
    numbers = list(_NUMBER.finditer(data, 132, header_end))
    if numbers:
        found = rng.choice(numbers)
        length = found.end() - found.start()
        data[found.start() : found.end()] = rng.choice(_TOKENS)[:length].ljust(length)


_MUTATIONS: tuple[Mutation, ...] = (_flip, _overwrite, _cut, _remove, _insert, _resize, _renumber, _renumber)


def _image() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, UID("1.2.3.4.5")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = (
        "1.2.3",
        "1.2.3.4",
        "1.9",
    )
    dataset.SpecificCharacterSet, dataset.Modality, dataset.ImageType = (
        "ISO_IR 100",
        "MR",
        ["ORIGINAL", "PRIMARY"],
    )
    dataset.StudyDate, dataset.StudyTime, dataset.AcquisitionTime = "20260101", "101500", "101600.5"
    dataset.SeriesDescription, dataset.BodyPartExamined = "t2 sag", "LSPINE"
    dataset.PatientName, dataset.PatientID, dataset.PatientPosition = "A^B", "4711", "HFS"
    dataset.ScanningSequence, dataset.EchoTime, dataset.RepetitionTime = "SE", "95", "3500"
    dataset.InstanceNumber, dataset.AcquisitionNumber = 1, 1
    dataset.SliceThickness, dataset.SpacingBetweenSlices = "4", "4.4"
    dataset.ImagePositionPatient, dataset.PixelSpacing = ["1.5", "-20", "30"], ["0.8", "0.5"]
    dataset.ImageOrientationPatient = ["0", "1", "0", "0", "0", "-1"]
    dataset.Rows = dataset.Columns = SIZE
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = (
        1,
        "MONOCHROME2",
        0,
    )
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept = "1.5", "-3"
    dataset.PixelData = np.random.default_rng(0).integers(0, 4096, SIZE * SIZE).astype("<u2").tobytes()
    return dataset


def _enhanced() -> Dataset:
    dataset = _image()
    dataset.SOPClassUID, dataset.NumberOfFrames = EnhancedMRImageStorage, 2
    frames = []
    for z in range(2):
        frame, position, orientation, measures = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = ["0", "0", str(4 * z)]
        orientation.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        measures.PixelSpacing = ["0.8", "0.5"]
        frame.PlanePositionSequence = Sequence([position])
        frame.PlaneOrientationSequence = Sequence([orientation])
        frame.PixelMeasuresSequence = Sequence([measures])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.PixelData = dataset.PixelData * 2
    return dataset


def _native(dataset: Dataset, syntax: UID) -> bytes:
    little = syntax != ExplicitVRBigEndian
    pixels, dataset.file_meta.TransferSyntaxUID = dataset.PixelData, syntax
    dataset.PixelData = pixels if little else np.frombuffer(pixels, "<u2").astype(">u2").tobytes()
    out = BytesIO()
    dcmwrite(
        out,
        dataset,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=little,
        enforce_file_format=True,
    )
    dataset.PixelData = pixels
    return out.getvalue()


def _written(dataset: Dataset) -> bytes:
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _jpeg_lossless(explicit: bytes) -> bytes:
    """Encode with GDCM, which has no other way than files; pydicom has no encoder of it."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "source"), Path(scratch, "target")
        source.write_bytes(explicit)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(source))
        reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        change.Change()
        writer.SetFileName(str(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.Write()
        made = target.read_bytes()
    assert dcmread(BytesIO(made)).file_meta.TransferSyntaxUID == JPEGLosslessSV1
    return made


def _deflated(explicit: bytes) -> bytes:
    """Deflate all behind the file meta information, which is left as it is in the good image."""
    start = explicit.find(b"\x08\x00\x05\x00CS")  # SpecificCharacterSet, the first element
    head = explicit[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99", 1)
    at = head.find(b"1.2.840.10008.1.2.1.99")
    if start < 0 or at < 0:
        return explicit
    head = head[: at - 2] + struct.pack("<H", 22) + head[at:]
    (length,) = struct.unpack_from("<L", head, 140)
    head = head[:140] + struct.pack("<L", (length + 2) & 0xFFFFFFFF) + head[144:]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return head + deflater.compress(explicit[start:]) + deflater.flush()
