"""Whether a data set is an MR image at all, of a kind that can be read, and whole."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from .codes import Exclusion
from .complaint import Complaint
from .elements import frame_count, number, text, texts, uid, value
from .opening import Opened, PixelPlace
from .syntaxes import find_decoder

_MR_CLASSES = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
_CAPTURE_CLASSES = "1.2.840.10008.5.1.4.1.1.7"
_UNSUPPORTED = {"DIFFUSION", "ADC", "TRACEW", "FA", "PHASE", "PHASE MAP", "P", "VELOCITY", "R2_STAR_MAP"}


def kind_complaint(opened: Opened) -> Complaint | None:
    """Why this is not an MR image that can be read, or None. Looks at no geometry."""
    dataset = opened.dataset
    return (
        _other_modality(dataset)
        or _not_reached(opened)
        or _unsupported_kind(dataset)
        or _missing_uid(dataset)
        or _wrong_size(dataset, opened.pixels)
        or _no_decoder(dataset)
    )


def unsupported_contrast(image_type: tuple[str, ...], dataset: Dataset) -> Complaint | None:
    """Why an image or a frame is of a contrast that is not read, or None."""
    named = _UNSUPPORTED & set(image_type[2:])
    weighted = (number(dataset, "DiffusionBValue") or 0) > 0
    if not named and not weighted:
        return None
    return Complaint(Exclusion.UNSUPPORTED_CONTRAST, ", ".join(sorted(named)) or "diffusion-weighted")


def _other_modality(dataset: Dataset) -> Complaint | None:
    modality = text(dataset, "Modality").upper()
    sop_class = UID(uid(dataset, "SOPClassUID"))
    if "DirectoryRecordSequence" in dataset:
        return Complaint(Exclusion.DICOMDIR)
    if sop_class.startswith(_CAPTURE_CLASSES) and modality in ("", "MR", "OT", "SC"):
        # Converters write whole MR series as captures; those have more than 8 bits, and geometry decides.
        return None if (number(dataset, "BitsAllocated") or 0) > 8 else Complaint(Exclusion.CAPTURE)
    if modality not in ("", "MR"):
        other = Exclusion.NOT_IMAGE if modality in ("SR", "PR", "KO", "DOC") else Exclusion.NOT_MR
        return Complaint(other, f"Modality is {modality}")
    if sop_class in _MR_CLASSES or not sop_class.is_valid or sop_class.type != "SOP Class":
        return None
    return Complaint(Exclusion.NOT_MR if "Image" in sop_class.name else Exclusion.NOT_IMAGE, sop_class.name)


def _not_reached(opened: Opened) -> Complaint | None:
    if opened.pixels is None:
        return Complaint(Exclusion.TRUNCATED_HEADER, "PixelData is not reached")
    return None


def _unsupported_kind(dataset: Dataset) -> Complaint | None:
    if text(dataset, "AnatomicalOrientationType").upper() == "QUADRUPED":
        return Complaint(Exclusion.ANIMAL, "AnatomicalOrientationType is QUADRUPED")
    if "MOSAIC" in texts(dataset, "ImageType"):
        return Complaint(Exclusion.MOSAIC)
    samples, photometric = number(dataset, "SamplesPerPixel") or 1, text(dataset, "PhotometricInterpretation")
    if samples != 1 or photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        return Complaint(Exclusion.CAPTURE, f"{samples:g} samples a pixel, {photometric}")
    positions = len(value(dataset, "PerFrameFunctionalGroupsSequence") or ())
    if frame_count(dataset) not in {1, positions} or (frame_count(dataset) > 1 and not positions):
        return Complaint(Exclusion.MULTI_FRAME, f"{frame_count(dataset)} frames, {positions} described")
    return unsupported_contrast(texts(dataset, "ImageType"), dataset)


def _missing_uid(dataset: Dataset) -> Complaint | None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if not uid(dataset, keyword):
            return Complaint(Exclusion.NO_UID, keyword)
    return None


def _wrong_size(dataset: Dataset, place: PixelPlace | None) -> Complaint | None:
    sizes = [value(dataset, keyword) for keyword in ("Rows", "Columns", "BitsAllocated")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return Complaint(Exclusion.SIZE_MISMATCH, "Rows, Columns or BitsAllocated is missing or no number")
    if place is None or place.claimed is None:
        return None  # encapsulated: the decoder says how many pixels there are
    rows, columns, bits = sizes
    expected = frame_count(dataset) * rows * columns * bits // 8
    if place.present < min(place.claimed, expected):
        return Complaint(Exclusion.TRUNCATED_PIXELS, f"{place.present} of {expected} bytes")
    # Writers pad, but never by a whole row.
    if not expected <= place.claimed < expected + columns * bits // 8:
        return Complaint(
            Exclusion.SIZE_MISMATCH,
            f"{rows} x {columns} pixels of {bits} bits need {expected} bytes, PixelData has {place.claimed}",
        )
    return None


def _no_decoder(dataset: Dataset) -> Complaint | None:
    decoder = find_decoder(dataset)
    return decoder if isinstance(decoder, Complaint) else None
