"""Rows 1 to 23 of the catalogue: what lies in a folder."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from napari_lumbar.dicom import opening, scan
from napari_lumbar.dicom.codes import Exclusion, Oddity

from .catalogue import GOOD, Lab, Make, Row, battery, both, quar, used, warn

ROWS_COLUMN = b"\x28\x00\x10\x00US"
JUNK = (
    ("a.txt", b"notes"),
    (".DS_Store", b"\0\0\0\1Bud1"),
    ("viewer.exe", b"MZ" + bytes(300)),
    ("a.jpg", b"\xff\xd8"),
)


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


def copy(lab: Lab) -> None:
    (lab.folder / "z").write_bytes((lab.folder / GOOD[0]).read_bytes())


ROWS: list[Row] = [
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
    (19, copy, quar(Exclusion.DUPLICATE)),
    (20, conflict, quar(Exclusion.UID_CONFLICT, 3)),
    (21, failing(FileNotFoundError(2, "No such file")), quar(Exclusion.VANISHED)),
    (22, odd_names, used(n_slices=5)),
    (23, program, warn(Oddity.PROGRAM)),
]


test_a_row_has_its_outcome = battery(ROWS)
