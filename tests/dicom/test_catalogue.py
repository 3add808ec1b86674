"""The catalogue of bad and odd input: each row by its number, made here, with what must come of it.

A row is asserted here, or named with the test elsewhere that asserts it, or with what it still waits for.
"""

from __future__ import annotations

import os
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
)

from napari_lumbar.dicom import opening, read_study, scan, survey_folder
from napari_lumbar.dicom.codes import Exclusion, Oddity
from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import FileOutcome, SeriesRole, Study

N_ROWS = 109
GOOD = ("good0", "good1", "good2", "good3", "good4")
T1, T2, AXIAL = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2
DERIVED = ["DERIVED", "SECONDARY", "MPR"]


@dataclass
class Lab:
    """A folder of one good sagittal series of five slices, and the means to add to it."""

    folder: Path
    block: Callable[..., list[SliceGeometry]]
    write: Callable[..., Path]
    monkeypatch: pytest.MonkeyPatch

    def series(self, plane: str, count: int, uid: str, name: str = "", **change: Any) -> list[Path]:
        keys = {"centre", "tilt_deg", "step_mm", "spacing_mm", "size"} & change.keys()
        slices = self.block(plane, count, **{key: change.pop(key) for key in keys})
        names = [self.folder / f"{name or uid}_{i}" for i in range(count)]
        return [
            self.write(path, one, SeriesInstanceUID=uid, InstanceNumber=i, **change)
            for i, (path, one) in enumerate(zip(names, slices, strict=True))
        ]

    def odd(self, name: str = "odd", **change: Any) -> Path:
        """A sixth slice of the good series."""
        (geometry,) = self.block("sagittal", 1, centre=(12, 0, 0))
        return self.write(self.folder / name, geometry, **change)

    def patch(self, old: bytes, new: bytes, **change: Any) -> None:
        """A sixth slice in which some bytes are others."""
        path = self.odd(**change)
        whole = path.read_bytes()
        assert whole.count(old) == 1, "the bytes to change must be found once"
        path.write_bytes(whole.replace(old, new))

    def alone(self) -> None:
        """Take the good series away."""
        for name in GOOD:
            (self.folder / name).unlink()

    def read(self) -> Study:
        """Read, and check that no file was lost on the way."""
        study = read_study(self.folder)
        used, excluded = (study.accounting.count(outcome) for outcome in FileOutcome)
        assert used + excluded == len(study.accounting.records) >= 1
        return study


