"""Rows 37 to 51 of the catalogue: what a header says."""

from __future__ import annotations

import re

from pydicom import dcmread

from napari_lumbar.dicom.codes import Exclusion, Oddity

from .catalogue import GOOD, Lab, Make, Row, battery, both, quar, series_of, stacks, stop, used, warn

NON_SQUARE = {"spacing_mm": (0.9, 0.4), "size": (12, 30)}


def spacing(text: bytes) -> Make:
    return lambda lab: lab.patch(b"0.8\\0.5 ", text)


def tilted(amount: float) -> Make:
    return lambda lab: lab.odd(ImageOrientationPatient=[0, 1 + amount, 0, 0, 0, -1])


def nested_sequences(lab: Lab) -> None:
    path = lab.odd()
    whole = path.read_bytes()
    at = whole.index(b"\x08\x00\x16\x00UI")
    depth = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(whole[:at] + depth * 3000 + whole[at:])


def hostile_uid(lab: Lab) -> None:
    lab.series("axial", 3, "../../etc/passwd", name="up")


def safe_names(lab: Lab) -> None:
    for series in lab.read().series:
        assert re.fullmatch(r"[\w-][\w.-]*", series.series_id)


def every_position(lab: Lab) -> None:
    """PatientPosition changes nothing: position and orientation already are the patient's."""
    before = [s.geometry for s in lab.read().series[0].slices]
    for position in ("HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"):
        for name in GOOD:
            dataset = dcmread(lab.folder / name)
            dataset.PatientPosition = position
            dataset.save_as(lab.folder / name)
        assert [s.geometry for s in lab.read().series[0].slices] == before


def anonymised(lab: Lab) -> None:
    lab.alone()
    lab.odd(drop=["ImagePositionPatient"], PatientIdentityRemoved="YES")


ROWS: list[Row] = [
    (37, lambda lab: lab.patch(b"12345 ", b"abc   ", InstanceNumber=12345), used()),
    (38, lambda lab: lab.odd(drop=["ImagePositionPatient"]), quar(Exclusion.NO_GEOMETRY)),
    (38, lambda lab: lab.odd(drop=["ImageOrientationPatient"]), quar(Exclusion.NO_GEOMETRY)),
    (39, lambda lab: lab.odd(drop=["PixelSpacing"]), quar(Exclusion.NO_GEOMETRY)),
    (39, spacing(b"0,8\\0,5 "), quar(Exclusion.NO_GEOMETRY)),
    (39, spacing(b"0.8     "), quar(Exclusion.NO_GEOMETRY)),
    (39, spacing(b"nan\\nan "), quar(Exclusion.NO_GEOMETRY)),
    (39, spacing(b"0.0\\0.0 "), quar(Exclusion.BAD_GEOMETRY)),
    (40, series_of("axial", 3, **NON_SQUARE), both(stacks(3), used(2, 8))),
    (41, series_of("axial", 3, spacing_mm=(5, 5)), quar(Exclusion.IMPLAUSIBLE_SPACING, 3)),
    (41, series_of("axial", 3, spacing_mm=(0.05, 0.05)), quar(Exclusion.IMPLAUSIBLE_SPACING, 3)),
    (42, tilted(5e-4), used()),
    (42, tilted(5e-2), quar(Exclusion.BAD_GEOMETRY)),
    (42, lambda lab: lab.odd(ImageOrientationPatient=[0, 1, 0, 0, 0]), quar(Exclusion.NO_GEOMETRY)),
    (43, series_of("axial", 3, SpacingBetweenSlices=9), warn(Oddity.STEP_CONTRADICTED)),
    (44, lambda lab: lab.odd(SeriesDescription="sag \u202e t2", SpecificCharacterSet="ISO_IR 192"), used()),
    (44, lambda lab: lab.patch(b"ISO_IR 192", b"ISO_IR 999", SpecificCharacterSet="ISO_IR 192"), used()),
    (45, lambda lab: lab.patch(b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00QQ"), used()),
    (46, nested_sequences, quar(Exclusion.TOO_DEEP)),
    (47, lambda lab: lab.odd(drop=["SOPInstanceUID"]), quar(Exclusion.NO_UID)),
    (47, hostile_uid, safe_names),
    (48, lambda lab: lab.odd(PatientID="", PatientName=""), used()),
    (49, lambda lab: None, every_position),
    (50, lambda lab: lab.odd(BodyPartExamined="CSPINE"), warn(Oddity.BODY_PART)),
    (51, anonymised, stop("the geometry was removed when the images were de-identified")),
]


test_a_row_has_its_outcome = battery(ROWS)
