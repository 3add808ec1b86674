"""The log: enough to find a fault, nothing about a patient, for its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import torch

from napari_lumbar.domain.errors import StudyError
from napari_lumbar.widgets.logbook import Logbook, failure_text, note, note_failure


def failing(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise StudyError(f"cannot read {secret}") from error


def caught(secret: str) -> StudyError:
    with pytest.raises(StudyError) as info:
        failing(secret)
    return info.value


def test_a_failure_is_told_without_values_or_folders() -> None:
    text = failure_text(caught("/data/DOE^JANE/1.2.840.113619.2"))
    assert "StudyError\n" in text
    assert "KeyError\n" in text
    assert "test_logbook.py:" in text
    assert " in failing" in text
    for secret in ("DOE", "1.2.840", "/data", str(Path(__file__).parent)):
        assert secret not in text


def test_what_a_device_says_is_kept() -> None:
    assert "Tried to allocate 2 GiB" in failure_text(torch.OutOfMemoryError("CUDA: Tried to allocate 2 GiB"))


def test_the_file_is_its_owners_alone_and_does_not_grow_without_end(tmp_path: Path) -> None:
    book = Logbook(tmp_path / "log")
    note_failure(caught("secret"))
    assert "ERROR StudyError" in book.text()
    for _ in range(3000):
        note("x" * 200)
    files = list((tmp_path / "log").iterdir())
    assert 2 <= len(files) <= 4
    for file in files:
        assert file.stat().st_size <= 200_000
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    book.close()
    note("after")
    assert "after" not in book.text()


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    book = Logbook(tmp_path / "log")
    note("lost")
    assert book.text() == ""
    book.close()
