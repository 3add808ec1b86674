"""Whether the pixels of a transfer syntax can be decoded here, by the decoders that pydicom finds."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from .codes import Exclusion
from .complaint import Complaint


def is_compressed(dataset: Dataset) -> bool:
    """Whether the pixels of a data set that has a known transfer syntax are compressed."""
    return UID(str(dataset.file_meta.TransferSyntaxUID)).is_compressed


def find_decoder(dataset: Dataset) -> Decoder | Complaint:
    """Return the decoder for a data set's pixels, or why there is none."""
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return Complaint(Exclusion.UNKNOWN_SYNTAX, syntax.name if syntax else "TransferSyntaxUID is missing")
    if decoder.is_available:
        return decoder
    plugins = "; ".join(decoder.missing_dependencies)
    return Complaint(Exclusion.NO_DECODER, f"{syntax.name} ({plugins})")
