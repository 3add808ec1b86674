"""Canaries: a study whose every text, file name and folder name is a word that must never be seen again.

The real command runs in a process of its own that counts every attempt to reach a network.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import PrivateBlock

from napari_lumbar.phantom import PhantomConfig, make_phantom, write_study

SMALL = PhantomConfig(sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6)
TEXT_VRS = ("PN", "LO", "SH", "ST", "LT", "UT", "UC")
#: Read for their meaning, with values of a closed list.
MEANINGFUL = {"SpecificCharacterSet"}
#: Prints each audit event that would reach a network, then what the command prints.
WATCHED = """
import sys
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request",
           "http.client.connect", "ftplib.connect", "smtplib.connect")
def watch(event, arguments):
    if event in NETWORK:
        print("NETWORK", event, arguments, file=sys.stderr)
sys.addaudithook(watch)
from napari_lumbar.cli import main
main()
"""


class Canaries:
    """Words of which each is given away once."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def new(self) -> str:
        self.given.append(f"CANARY{len(self.given):04d}X")
        return self.given[-1]

    @staticmethod
    def seen_in(data: bytes) -> list[str]:
        return re.findall(r"CANARY\d{4}X", data.decode("utf-8", "replace"), flags=re.IGNORECASE)


def fill(dataset: Dataset, canaries: Canaries, count: int) -> None:
    """Put canaries into the text elements that are there, into others, and into private ones."""
    for element in dataset:
        if element.VR in TEXT_VRS and element.keyword not in MEANINGFUL:
            element.value = canaries.new()
    known = [
        t for t, (vr, *_) in DicomDictionary.items() if vr in TEXT_VRS and t not in dataset and t >> 16 > 8
    ]
    for tag in known[:: max(1, len(known) // count)][:count]:
        if keyword_for_tag(tag):
            dataset.add_new(tag, DicomDictionary[tag][0], canaries.new())
    block: PrivateBlock = dataset.private_block(0x0013, canaries.new(), create=True)
    block.add_new(1, "LO", canaries.new())
    dataset.PatientName, dataset.PatientID = canaries.new(), "P" + canaries.given[0]
    dataset.SeriesDescription, dataset.StudyDescription = canaries.new(), canaries.new()
    dataset.ProtocolName = canaries.new()


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, canaries: Canaries) -> Path:
    made = tmp_path_factory.mktemp("made")
    write_study(make_phantom(2_000_000, SMALL), made)
    folder = tmp_path_factory.mktemp("root") / canaries.new() / canaries.new()
    patient = canaries.new()
    for i, path in enumerate(sorted(made.rglob("*.dcm"))):
        dataset = dcmread(path)
        fill(dataset, canaries, count=40 if i % 10 == 0 else 1)
        dataset.PatientID = patient
        target = folder / canaries.new() / f"{canaries.new()}.dcm"
        target.parent.mkdir(parents=True)
        dataset.save_as(target)
    (folder / f"{canaries.new()}.txt").write_text(canaries.new())
    broken = folder / canaries.new()
    broken.write_bytes(next(folder.rglob("*.dcm")).read_bytes()[:900])
    return folder


def watched(tmp: Path, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own whose home, cache and temporary folders are watched too."""
    (tmp / "home").mkdir(exist_ok=True)
    (tmp / "tmp").mkdir(exist_ok=True)
    places = {"HOME": str(tmp / "home"), "TMPDIR": str(tmp / "tmp"), "OMP_NUM_THREADS": "1"}
    environment = {
        **os.environ,
        **places,
        "XDG_DATA_HOME": str(tmp / "home"),
        "XDG_CACHE_HOME": str(tmp / "home"),
    }
    command = [sys.executable, "-c", WATCHED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, timeout=600, check=False)


def written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file's name and content, pictures inside pages and compressed text inside pictures unpacked."""
    for path in folder.rglob("*"):
        yield path, str(path.relative_to(folder)).encode()
        if path.is_file():
            data = path.read_bytes()
            yield path, data
            for found in re.finditer(rb"data:image/png;base64,([A-Za-z0-9+/=]+)", data):
                yield path, unpacked(base64.b64decode(found[1]))


def unpacked(png: bytes) -> bytes:
    """The text chunks of a picture, inflated where they are compressed."""
    texts, at = [b""], 8
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        assert kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"sBIT")
        if kind == b"zTXt":
            body = zlib.decompress(body[body.index(b"\0") + 2 :])
        texts += [body] if kind.endswith(b"Xt") else []
        at += size + 12
    return b"\n".join(texts)


def quiet(done: subprocess.CompletedProcess[bytes], tmp: Path) -> None:
    """No canary was printed or written, and no network was asked for."""
    printed = done.stdout + done.stderr
    assert Canaries.seen_in(printed) == [], printed.decode()[-2000:]
    assert b"NETWORK" not in printed, printed.decode()[-2000:]
    leaks = [(path.name, seen[:3]) for path, data in written(tmp) if (seen := Canaries.seen_in(data))]
    assert leaks == []


def test_an_analysis_tells_nothing_and_asks_nobody(study: Path, canaries: Canaries, tmp_path: Path) -> None:
    assert len(set(canaries.given)) == len(canaries.given) > 300
    done = watched(tmp_path, "analyze", study, "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode in (0, 5), done.stderr.decode()
    assert (tmp_path / "out" / "analysis.json").exists()
    quiet(done, tmp_path)
    for path in (tmp_path / "out").iterdir():
        assert path.stat().st_mode & 0o077 == 0, "only the owner may read a result"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_scan_tells_nothing_unless_it_is_asked_to(
    study: Path, canaries: Canaries, tmp_path: Path, options: tuple[str, ...]
) -> None:
    quiet(watched(tmp_path, "scan", study, *options), tmp_path)
    assert Canaries.seen_in(watched(tmp_path, "scan", study, *options, "--identified").stdout)


def test_errors_tell_nothing(study: Path, canaries: Canaries, tmp_path: Path) -> None:
    without = study / canaries.new()
    without.mkdir()
    out = ("--out", tmp_path / "out")
    calls: list[tuple[object, ...]] = [
        ("analyze", without, *out),
        ("analyze", study, "--study-uid", "1.2", *out),
    ]
    for arguments in calls:
        done = watched(tmp_path, *arguments)
        assert done.returncode == 3, done.stderr.decode()
        quiet(done, tmp_path)
