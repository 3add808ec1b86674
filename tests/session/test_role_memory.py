"""Roles that a person gave come back for the same reader and study, and hold no identifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.pipeline.run import series_used
from napari_lumbar.session import RoleMemory, SessionState, SessionStore, read_session, roles_differ

T1, T2 = SeriesRole.SAGITTAL_T1, SeriesRole.SAGITTAL_T2


def roles(study: Study | None) -> dict[str, SeriesRole | None]:
    assert study is not None
    return {series.series_id: series.role for series in study.series}


@pytest.fixture
def memory(tmp_path: Path) -> RoleMemory:
    return RoleMemory(SessionStore(tmp_path, "AB"))


def test_roles_by_hand_come_back_and_can_be_taken_back(
    memory: RoleMemory, small_study: Study, tmp_path: Path
) -> None:
    assert memory.recall(small_study) is None
    changed = small_study.assigning("t1", None).assigning("t2", T1)
    memory.remember(changed)
    assert roles(memory.recall(small_study)) == {"t1": None, "t2": T1, "ax": SeriesRole.AXIAL_T2}
    assert memory.recall(changed) is None, "nothing differs"
    (file,) = tmp_path.iterdir()
    assert small_study.study_uid not in file.read_text() + file.name
    assert all(series.series_uid not in file.read_text() for series in small_study.series)
    memory.remember(small_study)
    assert memory.recall(small_study) is None, "a person wants the automatic roles"
    assert roles(memory.recall(changed)) == roles(small_study)


def test_another_reader_study_or_damaged_file_offers_nothing(
    memory: RoleMemory, small_study: Study, tmp_path: Path
) -> None:
    memory.remember(small_study.assigning("t1", None))
    other = RoleMemory(SessionStore(tmp_path, "CD"))
    assert other.recall(small_study) is None
    other.remember(small_study)
    assert roles(memory.recall(small_study))["t1"] is None, "another reader's roles do not replace them"
    assert memory.recall(replace(small_study, study_uid="1.2.840.2")) is None
    assert memory.recall(replace(small_study, series=small_study.series[1:])) is None
    for file in tmp_path.iterdir():
        file.write_text("{")
    assert memory.recall(small_study) is None


def test_a_session_from_before_gives_its_roles(
    memory: RoleMemory, state: SessionState, small_study: Study, tmp_path: Path
) -> None:
    SessionStore(tmp_path, "AB").save(state)
    assert memory.recall(small_study) is None, "it was saved with the automatic roles"
    otherwise = small_study.assigning("t1", None)
    assert roles(memory.recall(otherwise)) == roles(small_study)
    late = replace(small_study.series[1], series_id="late")
    arrived = replace(otherwise, series=(*otherwise.series, late))
    assert roles(memory.recall(arrived)) == {**roles(small_study), "late": T2}, "nobody gave it another role"
    assert memory.recall(replace(otherwise, series=otherwise.series[:1])) is None, (
        "series of the session lack"
    )
    SessionStore(tmp_path, "CD").folder.joinpath("stray.json").write_text("{")
    assert RoleMemory(SessionStore(tmp_path, "CD")).recall(otherwise) is None


def test_the_preferred_series_of_a_role_comes_back_first(memory: RoleMemory, small_study: Study) -> None:
    both = replace(small_study, series=(*small_study.series, replace(small_study.series[2], series_id="ax2")))
    assert not roles_differ(both, both)
    changed = both.choosing(SeriesRole.AXIAL_T2, ("ax2", "ax"))
    assert roles_differ(changed, both)
    memory.remember(changed)
    recalled = memory.recall(both)
    assert recalled is not None
    assert [s.series_id for s in recalled.with_role(SeriesRole.AXIAL_T2)] == ["ax2", "ax"]


def test_a_doubtful_series_that_a_person_put_first_is_sure_when_it_comes_back(
    memory: RoleMemory, state: SessionState, small_study: Study, tmp_path: Path
) -> None:
    doubtful, other = (
        replace(small_study.series[2], series_id=name, role_assumed=True) for name in ("ax2", "ax3")
    )
    automatic = replace(small_study, series=(*small_study.series, doubtful, other))
    changed = automatic.assigning("ax2", SeriesRole.AXIAL_T2)
    memory.remember(changed)
    SessionStore(tmp_path, "AB").save(
        replace(state, analysis=replace(state.analysis, series=series_used(changed)))
    )
    (path,) = (path for path in tmp_path.glob("*.json") if "roles" not in path.name)
    for known in (memory.recall(automatic), read_session(path).with_roles(automatic)):
        assert known is not None
        found = [(s.series_id, s.role_assumed) for s in known.with_role(SeriesRole.AXIAL_T2)]
        assert found == [("ax2", False), ("ax", False), ("ax3", True)]
