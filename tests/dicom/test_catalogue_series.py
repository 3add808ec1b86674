"""Rows 52 to 71 of the catalogue: how slices make series."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import EnhancedMRImageStorage

from napari_lumbar.dicom.codes import Exclusion, Oddity
from napari_lumbar.domain.geometry import SliceGeometry

from .catalogue import AXIAL, GOOD, T1, T2, Lab, Row, battery, both, quar, roles, series_of, stacks, warn

DERIVED = ["DERIVED", "SECONDARY", "MPR"]


def disc_stacks(lab: Lab) -> None:
    for i in range(5):
        lab.series("axial", 3, "axial", f"disc{i}", centre=(0, 0, -35 * i), tilt_deg=8 * i - 6)


def beside_each_other(lab: Lab) -> None:
    """Two stacks of one tilt that overlap along the normal, 15 mm apart across it."""
    lab.series("axial", 4, "axial", "upper", tilt_deg=20)
    lab.series("axial", 4, "axial", "lower", tilt_deg=20, centre=(0, 15, -9))


def repeated(lab: Lab) -> None:
    for number in (1, 2):
        time = f"{10 + number}0000"
        lab.series("axial", 4, "axial", f"run{number}", AcquisitionNumber=number, AcquisitionTime=time)


def newer_are_used(lab: Lab) -> None:
    study = lab.read()
    paths = {r.path for r in study.accounting.excluded}
    assert paths == {f"run1_{i}" for i in range(4)}
    assert all("is used" in r.reason for r in study.accounting.excluded)


def echoes(lab: Lab) -> None:
    for echo in (10, 90):
        times = {"EchoTime": echo, "RepetitionTime": 3000}
        lab.series("sagittal", 9, "echoes", f"te{echo}", SeriesDescription="SAG PD/T2 TSE", **times)


def echoes_apart(lab: Lab) -> None:
    parts = {s.series_id: s for s in lab.read().series if s.series_uid == "echoes"}
    assert {name: len(part.slices) for name, part in parts.items()} == {"echoes-part1": 9, "echoes-part2": 9}
    assert parts["echoes-part2"].candidate_role is T2


def planes(lab: Lab) -> None:
    for plane in ("sagittal", "axial", "coronal"):
        lab.series(plane, 9, "mixed", plane)


def planes_apart(lab: Lab) -> None:
    mixed = [s for s in lab.read().series if s.series_uid == "mixed"]
    assert sorted(len(s.slices) for s in mixed) == [9, 9, 9]
    assert len({s.series_id for s in mixed}) == 3


def stations(lab: Lab) -> None:
    """An upper and a lower block of each contrast under one UID, as of a thoracolumbar examination."""
    lab.alone()
    for contrast, echo, repetition in (("T1", 10, 600), ("T2", 90, 3500)):
        for z in (0, 220):
            times = {"EchoTime": echo, "RepetitionTime": repetition, "SeriesDescription": f"SAG {contrast}"}
            lab.series("sagittal", 11, contrast, f"{contrast}_{z}", centre=(0, 0, z), **times)


def lowest_station_is_used(lab: Lab) -> None:
    for role in (T1, T2):
        (used,) = lab.read().with_role(role)
        assert len(used.slices) == 11
        assert abs(used.positions_lps_mm[:, 2].mean()) < 1


def merged(lab: Lab) -> None:
    """T1 and T2 of other sizes under one UID: no place is imaged twice."""
    lab.alone()
    for contrast, echo, repetition, size in (("T1", 10, 600, 32), ("T2", 90, 3500, 24)):
        times = {"EchoTime": echo, "RepetitionTime": repetition, "SeriesDescription": "LUMBAR"}
        lab.series("sagittal", 11, "one", contrast, size=(size, size), **times)


def merged_are_two(lab: Lab) -> None:
    for role, size in ((T1, 32), (T2, 24)):
        (used,) = lab.read().with_role(role)
        assert [s.geometry.rows for s in used.slices] == [size] * 11


def references(lab: Lab) -> None:
    """Three sagittal reference images among the axial slices, nothing in their headers."""
    lab.series("axial", 20, "axial")
    lab.series("sagittal", 3, "axial", "reference", step_mm=15)


def any_order(lab: Lab) -> None:
    disc_stacks(lab)
    before = [[s.geometry for s in series.slices] for series in lab.read().series]
    names = sorted(path.name for path in lab.folder.iterdir())
    for old, new in zip(names, random.Random(2).sample(range(100, 200), len(names)), strict=True):
        (lab.folder / old).rename(lab.folder / str(new))
    assert [[s.geometry for s in series.slices] for series in lab.read().series] == before


def one_uid_per_slice(lab: Lab) -> None:
    for i, geometry in enumerate(lab.block("axial", 6)):
        lab.write(lab.folder / f"single{i}", geometry, SeriesInstanceUID=f"axial.{i}")


def enhanced(lab: Lab, **change: Any) -> Path:
    """One file of two tilted stacks of three frames, each frame with its slope."""
    frames: list[SliceGeometry] = []
    items = []
    for i, tilt in enumerate((0, 15)):
        frames += lab.block("axial", 3, tilt_deg=tilt, centre=(0, 0, -40 * i))
    for number, geometry in enumerate(frames):
        item = Dataset()
        for macro, keyword, value in (
            ("PlanePositionSequence", "ImagePositionPatient", geometry.position_lps_mm),
            (
                "PlaneOrientationSequence",
                "ImageOrientationPatient",
                (*geometry.along_row, *geometry.along_column),
            ),
            ("PixelValueTransformationSequence", "RescaleSlope", number + 1),
        ):
            group = Dataset()
            setattr(group, keyword, [f"{v:.9g}" for v in np.atleast_1d(value)])
            setattr(item, macro, DicomSequence([group]))
        items.append(item)
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.8, 0.5]
    shared.PixelMeasuresSequence = DicomSequence([measures])
    flat = {"drop": ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]}
    pixels = np.stack([np.arange(280, dtype=np.uint16).reshape(20, 14)] * 6)
    groups = {"PerFrameFunctionalGroupsSequence": items, "SharedFunctionalGroupsSequence": [shared]}
    return lab.write(
        lab.folder / "enhanced",
        frames[0],
        pixels,
        SOPClassUID=EnhancedMRImageStorage,
        SeriesInstanceUID="axial",
        NumberOfFrames=6,
        **{**groups, **flat, **change},
    )


def frames_of_two_files(lab: Lab) -> None:
    """The same six numbers in each of two files of one series."""
    shutil.move(enhanced(lab, SOPInstanceUID="1.1"), lab.folder / "upper")
    lower = dcmread(enhanced(lab, SOPInstanceUID="1.2"))
    for frame in lower.PerFrameFunctionalGroupsSequence:
        position = frame.PlanePositionSequence[0]
        x, y, z = position.ImagePositionPatient
        position.ImagePositionPatient = [x, y, f"{z - 90:.9g}"]
    lower.save_as(lab.folder / "enhanced")


def frames_share_numbers(lab: Lab) -> None:
    (series,) = [s for s in lab.read().series if s.series_uid == "axial"]
    assert sorted(s.instance_number for s in series.slices) == sorted([1, 2, 3, 4, 5, 6] * 2)
    assert any("tell images by their place in mm, not by number" in note for note in lab.read().warnings)


def frames_are_slices(lab: Lab) -> None:
    stacks(3, 3)(lab)
    (series,) = [s for s in lab.read().series if s.series_uid == "axial"]
    assert [s.instance_number for s in series.slices] == [3, 2, 1, 6, 5, 4]
    assert [float(s.pixels.max()) / 279 for s in series.slices] == [3, 2, 1, 6, 5, 4]
    np.testing.assert_allclose(series.slices[0].geometry.spacing_rc_mm, (0.8, 0.5))


def contrasts(lab: Lab) -> None:
    lab.alone()
    for uid, text in (("t1", "t1 sag fs gd"), ("pd", "pd sag"), ("stir", "stir sag")):
        lab.series("sagittal", 11, uid, SeriesDescription=text)


def whole_examination(lab: Lab) -> None:
    """One protocol's name, that of the examination, on every series."""
    lab.alone()
    for uid, echo, repetition in (("t1", 10, 600), ("t2", 90, 3500)):
        names = {"SeriesDescription": f"SAG {uid}", "ProtocolName": "LUMBAR SPINE ROUTINE PD"}
        lab.series("sagittal", 11, uid, EchoTime=echo, RepetitionTime=repetition, **names)


