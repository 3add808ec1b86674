"""Enhanced multi-frame images: each frame as if it were a classic image (DICOM PS3.3 C.7.6.16)."""

from __future__ import annotations

from pydicom import Dataset

from .elements import item, value

#: Functional group -> its elements -> the keyword of the classic image that says the same.
_MACROS: dict[str, dict[str, str]] = {
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "PixelMeasuresSequence": {
        "PixelSpacing": "PixelSpacing",
        "SliceThickness": "SliceThickness",
        "SpacingBetweenSlices": "SpacingBetweenSlices",
    },
    "PixelValueTransformationSequence": {
        "RescaleSlope": "RescaleSlope",
        "RescaleIntercept": "RescaleIntercept",
    },
    "FrameVOILUTSequence": {"WindowCenter": "WindowCenter", "WindowWidth": "WindowWidth"},
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "MRTimingAndRelatedParametersSequence": {"RepetitionTime": "RepetitionTime"},
    "MRModifierSequence": {
        "InversionTimes": "InversionTime",
        "SpectrallySelectedSuppression": "SpectrallySelectedSuppression",
    },
    "MRDiffusionSequence": {"DiffusionBValue": "DiffusionBValue"},
    "MRImageFrameTypeSequence": {"FrameType": "ImageType"},
    "FrameContentSequence": {
        "FrameAcquisitionDateTime": "AcquisitionDateTime",
        "FrameAcquisitionNumber": "AcquisitionNumber",
        "TemporalPositionIndex": "TemporalPositionIdentifier",
    },
}
#: The one sequence that is read as it stands, for whether it has items.
_KEPT_SEQUENCE = "ContrastBolusAgentSequence"
_GRADIENT_ECHO = ("GRADIENT", "BOTH")


def frame_datasets(dataset: Dataset) -> list[Dataset]:
    """One data set per frame, with the classic image's keywords; pixels stay in the file.

    Parameters
    ----------
    dataset
        An enhanced MR image. Per-frame functional groups outweigh shared ones.
    """
    per_frame = value(dataset, "PerFrameFunctionalGroupsSequence") or []
    shared = item(dataset, "SharedFunctionalGroupsSequence")
    common = Dataset()
    for element in dataset:
        # Of the large sequences nothing but the groups below is needed.
        if element.VR != "SQ" or element.keyword == _KEPT_SEQUENCE:
            common.add(element)
    common.ScanningSequence = _scanning_sequence(dataset)
    return [_flat(common, frame, shared, number) for number, frame in enumerate(per_frame, start=1)]


def _flat(common: Dataset, frame: Dataset, shared: Dataset, number: int) -> Dataset:
    flat = Dataset()  # Dataset(common) would share its elements with every frame
    flat.update(common)
    _put(flat, "InstanceNumber", number)
    for macro, keywords in _MACROS.items():
        group = item(frame, macro) or item(shared, macro)
        for source, target in keywords.items():
            found = value(group, source)
            if found is not None:
                _put(flat, target, found)
    return flat


def _put(flat: Dataset, keyword: str, new: object) -> None:
    # Elements are shared between frames: one that is there is replaced, not given another value.
    if keyword in flat:
        delattr(flat, keyword)
    setattr(flat, keyword, new)


def _scanning_sequence(dataset: Dataset) -> list[str]:
    """ScanningSequence's words for what an enhanced image says in two elements."""
    gradient = str(value(dataset, "EchoPulseSequence") or "").upper() in _GRADIENT_ECHO
    planar = str(value(dataset, "EchoPlanarPulseSequence") or "").upper() == "YES"
    return ["GR"] * gradient + ["EP"] * planar
