"""One DICOM data set to the headers of its slices, or to the complaint that keeps it out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from pydicom import Dataset

from ..domain.geometry import SliceGeometry
from .agent import is_agent
from .codes import Oddity
from .complaint import Complaint
from .elements import first_number, number, text, texts, uid, value
from .frames import frame_datasets
from .kinds import kind_complaint, unsupported_contrast
from .opening import Opened
from .slice_geometry import slice_geometry
from .syntaxes import is_compressed

#: Makes the patient keys of one run useless in any other, so that none leads back to a patient.
_SALT = secrets.token_bytes(16)
_LUMBAR_WORDS = ("SPINE", "LUMB", "LSP", "LWS", "SACR", "BACK", "ABDOM", "PELV", "WHOLE")
_OTHER_SPINE = ("CSPINE", "TSPINE", "CERV", "THOR")


@dataclass(frozen=True)
class Timing:
    """Repetition, echo and inversion time in ms; None where the header does not say."""

    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None


@dataclass(frozen=True)
class Acquisition:
    """When a slice was measured: its acquisition's number, and date and time as sortable digits or ''."""

    number: int = 0
    time: str = ""


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
    own_name
        As ``text``, but without the protocol's name where there is a description: a protocol's name is often
        that of the whole examination, and then says nothing of one series.
    image_type
        ImageType in upper case.
    frame
        Frame of an enhanced multi-frame file, counted from 0; None for a classic image.
    patient_key
        Equal for images of one patient within a run of the program, and of no use beyond it.
    study_date
        Date and time of the study as sortable digits, '' where there is none.
    stated_step_mm
        SpacingBetweenSlices, which positions outweigh; None where the header does not say.
    oddities
        What is odd about the header.
    compressed
        Whether the pixels are compressed.
    window
        (centre, width) in units of the rescaled pixels; None where the header proposes none.
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
    own_name: str = ""
    image_type: tuple[str, ...] = ()
    timing: Timing = Timing()
    gradient_echo: bool = False
    echo_planar: bool = False
    contrast_agent: bool = False
    fat_suppressed: bool = False
    frame: int | None = None
    acquisition: Acquisition = Acquisition()
    patient_key: str = ""
    study_date: str = ""
    stated_step_mm: float | None = None
    oddities: tuple[Oddity, ...] = ()
    compressed: bool = False
    window: tuple[float, float] | None = None


@dataclass(frozen=True)
class FileHeaders:
    """The slices of one file, and what keeps the other frames out, one complaint each."""

    slices: tuple[SliceHeader, ...]
    left_out: tuple[Complaint, ...] = ()


def read_headers(opened: Opened, path: str) -> FileHeaders | Complaint:
    """Return the headers of a classic or an enhanced MR image, or why there are none."""
    complaint = kind_complaint(opened)
    if complaint is not None:
        return complaint
    dataset = opened.dataset
    compressed = is_compressed(dataset)
    if not value(dataset, "PerFrameFunctionalGroupsSequence"):
        header = _slice_header(dataset, path, None, compressed)
        return header if isinstance(header, Complaint) else FileHeaders((header,))
    frames = enumerate(frame_datasets(dataset))
    outcomes = [_slice_header(frame, path, i, compressed) for i, frame in frames]
    slices = tuple(outcome for outcome in outcomes if isinstance(outcome, SliceHeader))
    left_out = tuple(outcome for outcome in outcomes if isinstance(outcome, Complaint))
    return FileHeaders(slices, left_out) if slices else left_out[0]