def before_and_after(lab: Lab) -> None:
    """The later of two T1 after contrast agent, under a protocol's name that is the examination's."""
    lab.alone()
    for uid, text in (("plain", "SAG T1"), ("post", "SAG T1 FS +C")):
        names = {"SeriesDescription": text, "ProtocolName": "L-SPINE W/WO +C"}
        time = "110000" if uid == "post" else "100000"
        lab.series("sagittal", 11, uid, EchoTime=10, RepetitionTime=600, AcquisitionTime=time, **names)


def fat_saturated(lab: Lab) -> None:
    """The later of two T1 with fat saturated, as mostly after an agent that nothing names; T2 likewise."""
    lab.alone()
    for contrast, echo, repetition in (("T1", 10, 600), ("T2", 90, 3500)):
        times: dict[str, Any] = {
            "EchoTime": echo,
            "RepetitionTime": repetition,
            "SeriesDescription": f"SAG {contrast}",
        }
        lab.series("sagittal", 11, f"{contrast}fs", AcquisitionTime="110000", ScanOptions="FS", **times)
        lab.series("sagittal", 11, contrast, AcquisitionTime="100000", **times)


def no_agent(lab: Lab) -> None:
    assert not any(Oddity.CONTRAST_AGENT.sentence in warning for warning in lab.read().warnings)


