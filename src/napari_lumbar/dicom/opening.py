"""Open one file without trusting it: what it is by its bytes, its data set, and where its pixels begin.

pydicom reads a file that was cut short without a word, inflates what it is given without a limit, and of the
exceptions that damaged files raise ``InvalidDicomError`` is the rarest; so all of that is looked after here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from .codes import Exclusion
from .complaint import Complaint

#: A deflated file that inflates to more than this is refused; an MR slice has under 2 MB, 500 of them 500 MB.
MAX_INFLATED_BYTES = 2**29
#: Values longer than this are left in the file: no element that is looked at is longer, pixels apart.
_DEFER_BYTES = 2**16
_PREAMBLE_BYTES = 128
_MAGIC = b"DICM"
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
#: How archives and compressed files begin.
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
#: Groups that a data set without preamble begins with.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class PixelPlace:
    """Where the pixels are: bytes that the element claims (None: encapsulated), and bytes that are there."""

    claimed: int | None
    present: int


@dataclass(frozen=True, eq=False)
class Opened:
    """A data set up to its pixels, or with them.

    Parameters
    ----------
    pixels
        None where the file ends before them.
    has_preamble
        False where the data set begins with the first byte.
    carries_program
        Whether the preamble begins like an executable.
    """

    dataset: Dataset
    pixels: PixelPlace | None
    has_preamble: bool = True
    carries_program: bool = False


def open_header(path: Path) -> Opened | Complaint:
    """Read a file's data set up to its pixels, or say why it is none.

    Raises
    ------
    OSError
        If the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        start = stream.read(_PREAMBLE_BYTES + len(_MAGIC) + 256)
    has_preamble = start[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == _MAGIC
    if not has_preamble:
        complaint = _not_dicom(start)
        if complaint is not None:
            return complaint
    dataset, pixels = _read(path, has_preamble, stop_before_pixels=True)
    return Opened(dataset, pixels, has_preamble, has_preamble and start.startswith(_PROGRAMS))


def open_whole(path: Path) -> Dataset:
    """Read a file that ``open_header`` has read, with its pixels.

    Raises
    ------
    Exception
        Whatever pydicom raises on a damaged file.
    """
    with path.open("rb") as stream:
        stream.seek(_PREAMBLE_BYTES)
        has_preamble = stream.read(4) == _MAGIC
    dataset, _ = _read(path, has_preamble, stop_before_pixels=False)
    return dataset


class InflatedTooLargeError(Exception):
    """A deflated data set is larger than ``MAX_INFLATED_BYTES``."""


def _not_dicom(start: bytes) -> Complaint | None:
    if not start:
        return Complaint(Exclusion.EMPTY)
    if start.startswith(ARCHIVES) or start[257:262] == b"ustar":
        return Complaint(Exclusion.ARCHIVE)
    return None if start.startswith(_FIRST_GROUPS) else Complaint(Exclusion.NOT_DICOM)


def _read(path: Path, has_preamble: bool, stop_before_pixels: bool) -> tuple[Dataset, PixelPlace | None]:
    if has_preamble:
        meta = read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            return _read_deflated(path, meta, stop_before_pixels)
    size = path.stat().st_size
    with path.open("rb") as stream:
        dataset = dcmread(
            stream,
            stop_before_pixels=stop_before_pixels,
            force=not has_preamble,
            defer_size=_DEFER_BYTES if stop_before_pixels else None,
        )
        place = _pixel_place(stream, dataset.original_encoding, size) if stop_before_pixels else None
    if not has_preamble:
        dataset.file_meta = _assumed_meta(dataset)
    return dataset, place


def _read_deflated(
    path: Path, meta: FileMetaDataset, stop_before_pixels: bool
) -> tuple[Dataset, PixelPlace | None]:
    """DICOM PS3.5 A.5: everything after the file meta information is one deflated stream."""
    with path.open("rb") as stream:
        stream.seek(_PREAMBLE_BYTES + len(_MAGIC) + 12 + int(meta.FileMetaInformationGroupLength))
        inflated = _inflated(stream)
    buffer = BytesIO(inflated)
    stop = (lambda tag, _vr, _length: tag in _PIXEL_TAGS) if stop_before_pixels else None
    dataset = read_dataset(buffer, is_implicit_VR=False, is_little_endian=True, stop_when=stop)
    dataset.file_meta = meta
    at = buffer.tell()
    place = _pixel_place(BytesIO(inflated[at : at + 12]), (False, True), len(inflated) - at)
    return dataset, place if stop_before_pixels else None


def _inflated(stream: BinaryIO) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    room = MAX_INFLATED_BYTES
    for chunk in iter(lambda: stream.read(2**16), b""):
        part = inflater.decompress(chunk, room + 1)
        room -= len(part)
        if room < 0:
            raise InflatedTooLargeError(f"more than {MAX_INFLATED_BYTES} bytes after inflating")
        parts.append(part)
    return b"".join(parts)


def _pixel_place(stream: BinaryIO, encoding: tuple[bool | None, bool | None], size: int) -> PixelPlace | None:
    """Read tag and length of the element that ``stream`` stands before."""
    implicit, little = encoding
    order = "<" if little in (True, None) else ">"
    start = stream.read(12)
    if len(start) < 12:
        return None
    group, element = struct.unpack(f"{order}HH", start[:4])
    if (group << 16 | element) not in _PIXEL_TAGS:
        return None
    if implicit:
        (length,) = struct.unpack(f"{order}L", start[4:8])
        present = size - (stream.tell() - 4)
    else:
        (length,) = struct.unpack(f"{order}L", start[8:12])
        present = size - stream.tell()
    return PixelPlace(None if length == _UNDEFINED else length, present)


def _assumed_meta(dataset: Dataset) -> FileMetaDataset:
    """The file meta information that a data set without preamble lacks, from the way it was encoded."""
    meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
    if "TransferSyntaxUID" not in meta:
        implicit, little = dataset.original_encoding
        native: UID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else native
    return meta
