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
from tests.canaries import NETWORK, Canaries, write_canaries

#: Prints each audit event that would reach a network, then what the command prints.
WATCHED = f"""
import sys
def watch(event, arguments):
    if event in {NETWORK}:
        print("NETWORK", event, arguments, file=sys.stderr)
sys.addaudithook(watch)
from napari_lumbar.cli import main
main()
"""


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, canaries: Canaries) -> Path:
    return write_canaries(tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("root"), canaries)


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
