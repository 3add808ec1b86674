"""Pixels of one slice: decoded, rescaled, bright where the tissue signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from ..domain.geometry import SliceGeometry
from ..domain.study import PixelArray
from .complaint import Complaint


def read_pixels(path: Path, geometry: SliceGeometry) -> PixelArray | Complaint:
    """Decode one file, shape (rows, columns), with slope and intercept applied, or say why not.

    MONOCHROME1 is inverted, so that larger is brighter in every slice.
    """
    # Decoders and damaged files raise nearly any exception; one file must not stop the others.
    try:
        return _decoded(dcmread(path), geometry)
    except Exception as error:  # noqa: BLE001
        return Complaint(
            "bad_pixels", f"the pixels cannot be decoded ({type(error).__name__}); damaged or cut short"
        )


def _decoded(dataset: Dataset, geometry: SliceGeometry) -> PixelArray | Complaint:
    if "PixelData" not in dataset:
        return Complaint("no_pixels", "the file holds no pixels, or was cut short before them")
    complaint = _decoder_complaint(dataset.file_meta.TransferSyntaxUID)
    if complaint is not None:
        return complaint
    stored = dataset.pixel_array
    if stored.shape != (geometry.rows, geometry.columns):
        expected = geometry.rows, geometry.columns
        return Complaint("bad_pixels", f"the pixels have shape {stored.shape}, the header says {expected}")
    values = rescaled(stored.astype(np.float64), dataset)
    if not np.isfinite(values).all():
        return Complaint("bad_pixels", "RescaleSlope or RescaleIntercept is not a finite number")
    if np.ptp(values) == 0:
        return Complaint("blank", "every pixel has the same value")
    return values


def rescaled(stored: np.ndarray, dataset: Dataset) -> PixelArray:
    """Stored values of shape (rows, columns) as signal, by the slice's own slope and intercept."""
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        # The complement within the stored range, not within the slice: slices stay comparable.
        signed = bool(dataset.PixelRepresentation)
        stored = (-1 if signed else 2 ** int(dataset.BitsStored) - 1) - stored
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    signal = stored * float(1 if slope is None else slope) + float(intercept or 0)
    return np.asarray(signal, dtype=np.float32)


def _decoder_complaint(syntax: UID) -> Complaint | None:
    if not syntax.is_compressed or not syntax.is_encapsulated:
        return None
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return Complaint("no_decoder", f"transfer syntax {syntax.name} is not supported; export uncompressed")
    if decoder.is_available:
        return None
    return Complaint(
        "no_decoder",
        f"{syntax.name} needs a decoder that is not installed: pip install napari-lumbar[codecs] for RLE, "
        f"JPEG-LS and JPEG 2000; for others one of: {', '.join(decoder.missing_dependencies)}",
    )
