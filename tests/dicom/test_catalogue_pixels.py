"""Rows 24 to 36 of the catalogue: how pixels are encoded."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from napari_lumbar.dicom import opening
from napari_lumbar.dicom.codes import Exclusion, Oddity

from .catalogue import Check, Lab, Make, Row, battery, excluded, quar, used, warn
from .spoiled_decoder import SPOILED, spoil_decoder


def no_decoder(syntax: Any) -> Make:
    def make(lab: Lab) -> None:
        lab.odd(compress=True, label=syntax)
        lab.monkeypatch.setattr(get_decoder(syntax), "_available", {})

    return make


def names_syntax(word: str) -> Check:
    def check(lab: Lab) -> None:
        excluded(lab, Exclusion.NO_DECODER)
        assert word in lab.read().accounting.excluded[0].reason

    return check


def hanging_decoder(lab: Lab) -> None:
    lab.odd(compress=True, InstanceNumber=SPOILED)
    spoil_decoder(lab.monkeypatch, "while True: pass", limit_s=1)


def too_many_runs(lab: Lab) -> None:
    """RLE data of more pixels than the header says, at which the decoder panics."""
    path = lab.odd(compress=True)
    dataset = dcmread(path)
    dataset.Rows = 10
    dataset.save_as(path)


def bomb(lab: Lab) -> None:
    path = lab.odd()
    whole = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    length = struct.unpack("<L", whole[140:144])[0] + 2
    head, body = whole[: 144 + length], whole[144 + length :]
    at = head.index(b"1.2.840.10008.1.2.1.99") - 2
    head = head[:at] + struct.pack("<H", 22) + head[at + 2 :]
    head = head[:140] + struct.pack("<L", length) + head[144:]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    path.write_bytes(head + deflater.compress(body + bytes(2**24)) + deflater.flush())
    lab.monkeypatch.setattr(opening, "MAX_INFLATED_BYTES", 2**22)


def pixels_are(stored: Any, expected: Any, **change: Any) -> tuple[Make, Check]:
    """A one-slice axial series of these stored values is read as these."""

    def make(lab: Lab) -> None:
        array = np.array(stored)
        lab.series("axial", 1, "axial", size=array.shape, pixels=array, **change)

    def check(lab: Lab) -> None:
        (series,) = [s for s in lab.read().series if s.series_uid == "axial"]
        np.testing.assert_array_equal(series.slices[0].pixels, expected)

    return make, check


def private_syntax(lab: Lab) -> None:
    lab.patch(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")


MONO1 = pixels_are(np.array([[0, 4095]], np.uint16), [[4095, 0]], PhotometricInterpretation="MONOCHROME1")
SLOPE = pixels_are(np.array([[2, 4]], np.uint16), [[1, 2]], RescaleSlope="0.5E0", RescaleIntercept="0")
SIGNED = np.tile(np.array([127, 2145], np.int16), (20, 7))

ROWS: list[Row] = [
    (24, no_decoder(JPEGLosslessSV1), names_syntax("JPEG Lossless")),
    (25, no_decoder(JPEGLSLossless), names_syntax("JPEG-LS")),
    (26, lambda lab: lab.odd(compress=True, label=JPEG2000Lossless), quar(Exclusion.BAD_PIXELS)),
    (26, private_syntax, quar(Exclusion.UNKNOWN_SYNTAX)),
    (27, hanging_decoder, quar(Exclusion.DECODING_TIMEOUT)),
    (28, bomb, quar(Exclusion.TOO_LARGE)),
    (29, lambda lab: lab.odd(Rows=65535, Columns=65535), quar(Exclusion.SIZE_MISMATCH)),
    (30, lambda lab: lab.odd(Rows=10), quar(Exclusion.SIZE_MISMATCH)),
    (30, too_many_runs, quar(Exclusion.BAD_PIXELS)),
    (31, lambda lab: lab.odd(pixels=SIGNED, BitsStored=12), warn(Oddity.HIGH_BITS)),
    (32, lambda lab: lab.odd(PhotometricInterpretation="PALETTE COLOR"), quar(Exclusion.CAPTURE)),
    (32, lambda lab: lab.odd(LossyImageCompression="01"), warn(Oddity.LOSSY)),
    (33, *MONO1),
    (34, *SLOPE),
    (35, lambda lab: lab.odd(WindowCenter=["40", "80"], WindowWidth="0"), used()),
    (36, lambda lab: lab.odd(pixels=np.zeros((20, 14), np.uint16)), quar(Exclusion.BLANK)),
]


test_a_row_has_its_outcome = battery(ROWS)
