"""One DICOM data set to one ``SliceHeader``, or to the complaint that keeps it out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from ..domain.errors import GeometryError
from ..domain.geometry import SliceGeometry, vector3
from .complaint import Complaint

#: In-plane spacings of lumbar MR, in mm; others are errors of the header (a cm, a comma, a default).
PLAUSIBLE_SPACING_MM = (0.1, 3.0)
#: Largest field of view that is believed, in mm.
LARGEST_FIELD_MM = 600.0
_TEXT_LENGTH = 64


@dataclass(frozen=True)
class Timing:
    """Repetition, echo and inversion time in ms; None where the header does not say."""

    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None


@dataclass(frozen=True)
class SliceHeader:
    """What a header says of one slice; holds no patient identifiers.

    Parameters
    ----------
    path
        Relative to the folder that was read, with forward slashes.
    instance_number
        InstanceNumber as files quote it, 0 where it is absent; never used for order.
    text
        Description, protocol and sequence names in lower case, for telling weightings apart.
    image_type
        ImageType in upper case.
    """

    path: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_of_reference_uid: str
    instance_number: int
    geometry: SliceGeometry
    description: str = ""
    text: str = ""
    image_type: tuple[str, ...] = ()
    timing: Timing = Timing()
    gradient_echo: bool = False
    contrast_agent: bool = False


def read_header(dataset: Dataset, path: str) -> SliceHeader | Complaint:
    """Return the header of a classic single-frame MR image, or why there is none."""
    complaint = _kind_complaint(dataset) or _uid_complaint(dataset)
    if complaint is not None:
        return complaint
    geometry = _geometry(dataset)
    if isinstance(geometry, Complaint):
        return geometry
    return SliceHeader(
        path=path,
        study_uid=str(dataset.StudyInstanceUID),
        series_uid=str(dataset.SeriesInstanceUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        frame_of_reference_uid=_text(dataset, "FrameOfReferenceUID"),
        instance_number=int(_number(dataset, "InstanceNumber") or 0),
        geometry=geometry,
        description=_text(dataset, "SeriesDescription"),
        text=_naming_text(dataset),
        image_type=_texts(dataset, "ImageType"),
        timing=Timing(
            _number(dataset, "RepetitionTime"),
            _number(dataset, "EchoTime"),
            _number(dataset, "InversionTime"),
        ),
        gradient_echo="GR" in _texts(dataset, "ScanningSequence"),
        contrast_agent=bool(_text(dataset, "ContrastBolusAgent")),
    )


def _kind_complaint(dataset: Dataset) -> Complaint | None:
    modality = _text(dataset, "Modality").upper()
    if modality not in ("", "MR"):
        return Complaint("not_mr", f"Modality is {modality}; only MR images are read")
    if "Rows" not in dataset or "Columns" not in dataset:
        return Complaint(
            "not_image", "no image size (Rows, Columns): another kind of object, or a file cut short"
        )
    if "PerFrameFunctionalGroupsSequence" in dataset or (_number(dataset, "NumberOfFrames") or 1) > 1:
        return Complaint(
            "multi_frame", "enhanced multi-frame image; export the study as classic MR, one image a file"
        )
    if "MOSAIC" in _texts(dataset, "ImageType"):
        return Complaint("mosaic", "a mosaic of many slices in one image, not a lumbar MR slice")
    if (_number(dataset, "SamplesPerPixel") or 1) != 1:
        return Complaint("colour", "a colour image; MR slices have one sample per pixel")
    return None


def _uid_complaint(dataset: Dataset) -> Complaint | None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if not _text(dataset, keyword):
            return Complaint("no_uid", f"{keyword} is missing, so the image cannot be assigned")
    return None


def _geometry(dataset: Dataset) -> SliceGeometry | Complaint:
    position = _numbers(dataset, "ImagePositionPatient", 3)
    axes = _numbers(dataset, "ImageOrientationPatient", 6)
    spacing = _numbers(dataset, "PixelSpacing", 2)
    named = {"ImagePositionPatient": position, "ImageOrientationPatient": axes, "PixelSpacing": spacing}
    missing = [keyword for keyword, values in named.items() if values is None]
    if position is None or axes is None or spacing is None:
        return Complaint(
            "no_geometry", f"{' and '.join(missing)} missing or unreadable; a position is never guessed"
        )
    try:
        geometry = SliceGeometry(
            position_lps_mm=vector3(position),
            along_row=vector3(axes[:3]),
            along_column=vector3(axes[3:]),
            row_spacing_mm=spacing[0],
            column_spacing_mm=spacing[1],
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
        )
    except (GeometryError, TypeError, ValueError) as error:
        return Complaint("bad_geometry", str(error))
    return _implausible(geometry) or geometry


def _implausible(geometry: SliceGeometry) -> Complaint | None:
    smallest, largest = PLAUSIBLE_SPACING_MM
    spacings = geometry.row_spacing_mm, geometry.column_spacing_mm
    field_mm = max(geometry.rows * spacings[0], geometry.columns * spacings[1])
    if min(spacings) >= smallest and max(spacings) <= largest and field_mm <= LARGEST_FIELD_MM:
        return None
    return Complaint(
        "implausible_spacing",
        f"PixelSpacing {spacings} mm gives a field of {field_mm:.0f} mm; expected {smallest} to {largest} mm "
        f"and at most {LARGEST_FIELD_MM:.0f} mm",
    )


def _naming_text(dataset: Dataset) -> str:
    keywords = "SeriesDescription", "ProtocolName", "SequenceName"
    return " ".join(_text(dataset, keyword) for keyword in keywords).lower().strip()


def _value(dataset: Dataset, keyword: str) -> Any:
    # A damaged element raises whatever its converter raises, and only once it is asked for.
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001
        return None


def _text(dataset: Dataset, keyword: str) -> str:
    text = str(_value(dataset, keyword) or "")[:_TEXT_LENGTH]
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    value = _value(dataset, keyword)
    if value is None or isinstance(value, str):
        return tuple(str(value or "").upper().split("\\"))
    return tuple(str(part).upper() for part in value)


def _number(dataset: Dataset, keyword: str) -> float | None:
    numbers = _numbers(dataset, keyword, 1)
    return numbers[0] if numbers else None


def _numbers(dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    value = _value(dataset, keyword)
    values = [value] if count == 1 else value
    try:
        numbers = [float(v) for v in values]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None
