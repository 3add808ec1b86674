"""A study whose every text, file name and folder name is a word that must never be seen again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import PrivateBlock

from napari_lumbar.phantom import PhantomConfig, make_phantom, write_study

#: Audit events that would reach a network.
NETWORK = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "urllib.Request",
    "http.client.connect",
    "ftplib.connect",
    "smtplib.connect",
)
#: What this process asked of a network since somebody first listened: an audit hook can never be taken away.
_ASKED: list[str] = []
_SMALL = PhantomConfig(sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6)
_TEXT_VRS = ("PN", "LO", "SH", "ST", "LT", "UT", "UC")
#: Read for their meaning, with values of a closed list.
_MEANINGFUL = {"SpecificCharacterSet"}


class Canaries:
    """Words, and numbers, of which each is given away once."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def new(self) -> str:
        self.given.append(f"CANARY{len(self.given):04d}X")
        return self.given[-1]

    def new_number(self) -> str:
        """A number as hospitals give patients."""
        self.given.append(f"0047118{len(self.given):04d}")
        return self.given[-1]

    @staticmethod
    def seen_in(data: bytes) -> list[str]:
        return re.findall(r"CANARY\d{4}X|0047118\d{4}", data.decode("utf-8", "replace"), flags=re.IGNORECASE)


def _fill(dataset: Dataset, canaries: Canaries, count: int) -> None:
    """Put canaries into the text elements that are there, into others, and into private ones."""
    for element in dataset:
        if element.VR in _TEXT_VRS and element.keyword not in _MEANINGFUL:
            element.value = canaries.new()
    known = [
        t for t, (vr, *_) in DicomDictionary.items() if vr in _TEXT_VRS and t not in dataset and t >> 16 > 8
    ]
    for tag in known[:: max(1, len(known) // count)][:count]:
        if keyword_for_tag(tag):
            dataset.add_new(tag, DicomDictionary[tag][0], canaries.new())
    block: PrivateBlock = dataset.private_block(0x0013, canaries.new(), create=True)
    block.add_new(1, "LO", canaries.new())
    dataset.PatientName, dataset.PatientID = canaries.new(), "P" + canaries.given[0]
    dataset.SeriesDescription, dataset.StudyDescription = canaries.new(), canaries.new()
    dataset.ProtocolName = canaries.new()


def write_canaries(made: Path, root: Path, canaries: Canaries) -> Path:
    """Write a small study into ``made``, then with canaries into a folder under ``root``; return that."""
    write_study(make_phantom(2_000_000, _SMALL), made)
    folder = root / canaries.new() / canaries.new_number()
    patient = canaries.new()
    # The axial series lies in a folder that is named by a number, as RSNA's are and patients' are.
    of_series = canaries.new_number()
    numbered = dcmread(max(made.rglob("*.dcm"))).SeriesInstanceUID
    for i, path in enumerate(sorted(made.rglob("*.dcm"))):
        dataset = dcmread(path)
        _fill(dataset, canaries, count=40 if i % 10 == 0 else 1)
        dataset.PatientID = patient
        place = of_series if dataset.SeriesInstanceUID == numbered else canaries.new()
        target = folder / place / f"{canaries.new()}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(target)
    (folder / f"{canaries.new()}.txt").write_text(canaries.new())
    broken = folder / canaries.new()
    broken.write_bytes(next(folder.rglob("*.dcm")).read_bytes()[:900])
    return folder


@contextmanager
def asking_a_network() -> Iterator[list[str]]:
    """What this process asks of a network meanwhile, once that is over."""
    _listen()
    before, asked = len(_ASKED), list[str]()
    yield asked
    asked += _ASKED[before:]


@cache
def _listen() -> None:
    def take_down(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NETWORK:
            _ASKED.append(f"{event} {arguments}")

    sys.addaudithook(take_down)
