"""What the tests of the catalogue of bad and odd input share: a folder to spoil, and what may come of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.dicom import read_study, survey_folder
from napari_lumbar.dicom.codes import Exclusion, Oddity
from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import FileOutcome, SeriesRole, Study

GOOD = ("good0", "good1", "good2", "good3", "good4")
T1, T2, AXIAL = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2


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


Make = Callable[[Lab], Any]
Check = Callable[[Lab], None]
#: The row's number, what makes its input, and what must come of it.
Row = tuple[int, Make, Check]


def battery(rows: Sequence[Row]) -> Callable[..., None]:
    """Return the test of these rows: adding a row adds its test."""

    @pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # while writing what breaks the rules
    @pytest.mark.parametrize(
        ("make", "check"), [pytest.param(make, check, id=f"row-{number:03}") for number, make, check in rows]
    )
    def test(lab: Lab, make: Make, check: Check) -> None:
        make(lab)
        check(lab)
        survey = survey_folder(lab.folder, lambda _: None, lambda: None)
        assert len(survey.accounting.records) == n_found(lab.folder)

    return test


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


def series_of(plane: str, count: int, **change: Any) -> Make:
    return lambda lab: lab.series(plane, count, "axial", **change)


def n_found(folder: Path) -> int:
    """How many files and links lie below, and folders that cannot be listed (the one named closed)."""
    paths = [Path(parent, name) for parent, subs, files in os.walk(folder) for name in (*subs, *files)]
    return sum(path.is_symlink() or not path.is_dir() or path.name == "closed" for path in paths)