def enhanced_after_agent(lab: Lab) -> None:
    enhanced(lab, SeriesDescription="T1", ContrastBolusAgentSequence=DicomSequence([Dataset()]))


def agent_is_read(lab: Lab) -> None:
    (series,) = [s for s in lab.read().series if s.series_uid == "axial"]
    assert series.weighting == "T1 after contrast agent"


def whole_spine(lab: Lab) -> None:
    lab.alone()
    for region, pixel_mm in (("C", 0.5), ("T", 0.6), ("L", 0.8)):
        for contrast in ("T1", "T2"):
            names = {"SeriesDescription": f"{region}-SPINE SAG {contrast}"}
            part = {"BodyPartExamined": f"{region}SPINE"} if region == "C" else {}
            spacing_mm = pixel_mm, pixel_mm
            lab.series("sagittal", 11, f"{region}{contrast}", spacing_mm=spacing_mm, **names, **part)


def dixon(lab: Lab, *uids: str) -> None:
    """The four images of a Dixon sequence, in one series or in four."""
    lab.alone()
    times = {"EchoTime": 90, "RepetitionTime": 3500, "SeriesDescription": "t2_tse_dixon_sag"}
    for uid, word in zip(uids, ("FAT", "IN_PHASE", "OUT_PHASE", "WATER"), strict=True):
        kind = ["DERIVED", "PRIMARY", "DIXON", word]
        lab.series("sagittal", 11, uid, word, ImageType=kind, **times)


def in_phase_is_used(lab: Lab) -> None:
    (used,) = lab.read().with_role(T2)
    paths = [dcmread(path) for path in lab.folder.iterdir()]
    words = {p.ImageType[3] for p in paths if p.SOPInstanceUID in {s.sop_instance_uid for s in used.slices}}
    assert words == {"IN_PHASE"}


def axial_contrasts(lab: Lab) -> None:
    lava: dict[str, Any] = {"ScanningSequence": "GR", "RepetitionTime": 4, "EchoTime": 1.2}
    lab.series("axial", 9, "t2", SeriesDescription="AX T2", RepetitionTime=4000, EchoTime=100)
    lava |= {"SeriesDescription": "AX LAVA FLEX +C", "ContrastBolusAgent": "Gd", "step_mm": 2.0}
    lab.series("axial", 17, "lava", **lava)
    lab.series("axial", 9, "fs", SeriesDescription="AX POST GAD FS", RepetitionTime=1500, EchoTime=9)


def foreign_words(lab: Lab) -> None:
    lab.alone()
    for uid, text, echo, time in (("t1", "矢状位", 11, 550), ("t2", "عمودي", 95, 3500)):
        lab.series(
            "sagittal",
            11,
            uid,
            SeriesDescription=text,
            EchoTime=echo,
            RepetitionTime=time,
            SpecificCharacterSet="ISO_IR 192",
        )


def sides_are_the_patients(lab: Lab) -> None:
    """Stored the other way round, with the orientation that says so, a slice is the same slice."""
    (series,) = lab.read().series
    before = [(s.geometry.lps_from_pixel((0, 0)), s.pixels[0, 0]) for s in series.slices]
    for name in GOOD:
        dataset = dcmread(lab.folder / name)
        (geometry,) = [s.geometry for s in series.slices if s.sop_instance_uid == dataset.SOPInstanceUID]
        dataset.PixelData = dataset.pixel_array[:, ::-1].tobytes()
        dataset.ImagePositionPatient = list(geometry.lps_from_pixel((0, geometry.columns - 1)))
        dataset.ImageOrientationPatient = [*-np.array(geometry.along_row), *geometry.along_column]
        dataset.save_as(lab.folder / name)
    after = lab.read().series[0].slices
    for (corner, value), one in zip(before, after, strict=True):
        np.testing.assert_allclose(
            one.geometry.lps_from_pixel((0, one.geometry.columns - 1)), corner, atol=1e-6
        )
        assert one.pixels[0, -1] == value


