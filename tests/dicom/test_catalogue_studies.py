"""Rows 74 to 85 of the catalogue: whose images, and of what."""

from __future__ import annotations

from typing import Any

from napari_lumbar.dicom.codes import Oddity

from .catalogue import Lab, Make, Row, battery, stop, warn


def other_studies(**change: Any) -> Make:
    return lambda lab: lab.odd(StudyInstanceUID="9.9", SeriesInstanceUID="9.9.1", **change)


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
    (75, other_studies(StudyDate="20260101"), stop(r"2 studies: 9\.9 .*1\.2\.3 .*newest is named")),
    (76, other_frame, warn(Oddity.FRAMES_OF_REFERENCE)),
    (84, only(AnatomicalOrientationType="QUADRUPED"), stop("an animal's image")),
    (85, only(Modality="CT"), stop("not an MR image: Modality is CT")),
]


test_a_row_has_its_outcome = battery(ROWS)
