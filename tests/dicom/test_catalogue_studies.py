"""Rows 74 to 85 of the catalogue: whose images, and of what."""

from __future__ import annotations

from typing import Any

from pydicom import dcmread

from napari_lumbar.dicom.codes import Oddity
from napari_lumbar.domain.pseudonym import pseudonym

from .catalogue import GOOD, Lab, Make, Row, battery, stop, warn

#: Pseudonyms stand for the UIDs in what a person reads.
NEWER_FIRST = f"2 studies: {pseudonym('9.9')} .*{pseudonym('1.2.3')} .*newest is named"


def other_studies(**change: Any) -> Make:
    return lambda lab: lab.odd(StudyInstanceUID="9.9", SeriesInstanceUID="9.9.1", **change)


def dated(**change: Any) -> Make:
    """The good study with a date, and a newer one without a time."""

    def make(lab: Lab) -> None:
        for name in GOOD:
            dataset = dcmread(lab.folder / name)
            for keyword, value in change.items():
                setattr(dataset, keyword, value)
            dataset.save_as(lab.folder / name)
        lab.odd(StudyInstanceUID="9.9", SeriesInstanceUID="9.9.1", StudyDate="20260101")

    return make


def only(**change: Any) -> Make:
    def make(lab: Lab) -> None:
        lab.alone()
        lab.odd(**change)

    return make


def other_frame(lab: Lab) -> None:
    lab.odd(SeriesInstanceUID="1.9", FrameOfReferenceUID="1.8")


ROWS: list[Row] = [
    (74, other_studies(PatientID="ID-0815"), stop("holds 2 studies of 2 patients: .* Choose")),
    (74, lambda lab: lab.odd(PatientID="ID-0815"), stop("images of 2 patients, by their PatientID")),
    (75, other_studies(StudyDate="20260101"), stop(NEWER_FIRST)),
    (75, other_studies(StudyDate="20260101", StudyTime="0915"), stop(NEWER_FIRST)),
    (75, dated(StudyDate="20250101", StudyTime="101500"), stop(NEWER_FIRST)),
    (75, dated(StudyTime="101500"), stop(NEWER_FIRST)),
    (76, other_frame, warn(Oddity.FRAMES_OF_REFERENCE)),
    (84, only(AnatomicalOrientationType="QUADRUPED"), stop("an animal's image")),
    (85, only(Modality="CT"), stop("not an MR image: Modality is CT")),
]


test_a_row_has_its_outcome = battery(ROWS)
