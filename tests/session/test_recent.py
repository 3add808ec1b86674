"""Recent studies are remembered only when asked for, in a file of the owner's, and are forgotten at once."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from napari_lumbar.session import RecentStudies
from napari_lumbar.session.recent import MAX_RECENT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "recent.json"


def test_nothing_is_remembered_until_it_is_switched_on(file: Path, tmp_path: Path) -> None:
    recent = RecentStudies(file)
    recent.add("Study 1", tmp_path, "1.2.3")
    recent.clear()
    assert not recent.is_on
    assert not recent.studies
    assert not file.parent.exists()


def test_the_latest_come_first_once_each_and_few(file: Path, tmp_path: Path) -> None:
    recent = RecentStudies(file)
    recent.switch(True)
    for number in range(MAX_RECENT + 2):
        recent.add(f"Study {number}", tmp_path / str(number), "1.2.3")
    recent.add("Study 5", tmp_path / "5", "1.2.3")
    again = RecentStudies(file)
    assert again.is_on
    assert [study.name for study in again.studies] == [f"Study {n}" for n in (5, 9, 8, 7, 6, 4, 3, 2)]
    assert again.studies[0].folder == tmp_path / "5"
    again.clear()
    assert recent.is_on
    assert not recent.studies
    recent.switch(False)
    assert not file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_can_read_the_file(file: Path, tmp_path: Path) -> None:
    recent = RecentStudies(file)
    recent.switch(True)
    recent.add("Study 1", tmp_path, "1.2.3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_file_is_an_empty_list(file: Path, tmp_path: Path) -> None:
    recent = RecentStudies(file)
    recent.switch(True)
    file.write_text("[]")
    assert not recent.studies
    recent.add("Study 1", tmp_path, "1.2.3")
    assert [study.name for study in recent.studies] == ["Study 1"]