def parallel_stacks(lab: Lab) -> None:
    for z in (0, -40):
        lab.series("axial", 4, "axial", str(z), centre=(0, 0, z))


def short_stacks(lab: Lab) -> None:
    for count in (1, 2, 3):
        lab.series("axial", count, "axial", str(count), centre=(0, 0, -40 * count))


def upper_and_lower(lab: Lab) -> None:
    for uid, z in (("up", 50), ("low", 0)):
        lab.series("axial", 3, uid, centre=(0, 0, z))


def sizes(lab: Lab) -> None:
    for size in (16, 32):
        lab.series("axial", 3, "axial", str(size), size=(size, size), centre=(0, 0, -size))


def isotropic(lab: Lab) -> None:
    lab.series("sagittal", 40, "space", step_mm=0.9, SeriesDescription="t2 space")


def used_as(lab: Lab, n_series: int, n_slices: int) -> None:
    study = lab.read()
    assert not study.accounting.excluded
    assert (len(study.series), sum(len(s.slices) for s in study.series)) == (n_series, n_slices)


ROWS: list[Row] = [
    (52, disc_stacks, stacks(3, 3, 3, 3, 3)),
    (53, parallel_stacks, stacks(4, 4)),
    (54, short_stacks, stacks(1, 2, 3)),
    (55, beside_each_other, stacks(4, 4)),
    (56, series_of("axial", 25), warn(Oddity.OBLIQUE_DISCS)),
    (57, repeated, both(warn(Oddity.REPEATED), quar(Exclusion.REPEATED_POSITION, 4), newer_are_used)),
    (58, lambda lab: lab.series("axial", 7, "axial")[3].unlink(), warn(Oddity.UNEVEN)),
    (59, lambda lab: lab.odd(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), quar(Exclusion.STRAY_DERIVED)),
    (59, lambda lab: lab.odd(ImageType=DERIVED), quar(Exclusion.STRAY_DERIVED)),
    (59, lambda lab: lab.odd(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]), quar(Exclusion.STRAY_PLANE)),
    (59, references, both(quar(Exclusion.STRAY_PLANE, 3), stacks(20))),
    (60, merged, both(warn(Oddity.SPLIT_SERIES), merged_are_two)),
    (61, stations, both(warn(Oddity.SPLIT_SERIES), lowest_station_is_used)),
    (60, echoes, both(warn(Oddity.SPLIT_SERIES), echoes_apart)),
    (61, planes, both(warn(Oddity.SPLIT_SERIES), planes_apart)),
    (62, lambda lab: None, any_order),
    (62, lambda lab: None, sides_are_the_patients),
    (63, one_uid_per_slice, both(warn(Oddity.JOINED_SERIES), lambda lab: used_as(lab, 2, 11))),
    (64, enhanced, frames_are_slices),
    (64, frames_of_two_files, both(warn(Oddity.FRAMES_OF_FILES), frames_share_numbers)),
    (64, lambda lab: lab.odd(NumberOfFrames=6), quar(Exclusion.MULTI_FRAME)),
    (65, lambda lab: lab.odd(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), quar(Exclusion.MOSAIC)),
    (65, lambda lab: lab.odd(DiffusionBValue=800.0), quar(Exclusion.UNSUPPORTED_CONTRAST)),
    (65, lambda lab: lab.odd(ImageType=["DERIVED", "PRIMARY", "ADC"]), quar(Exclusion.UNSUPPORTED_CONTRAST)),
    (66, upper_and_lower, roles(up=AXIAL, low=AXIAL)),
    (68, foreign_words, roles(t1=T1, t2=T2)),
    (69, contrasts, both(roles(t1=T1, pd=None, stir=T2), warn(Oddity.CONTRAST_AGENT))),
    (69, whole_examination, roles(t1=T1, t2=T2)),
    (69, before_and_after, both(roles(plain=T1, post=None), no_agent)),
    (69, fat_saturated, roles(T1=T1, T1fs=None, T2=T2, T2fs=None)),
    (69, enhanced_after_agent, agent_is_read),
    (69, whole_spine, roles(CT1=None, CT2=None, TT1=None, TT2=None, LT1=T1, LT2=T2)),
    (69, lambda lab: dixon(lab, *["one"] * 4), in_phase_is_used),
    (69, lambda lab: dixon(lab, "a", "b", "c", "d"), roles(a=None, b=T2, c=None, d=None)),
    (69, axial_contrasts, roles(t2=AXIAL, lava=None, fs=None)),
    (70, isotropic, roles(space=T2)),
    (71, sizes, stacks(3, 3)),
]


test_a_row_has_its_outcome = battery(ROWS)