@pytest.fixture
def lab(tmp_path: Path, block: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name, geometry in zip(GOOD, block("sagittal", 5), strict=True):
        write(tmp_path / name, geometry)
    return Lab(tmp_path, block, write, monkeypatch)


Make = Callable[[Lab], Any]
Check = Callable[[Lab], None]


def excluded(lab: Lab, code: Exclusion, count: int = 1) -> None:
    """QUAR: so many items are excluded for this reason, and the good series is whole."""
    study = lab.read()
    assert [r.code for r in study.accounting.excluded] == [code.code] * count
    assert all(
        r.reason.startswith(code.sentence) and r.remedy == code.remedy for r in study.accounting.excluded
    )
    assert not {r.path for r in study.accounting.excluded} & set(GOOD)


def quar(code: Exclusion, count: int = 1) -> Check:
    return lambda lab: excluded(lab, code, count)


def used(n_series: int = 1, n_slices: int = 6) -> Check:
    """OK: nothing is excluded and nothing but DICOM's rules is complained of."""

    def check(lab: Lab) -> None:
        study = lab.read()
        assert not study.accounting.excluded
        assert [w for w in study.warnings if Oddity.ODD_HEADER.sentence not in w] == []
        assert (len(study.series), sum(len(s.slices) for s in study.series)) == (n_series, n_slices)

    return check


def warn(oddity: Oddity) -> Check:
    """WARN: used, and noted."""

    def check(lab: Lab) -> None:
        assert any(oddity.sentence in warning for warning in lab.read().warnings)

    return check


def stop(words: str) -> Check:
    """STOP: nothing is read, and the sentence says why."""

    def check(lab: Lab) -> None:
        with pytest.raises(StudyError, match=words):
            lab.read()

    return check


def both(*checks: Check) -> Check:
    def check(lab: Lab) -> None:
        for one in checks:
            one(lab)

    return check


def stacks(*sizes: int, plane: str = "axial") -> Check:
    """OK: the series beside the good one has stacks of these sizes."""

    def check(lab: Lab) -> None:
        (series,) = [s for s in lab.read().series if s.series_uid == plane]
        assert [len(stack.slices) for stack in series.stacks] == list(sizes)

    return check


def roles(**expected: SeriesRole | None) -> Check:
    """The series of these UIDs play these roles."""

    def check(lab: Lab) -> None:
        assert {s.series_uid: s.role for s in lab.read().series if s.series_uid in expected} == expected

    return check


# --- files


def cut_at(where: Callable[[bytes], int]) -> Make:
    def make(lab: Lab) -> None:
        path = lab.odd()
        whole = path.read_bytes()
        path.write_bytes(whole[: where(whole)])

    return make


def tail(extra: bytes) -> Make:
    def make(lab: Lab) -> None:
        path = lab.odd()
        path.write_bytes(path.read_bytes() + extra)

    return make


def content(*files: tuple[str, bytes]) -> Make:
    def make(lab: Lab) -> None:
        for name, data in files:
            (lab.folder / name).write_bytes(data)

    return make


def without_preamble(lab: Lab) -> None:
    path = lab.odd(Modality="MR")
    path.write_bytes(path.read_bytes()[132:])


def index(*file_ids: list[str]) -> Make:
    def make(lab: Lab) -> None:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.77")
        records = []
        for file_id in file_ids:
            record = Dataset()
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", file_id
            records.append(record)
        dataset.DirectoryRecordSequence = DicomSequence(records)
        dataset.save_as(lab.folder / "DICOMDIR", enforce_file_format=True)

    return make


def no_note_of_references(lab: Lab) -> None:
    assert not any(Oddity.MISSING_REFERENCES.sentence in w for w in lab.read().warnings)


def nested_folders(lab: Lab) -> None:
    for i, name in enumerate(GOOD):
        target = lab.folder.joinpath(*["deep"] * 20, str(i))
        target.mkdir(parents=True)
        (lab.folder / name).rename(target / "image")


def link_loop(lab: Lab) -> None:
    (lab.folder / "sub").mkdir()
    (lab.folder / "sub" / "loop").symlink_to(lab.folder, target_is_directory=True)


def failing(error: OSError) -> Make:
    """The file named odd cannot be opened; it is tried twice."""

    def make(lab: Lab) -> None:
        lab.odd()
        tries: list[Path] = []

        def refuse(path: Path) -> Any:
            if path.name != "odd":
                return opening.open_header(path)
            tries.append(path)
            raise error

        lab.monkeypatch.setattr(scan, "open_header", refuse)

    return make


def closed_folder(lab: Lab) -> None:
    (lab.folder / "closed").mkdir()
    listed = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    lab.monkeypatch.setattr(os, "scandir", refuse)


def archive(lab: Lab) -> None:
    with zipfile.ZipFile(lab.folder / "study.zip", "w") as packed:
        packed.write(lab.folder / GOOD[0], "image")


def huge(lab: Lab) -> None:
    """A sparse file of over 4 GB whose pixel element claims nearly all of it."""
    path = lab.odd()
    whole = path.read_bytes()
    start = whole.rindex(b"\xe0\x7f\x10\x00OW")
    with path.open("r+b") as file:
        file.seek(start + 8)
        file.write(struct.pack("<L", 0xFFFFFF00))
        file.truncate(2**32 + 2**20)


def conflict(lab: Lab) -> None:
    first, second, _ = lab.series("axial", 3, "axial")
    other = dcmread(second)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = dcmread(first).SOPInstanceUID
    other.save_as(second)


def odd_names(lab: Lab) -> None:
    for old, new in zip(GOOD, ("Wirbelsäule 腰椎.dcm", "n" * 250, "dot.", "a b", "UPPER.DCM"), strict=True):
        (lab.folder / old).rename(lab.folder / new)


def program(lab: Lab) -> None:
    path = lab.odd()
    path.write_bytes(b"MZ" + path.read_bytes()[2:])


# --- pixels


def no_decoder(syntax: Any) -> Make:
    def make(lab: Lab) -> None:
        lab.odd(compress=True, label=syntax)
        lab.monkeypatch.setattr(get_decoder(syntax), "_available", {})

    return make


def names_syntax(word: str) -> Check:
    def check(lab: Lab) -> None:
        excluded(lab, Exclusion.NO_DECODER)
        assert word in lab.read().accounting.excluded[0].reason

    return check


def bomb(lab: Lab) -> None:
    path = lab.odd()
    whole = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    length = struct.unpack("<L", whole[140:144])[0] + 2
    head, body = whole[: 144 + length], whole[144 + length :]
    at = head.index(b"1.2.840.10008.1.2.1.99") - 2
    head = head[:at] + struct.pack("<H", 22) + head[at + 2 :]
    head = head[:140] + struct.pack("<L", length) + head[144:]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    path.write_bytes(head + deflater.compress(body + bytes(2**24)) + deflater.flush())
    lab.monkeypatch.setattr(opening, "MAX_INFLATED_BYTES", 2**22)


def pixels_are(stored: Any, expected: Any, **change: Any) -> tuple[Make, Check]:
    """A one-slice axial series of these stored values is read as these."""

    def make(lab: Lab) -> None:
        array = np.array(stored)
        lab.series("axial", 1, "axial", size=array.shape, pixels=array, **change)

    def check(lab: Lab) -> None:
        (series,) = [s for s in lab.read().series if s.series_uid == "axial"]
        np.testing.assert_array_equal(series.slices[0].pixels, expected)

    return make, check


# --- headers


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


# --- series


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
        lab.series("sagittal", 9, "echoes", f"te{echo}", EchoTime=echo, RepetitionTime=3000)


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


def other_studies(**change: Any) -> Make:
    return lambda lab: lab.odd(StudyInstanceUID="9.9", SeriesInstanceUID="9.9.1", **change)


def only(**change: Any) -> Make:
    def make(lab: Lab) -> None:
        lab.alone()
        lab.odd(**change)

    return make


def series_of(plane: str, count: int, **change: Any) -> Make:
    return lambda lab: lab.series(plane, count, "axial", **change)


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


def copy(lab: Lab) -> None:
    (lab.folder / "z").write_bytes((lab.folder / GOOD[0]).read_bytes())


def private_syntax(lab: Lab) -> None:
    lab.patch(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")


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


def other_frame(lab: Lab) -> None:
    lab.odd(SeriesInstanceUID="1.9", FrameOfReferenceUID="1.8")


ROWS_COLUMN = b"\x28\x00\x10\x00US"
JUNK = (
    ("a.txt", b"notes"),
    (".DS_Store", b"\0\0\0\1Bud1"),
    ("viewer.exe", b"MZ" + bytes(300)),
    ("a.jpg", b"\xff\xd8"),
)
MONO1 = pixels_are(np.array([[0, 4095]], np.uint16), [[4095, 0]], PhotometricInterpretation="MONOCHROME1")
SLOPE = pixels_are(np.array([[2, 4]], np.uint16), [[1, 2]], RescaleSlope="0.5E0", RescaleIntercept="0")
NON_SQUARE = {"spacing_mm": (0.9, 0.4), "size": (12, 30)}
SIGNED = np.tile(np.array([127, 2145], np.int16), (20, 7))

ROWS: list[tuple[int, Make, Check]] = [
    (1, content(("odd", b"")), quar(Exclusion.EMPTY)),
    (2, cut_at(lambda whole: 100), quar(Exclusion.NOT_DICOM)),
    (3, cut_at(lambda whole: whole.index(ROWS_COLUMN) + 4), quar(Exclusion.TRUNCATED_HEADER)),
    (4, cut_at(lambda whole: len(whole) - 100), quar(Exclusion.TRUNCATED_PIXELS)),
    (5, tail(b"\xff" * 64), quar(Exclusion.BAD_PIXELS)),
    (6, tail(bytes(64)), used()),
    (7, without_preamble, warn(Oddity.NO_PREAMBLE)),
    (8, content(*JUNK), quar(Exclusion.NOT_DICOM, len(JUNK))),
    (9, lambda lab: lab.odd("IMAGE.TXT"), used()),
    (10, index(["GOOD0"], ["GOOD1"]), both(quar(Exclusion.DICOMDIR), no_note_of_references)),
    (11, index(["GOOD0"], ["DIR", "GONE"]), warn(Oddity.MISSING_REFERENCES)),
    (12, index(["..", "..", "SECRET"]), quar(Exclusion.UNSAFE_REFERENCE)),
    (13, nested_folders, used(n_slices=5)),
    (14, link_loop, quar(Exclusion.LINK)),
    (15, lambda lab: os.mkfifo(lab.folder / "pipe"), quar(Exclusion.NOT_REGULAR)),
    (16, failing(PermissionError(13, "Permission denied")), quar(Exclusion.NO_ACCESS)),
    (16, closed_folder, quar(Exclusion.NO_ACCESS)),
    (17, archive, quar(Exclusion.ARCHIVE)),
    (18, huge, quar(Exclusion.SIZE_MISMATCH)),
    (
        19,
        lambda lab: (lab.folder / "z").write_bytes((lab.folder / GOOD[0]).read_bytes()),
        quar(Exclusion.DUPLICATE),
    ),
    (20, conflict, quar(Exclusion.UID_CONFLICT, 3)),
    (21, failing(FileNotFoundError(2, "No such file")), quar(Exclusion.VANISHED)),
    (22, odd_names, used(n_slices=5)),
    (23, program, warn(Oddity.PROGRAM)),
    (24, no_decoder(JPEGLosslessSV1), names_syntax("JPEG Lossless")),
    (25, no_decoder(JPEGLSLossless), names_syntax("JPEG-LS")),
    (26, lambda lab: lab.odd(compress=True, label=JPEG2000Lossless), quar(Exclusion.BAD_PIXELS)),
    (
        26,
        lambda lab: lab.patch(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"),
        quar(Exclusion.UNKNOWN_SYNTAX),
    ),
    (28, bomb, quar(Exclusion.TOO_LARGE)),
    (29, lambda lab: lab.odd(Rows=65535, Columns=65535), quar(Exclusion.SIZE_MISMATCH)),
    (30, lambda lab: lab.odd(Rows=10), quar(Exclusion.SIZE_MISMATCH)),
    (31, lambda lab: lab.odd(pixels=SIGNED, BitsStored=12), warn(Oddity.HIGH_BITS)),
    (32, lambda lab: lab.odd(PhotometricInterpretation="PALETTE COLOR"), quar(Exclusion.CAPTURE)),
    (32, lambda lab: lab.odd(LossyImageCompression="01"), warn(Oddity.LOSSY)),
    (33, *MONO1),
    (34, *SLOPE),
    (35, lambda lab: lab.odd(WindowCenter=["40", "80"], WindowWidth="0"), used()),
    (36, lambda lab: lab.odd(pixels=np.zeros((20, 14), np.uint16)), quar(Exclusion.BLANK)),
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
    (52, disc_stacks, stacks(3, 3, 3, 3, 3)),
    (
        53,
        lambda lab: [lab.series("axial", 4, "axial", str(z), centre=(0, 0, z)) for z in (0, -40)],
        stacks(4, 4),
    ),
    (
        54,
        lambda lab: [lab.series("axial", n, "axial", str(n), centre=(0, 0, -40 * n)) for n in (1, 2, 3)],
        stacks(1, 2, 3),
    ),
    (55, beside_each_other, stacks(4, 4)),
    (56, series_of("axial", 25), warn(Oddity.OBLIQUE_DISCS)),
    (57, repeated, both(warn(Oddity.REPEATED), quar(Exclusion.REPEATED_POSITION, 4), newer_are_used)),
    (58, lambda lab: lab.series("axial", 7, "axial")[3].unlink(), warn(Oddity.UNEVEN)),
    (59, lambda lab: lab.odd(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), quar(Exclusion.STRAY_DERIVED)),
    (59, lambda lab: lab.odd(ImageType=DERIVED), quar(Exclusion.STRAY_DERIVED)),
    (59, lambda lab: lab.odd(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]), quar(Exclusion.STRAY_PLANE)),
    (60, echoes, both(warn(Oddity.SPLIT_SERIES), echoes_apart)),
    (61, planes, both(warn(Oddity.SPLIT_SERIES), planes_apart)),
    (62, lambda lab: None, any_order),
    (62, lambda lab: None, sides_are_the_patients),
    (63, one_uid_per_slice, both(warn(Oddity.JOINED_SERIES), lambda lab: used_as(lab, 2, 11))),
    (64, enhanced, frames_are_slices),
    (64, lambda lab: lab.odd(NumberOfFrames=6), quar(Exclusion.MULTI_FRAME)),
    (65, lambda lab: lab.odd(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), quar(Exclusion.MOSAIC)),
    (65, lambda lab: lab.odd(DiffusionBValue=800.0), quar(Exclusion.UNSUPPORTED_CONTRAST)),
    (65, lambda lab: lab.odd(ImageType=["DERIVED", "PRIMARY", "ADC"]), quar(Exclusion.UNSUPPORTED_CONTRAST)),
    (
        66,
        upper_and_lower,
        roles(up=AXIAL, low=AXIAL),
    ),
    (68, foreign_words, roles(t1=T1, t2=T2)),
    (69, contrasts, both(roles(t1=T1, pd=None, stir=T2), warn(Oddity.CONTRAST_AGENT))),
    (
        70,
        isotropic,
        roles(space=T2),
    ),
    (
        71,
        lambda lab: [
            lab.series("axial", 3, "axial", str(n), size=(n, n), centre=(0, 0, -n)) for n in (16, 32)
        ],
        stacks(3, 3),
    ),
    (74, other_studies(PatientID="ID-0815"), stop("holds 2 studies of 2 patients: .* Choose")),
    (74, lambda lab: lab.odd(PatientID="ID-0815"), stop("images of 2 patients, by their PatientID")),
    (
        75,
        other_studies(StudyDate="20260101"),
        stop(r"2 studies: 9\.9 .*1\.2\.3 .*newest is named"),
    ),
    (
        76,
        other_frame,
        warn(Oddity.FRAMES_OF_REFERENCE),
    ),
    (84, only(AnatomicalOrientationType="QUADRUPED"), stop("an animal's image")),
    (85, only(Modality="CT"), stop("not an MR image: Modality is CT")),
]

#: Rows of other parts of the program, with the test that asserts them.
ELSEWHERE = {
    67: "pipeline/test_recesses.py::test_no_plane_near_is_said_and_not_guessed",
    72: "pipeline/test_embedded_bundle.py::test_what_needs_a_missing_series_says_so_and_gets_no_grade",
    73: "pipeline/test_embedded_bundle.py::test_without_sagittal_series_nothing_is_named",
    77: "pipeline/test_embedded_bundle.py::test_a_patient_who_moved_before_the_axial_series",
    78: "pipeline/test_recesses.py::test_a_canal_point_off_to_one_side_is_centred_on_the_canal_seen",
    79: "pipeline/test_plausibility.py::test_each_contradiction_is_said_with_its_values",
    80: "pipeline/test_plausibility.py::test_a_field_that_ends_early_leaves_levels_and_the_sacrum_out",
    81: "pipeline/test_image_quality.py::test_ghosts_are_a_warning_and_metal_hides_its_foramen",
    82: "pipeline/test_image_quality.py::test_ghosts_are_a_warning_and_metal_hides_its_foramen",
    87: "widgets/test_reader_dock.py::test_what_a_person_must_always_see_and_cannot_break",
    89: "session/test_places.py::test_a_landmark_never_leaves_the_image",
    90: "session/test_session.py::test_undo_and_redo_walk_through_the_edits",
    91: "widgets/test_reading.py::test_an_answer_for_another_study_is_dropped",
    94: "export/test_write.py::test_a_result_that_cannot_be_made_leaves_the_older_one",
    96: "models/test_bundle.py::test_one_changed_bit_is_noticed_before_anything_is_parsed",
    97: "models/test_bundle.py::test_one_changed_bit_is_noticed_before_anything_is_parsed",
    101: "models/test_bundle.py::test_a_folder_without_a_manifest_is_no_bundle",
    98: "models/test_bundle.py::test_classes_that_changed_places_in_the_weights_are_noticed",
    99: "models/test_bundle.py::test_a_pickle_is_never_run",
    100: "pipeline/test_judge.py::test_one_answer_that_is_no_probability_leaves_the_finding_ungraded",
    102: "training/test_engine.py::test_a_torn_checkpoint_write_leaves_the_old_one",
    103: "training/test_engine.py::test_losses_that_are_not_finite_are_counted_and_stop_the_run_by_name",
    105: "training/rsna/test_preflight.py::test_points_on_images_that_are_not_there_are_reported",
    108: "training/test_engine_processes.py::test_a_dead_process_ends_the_job",
}

#: Rows that no part of the program meets yet, and what each waits for.
LATER = {
    27: "decoding in a child process with a limit of time and memory",
    83: "a mirrored image cannot be proven; no check by vessels is tried, the letters are always shown",
    86: "a test that runs the analysis twice from the window",
    88: "a test that deletes or renames a layer while an analysis runs",
    92: "a test that adds and deletes points in napari's layer list",
    93: "falling back to the CPU when a GPU fails in mid-run",
    95: "a window on a machine without OpenGL; doctor says so today",
    104: "a limit on the share of images that training may skip",
    106: "a warning where a fold lacks a class",
    107: "a mirrored phantom for every recipe's augmentation",
    109: "resuming with another number of processes",
}


def used_as(lab: Lab, n_series: int, n_slices: int) -> None:
    study = lab.read()
    assert not study.accounting.excluded
    assert (len(study.series), sum(len(s.slices) for s in study.series)) == (n_series, n_slices)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # while writing what breaks the rules
@pytest.mark.parametrize(
    ("make", "check"), [pytest.param(make, check, id=f"row-{number:03}") for number, make, check in ROWS]
)
def test_a_row_has_its_outcome(lab: Lab, make: Make, check: Check) -> None:
    make(lab)
    check(lab)
    survey = survey_folder(lab.folder, lambda _: None, lambda: None)
    assert len(survey.accounting.records) == n_found(lab.folder)


def n_found(folder: Path) -> int:
    """How many files and links lie below, and folders that cannot be listed (the one named closed)."""
    paths = [Path(parent, name) for parent, subs, files in os.walk(folder) for name in (*subs, *files)]
    return sum(path.is_symlink() or not path.is_dir() or path.name == "closed" for path in paths)


def test_every_row_of_the_catalogue_is_here() -> None:
    here = {number for number, _, _ in ROWS}
    assert here | ELSEWHERE.keys() | LATER.keys() == set(range(1, N_ROWS + 1))
    assert len(here) + len(ELSEWHERE) + len(LATER) == N_ROWS, "a row has one place"


@pytest.mark.parametrize("number", ELSEWHERE)
def test_a_test_that_is_named_exists(number: int) -> None:
    file, name = ELSEWHERE[number].split("::")
    assert f"def {name}" in (Path(__file__).parents[1] / file).read_text("utf-8")


@pytest.mark.parametrize("code", [*Exclusion, *Oddity], ids=lambda code: code.code)
def test_every_code_is_stable_and_says_what_it_means(code: Exclusion | Oddity) -> None:
    assert code.code == code.name.lower()
    assert len(code.sentence) > 10
    assert not code.sentence.endswith(".")