def _slice_header(
    dataset: Dataset, path: str, frame: int | None, compressed: bool
) -> SliceHeader | Complaint:
    image_type = texts(dataset, "ImageType")
    geometry = unsupported_contrast(image_type, dataset) or slice_geometry(dataset)
    if isinstance(geometry, Complaint):
        return geometry
    scanning = texts(dataset, "ScanningSequence")
    return SliceHeader(
        path=path,
        study_uid=uid(dataset, "StudyInstanceUID"),
        series_uid=uid(dataset, "SeriesInstanceUID"),
        sop_instance_uid=uid(dataset, "SOPInstanceUID"),
        frame_of_reference_uid=uid(dataset, "FrameOfReferenceUID"),
        instance_number=int(number(dataset, "InstanceNumber") or 0),
        geometry=geometry,
        description=text(dataset, "SeriesDescription"),
        text=_lower(dataset, "SeriesDescription", "ProtocolName", "SequenceName"),
        own_name=_own_name(dataset),
        image_type=image_type,
        timing=Timing(
            number(dataset, "RepetitionTime"),
            number(dataset, "EchoTime"),
            number(dataset, "InversionTime"),
        ),
        gradient_echo="GR" in scanning,
        echo_planar="EP" in scanning,
        contrast_agent=_names_agent(dataset),
        fat_suppressed=_suppresses_fat(dataset),
        frame=frame,
        acquisition=Acquisition(int(number(dataset, "AcquisitionNumber") or 0), _acquired(dataset)),
        patient_key=_patient_key(dataset),
        study_date=_study_date(dataset),
        stated_step_mm=number(dataset, "SpacingBetweenSlices"),
        oddities=tuple(_oddities(dataset)),
        compressed=compressed,
        window=_window(dataset),
    )


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """The first window of a header (DICOM PS3.3 C.11.2); none for inverted pixels, whose scale is another."""
    centre, width = first_number(dataset, "WindowCenter"), first_number(dataset, "WindowWidth")
    inverted = text(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    if centre is None or width is None or width < 1 or inverted:
        return None
    return centre, width


def _own_name(dataset: Dataset) -> str:
    named = "SeriesDescription" if text(dataset, "SeriesDescription") else "ProtocolName"
    return _lower(dataset, named, "SequenceName")


def _lower(dataset: Dataset, *keywords: str) -> str:
    return " ".join(text(dataset, keyword) for keyword in keywords).lower().strip()


def _names_agent(dataset: Dataset) -> bool:
    """Whether a contrast agent was given: classic images name it, enhanced ones have a sequence of agents."""
    return is_agent(text(dataset, "ContrastBolusAgent")) or bool(value(dataset, "ContrastBolusAgentSequence"))


def _suppresses_fat(dataset: Dataset) -> bool:
    """Whether fat was saturated: classic images list it (DICOM PS3.3 C.8.3.1), enhanced ones name it."""
    suppressed = text(dataset, "SpectrallySelectedSuppression")
    return "FS" in texts(dataset, "ScanOptions") or suppressed in ("FAT", "FAT_AND_WATER")


def _acquired(dataset: Dataset) -> str:
    whole = _digits(dataset, "AcquisitionDateTime", 14)
    return whole or _digits(dataset, "AcquisitionDate", 8) + _digits(dataset, "AcquisitionTime", 6)


def _study_date(dataset: Dataset) -> str:
    """Date and time; a time may end with its hours or minutes (DICOM PS3.5 6.2), and tells nothing alone."""
    date = _digits(dataset, "StudyDate", 8)
    time = next((t for n in (6, 4, 2) if (t := _digits(dataset, "StudyTime", n))), "")
    return date + time if date else ""


def _digits(dataset: Dataset, keyword: str, count: int) -> str:
    """The first digits of a date or time; '' where it is not written in digits."""
    start = text(dataset, keyword)[:count]
    return start if len(start) == count and start.isdecimal() else ""


def _patient_key(dataset: Dataset) -> str:
    patient = text(dataset, "PatientID")
    return hashlib.blake2b(patient.encode(), key=_SALT, digest_size=8).hexdigest() if patient else ""


def _oddities(dataset: Dataset) -> list[Oddity]:
    part = text(dataset, "BodyPartExamined").upper()
    elsewhere = part and (not any(w in part for w in _LUMBAR_WORDS) or any(w in part for w in _OTHER_SPINE))
    odd = {
        Oddity.BODY_PART: bool(elsewhere),
        Oddity.LOSSY: text(dataset, "LossyImageCompression") == "01",
        Oddity.EIGHT_BIT: (number(dataset, "BitsAllocated") or 16) < 16,
    }
    return [oddity for oddity, met in odd.items() if met]
