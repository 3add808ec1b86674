"""Damaged images in nine encodings are read or refused with a reason: no crash, no hang, no foreign error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CASES = 20_000
ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="the program measures memory with POSIX calls")
@pytest.mark.timeout(1800)  # about 16 ms of processor time a case, on two cores
def test_no_damaged_image_gets_through_the_reader() -> None:
    """In processes of its own, so that a crash is a failed test and no dead suite."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz", "--cases", str(CASES), "--jobs", "2"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{CASES} cases in" in ended.stdout
    for outcome in ("used", "unreadable", "truncated_pixels", "bad_pixels", "no_geometry", "size_mismatch"):
        assert f"| {outcome} |" in ended.stdout, "the damage must reach every part of the reader"


def test_a_defect_of_the_reader_fails_its_case() -> None:
    """A reader that raises is found, by case; what the fuzz says of a good one means something."""
    program = (
        "import sys; from benchmarks import fuzz\n"
        "def read_study(folder): raise struct.error if folder.name == '1' else fuzz.StudyError('no image')\n"
        "import struct; fuzz.read_study = read_study\n"
        "tally = fuzz.run_chunk(1, 0, 3); print(tally.cases, *tally.failures)"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("3 case 1: Traceback")
    assert "struct.error" in ended.stdout
