"""Corrections survive a restart, and nothing on disk is ever lost or names a patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.landmarks import dependent_findings
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Side
from napari_lumbar.domain.study import Study
from napari_lumbar.session import SessionState, SessionStore, landmark_at

LEFT_SUBARTICULAR = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L5_S1)
BUNDLE = "ab" * 32


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    landmark = landmark_at(small_study.by_id("ax"), LEFT_SUBARTICULAR, 13, (21.25, 44.5))
    return SessionState(small_study.study_uid, small_analysis).correcting(landmark)


def test_corrections_come_back_as_they_were_and_stale(
    tmp_path: Path, small_study: Study, state: SessionState
) -> None:
    SessionStore(tmp_path).save(state)
    restored = SessionStore(tmp_path).restore(small_study, BUNDLE)
    assert restored.corrections == state.corrections
    assert restored.message == "Corrections restored: 1."
    again = replace(state, corrections=restored.corrections)
    assert again.stale == dependent_findings(LEFT_SUBARTICULAR)


def test_another_bundle_or_study_has_its_own_file(
    tmp_path: Path, small_study: Study, state: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(state)
    assert store.restore(small_study, "cd" * 32).corrections == {}
    assert store.restore(replace(small_study, study_uid="1.2.840.2"), BUNDLE).corrections == {}


def test_the_file_names_no_study(tmp_path: Path, small_study: Study, state: SessionState) -> None:
    SessionStore(tmp_path).save(state)
    (path,) = tmp_path.iterdir()
    assert small_study.study_uid not in path.name + path.read_text()


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, state: SessionState, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SessionStore(tmp_path)
    store.save(state)
    path = store.path(state.study_uid, BUNDLE)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk gone")))
    with pytest.raises(OSError, match="disk gone"):
        store.save(state.resetting(LEFT_SUBARTICULAR))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text[:40], id="cut short"),
        pytest.param(
            lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), id="newer schema"
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_kept_and_told(
    tmp_path: Path, small_study: Study, state: SessionState, spoil: object
) -> None:
    assert callable(spoil)
    store = SessionStore(tmp_path)
    store.save(state)
    path = store.path(state.study_uid, BUNDLE)
    spoilt = spoil(path.read_text())
    path.write_text(spoilt)
    restored = store.restore(small_study, BUNDLE)
    assert restored.corrections == {}
    (kept,) = tmp_path.glob("*.kept")
    assert kept.read_text() == spoilt
    assert f"cannot be read (ValidationError); it was kept as {kept.name}" in restored.message


def test_corrections_on_series_no_longer_in_use_are_kept_aside(
    tmp_path: Path, small_study: Study, state: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(state)
    restored = store.restore(small_study.assigning("ax", None), BUNDLE)
    assert "speaks of slices that the series in use do not have" in restored.message
    assert len(list(tmp_path.glob("*.kept"))) == 1


def test_the_left_side_stays_left(tmp_path: Path, small_study: Study, state: SessionState) -> None:
    store = SessionStore(tmp_path)
    store.save(state)
    (key,) = store.restore(small_study, BUNDLE).corrections
    assert key.condition.side is Side.LEFT
