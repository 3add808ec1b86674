"""Compressed pixels are decoded in another process, and what happens to that one stays there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_lumbar.dicom import decoder_process, read_study
from napari_lumbar.dicom.codes import Exclusion
from napari_lumbar.dicom.complaint import Complaint
from napari_lumbar.dicom.decoder_process import DecoderProcess, Outcome
from napari_lumbar.dicom.pixels import WantedSlice
from napari_lumbar.domain.errors import Cancelled
from napari_lumbar.domain.geometry import SliceGeometry

from .spoiled_decoder import SPOILED, spoil_decoder

Block = Callable[..., list[SliceGeometry]]
Write = Callable[..., Path]
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of memory, nor these calls")


@pytest.fixture
def images(tmp_path: Path, block: Block, write: Write) -> Path:
    """Three compressed slices; the second is one that a spoiled decoder does not stand."""
    for i, geometry in enumerate(block("sagittal", 3)):
        number = SPOILED if i == 1 else i
        write(tmp_path / str(i), geometry, compress=True, SOPInstanceUID=f"1.{i}", InstanceNumber=number)
    return tmp_path


def decoded(folder: Path, cancel: Callable[[], None] = lambda: None) -> Iterator[Outcome]:
    with DecoderProcess(cancel) as decoder:
        for i in range(3):
            yield from decoder.read(folder / str(i), [WantedSlice(f"1.{i}", None, 20, 14, True)])


@pytest.mark.parametrize(
    ("action", "limit_s", "code"),
    [
        ("while True: pass", 1, Exclusion.DECODING_TIMEOUT),
        ("os.abort()", 60, Exclusion.DECODER_CRASHED),
        pytest.param("ctypes.string_at(0)", 60, Exclusion.DECODER_CRASHED, marks=posix),
        pytest.param("bytearray(2**32)", 60, Exclusion.TOO_LARGE, marks=posix),
        ("decoding_child._send = nonsense", 60, Exclusion.DECODER_CRASHED),
        ("raise KeyError('damaged')", 60, Exclusion.BAD_PIXELS),
    ],
)
def test_an_image_that_a_decoder_does_not_stand_is_excluded_and_the_next_is_read(
    images: Path, monkeypatch: pytest.MonkeyPatch, action: str, limit_s: float, code: Exclusion
) -> None:
    spoil_decoder(monkeypatch, action, limit_s)
    first, second, third = decoded(images)
    assert isinstance(second, Complaint)
    assert second.why is code
    for good in (first, third):
        assert not isinstance(good, Complaint)
        np.testing.assert_array_equal(good.signal, np.arange(280).reshape(20, 14))


def test_one_process_serves_every_file_and_ends_with_the_reading(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Kept)
    assert len(read_study(images).series[0].slices) == 3
    (process,) = started
    assert process.returncode is not None


def test_what_is_not_compressed_needs_no_process(
    tmp_path: Path, block: Block, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a", block("sagittal", 1)[0])
    monkeypatch.delattr(subprocess, "Popen")
    assert len(read_study(tmp_path).series) == 1


@pytest.mark.parametrize("command", [("no-such-program",), (sys.executable, "-c", "raise SystemExit")])
def test_a_process_that_cannot_start_is_said_and_not_tried_again(
    images: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(decoder_process, "COMMAND", command)
    with DecoderProcess(lambda: None) as decoder:
        wanted = [WantedSlice("1.0", None, 20, 14, True)]
        assert list(decoder.read(images / "0", wanted)) == [Complaint(Exclusion.DECODER_NOT_STARTED)]
        monkeypatch.undo()
        assert list(decoder.read(images / "0", wanted)) == [Complaint(Exclusion.DECODER_NOT_STARTED)]


def test_waiting_for_a_decoder_can_be_cancelled(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_decoder(monkeypatch, "while True: pass")
    outcomes: list[Outcome] = []
    asked: list[float] = []

    def cancel() -> None:
        if outcomes:
            asked.append(time.monotonic())
            raise Cancelled("by a person")

    def watch() -> None:
        for outcome in decoded(images, cancel):
            outcomes.append(outcome)  # noqa: PERF402

    with pytest.raises(Cancelled, match="by a person"):
        watch()
    assert time.monotonic() - asked[0] < 2


def test_a_process_left_alone_ends_by_itself(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody ends it when the program that asks is gone: here, that one waits longer."""
    spoil_decoder(monkeypatch, "time.sleep(600)", own_limit_s=1)
    _, second, _ = decoded(images)
    assert second == Complaint(Exclusion.DECODER_CRASHED)


def test_nothing_is_imported_from_the_folder_that_is_read(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "pydicom", "json"):
        (images / f"{name}.py").write_text("open('executed', 'w')")
    monkeypatch.chdir(images)
    assert not any(isinstance(one, Complaint) for one in decoded(Path()))
    assert not (images / "executed").exists()


def test_frames_of_a_file_are_given_up_together_after_a_timeout(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_decoder(monkeypatch, "while True: pass", limit_s=1)
    wanted = [WantedSlice("1.1", None, 20, 14, True)] * 5
    began = time.monotonic()
    with DecoderProcess(lambda: None) as decoder:
        outcomes = list(decoder.read(images / "1", wanted))
    assert {one.why for one in outcomes if isinstance(one, Complaint)} == {Exclusion.DECODING_TIMEOUT}
    assert len(outcomes) == 5
    assert time.monotonic() - began < 60
