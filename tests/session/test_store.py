"""Work survives a restart and a crash, belongs to one reader, and nothing on disk is ever lost."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.domain.errors import SessionError
from napari_lumbar.domain.landmarks import Landmarks, dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity, Side
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.session import (
    AnothersSession,
    SessionState,
    SessionStore,
    ViewState,
    Work,
    commands,
    landmark_at,
    read_session,
    restore_work,
)

from .conftest import ACTIONS, Act, Action, side_points

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L5_S1)
BUNDLE = "ab" * 32

WRITER = """
import os, pickle, signal, sys
from napari_lumbar.session import SessionStore
import napari_lumbar.session.files as files
states = pickle.loads(open(sys.argv[1], "rb").read())
store = SessionStore(files.Path(sys.argv[2]))
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "fsync": os.fsync = die
if sys.argv[3] == "replace": files.Path.replace = die
print("ready", flush=True)
while True:
    for state in states: store.save(state)
"""


@pytest.fixture
def corrected(small_study: Study, state: SessionState) -> SessionState:
    """One point moved, one grade by hand, one step undone."""
    landmark = landmark_at(small_study.by_id("ax"), LEFT, 13, (21.25, 44.5))
    state = state.doing(commands.move(state, landmark))
    state = state.doing(commands.override(state, LEFT, Severity.SEVERE, "seen, ü"))
    return state.doing(commands.mark_absent(state, LEFT)).undoing()


def path_of(store: SessionStore, state: SessionState) -> Path:
    return store.path(state.study_uid, BUNDLE, state.analysis.series)


def with_images_of_t2(study: Study) -> Study:
    t1, t2, axial = study.series
    return replace(study, series=(t1, t2, replace(axial, stacks=t2.stacks)))


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def test_everything_comes_back_as_it_was_and_stale(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    saved_at = SessionStore(tmp_path, "AB").save(corrected)
    restored = SessionStore(tmp_path, "AB").restore(small_study, BUNDLE)
    assert restored.work == corrected.work
    assert restored.message == "Corrections restored: 1."
    assert restored.saved_at == saved_at
    assert abs(datetime.now(UTC) - saved_at) < timedelta(minutes=10)
    again = replace(corrected, work=restored.work)
    assert again.outdated == dependent_findings(LEFT)
    assert again.redoing().finding(LEFT).severity is None


@given(actions=ACTIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_whatever_was_done_comes_back_identically(
    tmp_path: Path, small_study: Study, state: SessionState, act: Act, actions: list[Action]
) -> None:
    for action in actions:
        state = act(state, action)
    SessionStore(tmp_path).save(state)
    assert SessionStore(tmp_path).restore(small_study, BUNDLE).work == state.work


@given(
    view=st.builds(
        ViewState,
        st.none() | st.sampled_from(ALL_FINDINGS),
        st.dictionaries(st.sampled_from(("t1", "t2", "ax")), st.integers(0, 14)),
        st.dictionaries(st.sampled_from(SeriesRole), st.tuples(*[st.floats(-1e6, 1e6, allow_nan=False)] * 2)),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_what_was_looked_at_comes_back_and_is_no_part_of_the_work(
    tmp_path: Path, small_study: Study, corrected: SessionState, view: ViewState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected, view)
    restored = store.restore(small_study, BUNDLE)
    assert (restored.view, restored.work) == (view, corrected.work)


def test_propagated_points_are_checked_against_the_images_like_any_other(
    tmp_path: Path, small_study: Study, state: SessionState
) -> None:
    points = side_points(small_study, Level.L2_L3, 8)
    store = SessionStore(tmp_path)
    store.save(state.doing(commands.propagate(state, points)).undoing())
    assert store.restore(small_study, BUNDLE).work.undone[0].points
    restored = store.restore(with_images_of_t2(small_study), BUNDLE)
    assert restored.message.startswith("The session file does not fit: the session has points on slices")


def test_a_file_of_the_second_version_is_read(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    path = path_of(store, corrected)
    document = json.loads(path.read_text("utf-8"))
    assert "source" in path.read_text("utf-8")
    path.write_text(json.dumps(as_second_version(document)), "utf-8")
    restored = store.restore(small_study, BUNDLE)
    assert (restored.work, restored.view) == (corrected.work, ViewState())


def as_second_version(part: Any) -> Any:
    """A document without what version 3 brought."""
    if isinstance(part, list):
        return [as_second_version(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {name: as_second_version(one) for name, one in part.items() if name != "view"}
    if "pixel_rc" in kept:
        del kept["source"], kept["confidence"]
    return kept | ({"schema_version": 2} if "schema_version" in kept else {})


def test_the_file_says_who_used_what(tmp_path: Path, corrected: SessionState) -> None:
    store = SessionStore(tmp_path, "AB")
    store.save(corrected)
    document = json.loads(path_of(store, corrected).read_text("utf-8"))
    assert (document["schema_version"], document["reader"], document["bundle_sha256"]) == (5, "AB", BUNDLE)
    assert document["roles"] == {"t1": "Sagittal T1", "t2": "Sagittal T2/STIR", "ax": "Axial T2"}
    (spot,) = document["corrections"]
    assert spot["said"]["override"] == {"severity": "Severe", "reason": "seen, ü"}
    assert (len(document["done"]), len(document["undone"])) == (2, 1)


def test_the_file_names_no_study(tmp_path: Path, small_study: Study, corrected: SessionState) -> None:
    SessionStore(tmp_path).save(corrected)
    (path,) = tmp_path.iterdir()
    assert small_study.study_uid not in path.name + path.read_text("utf-8")


def test_another_study_or_bundle_has_its_own_file_and_says_so(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    other = store.restore(small_study, "cd" * 32)
    assert (other.work, other.saved_at) == (Work(), None)
    name = path_of(store, corrected).name
    said = (
        "Work on other predictions of this study, by another bundle or version or from series in other "
        f"roles, is kept as {name}; it does not apply to these."
    )
    assert other.message == said
    assert store.restore(replace(small_study, study_uid="1.2.840.2"), BUNDLE).message == ""


def test_sessions_never_lie_among_the_images(tmp_path: Path) -> None:
    SessionStore(tmp_path / "project").check_apart(tmp_path / "images")
    for folder in (tmp_path / "images", tmp_path / "images" / "sub"):
        with pytest.raises(SessionError, match=r"among the DICOM files of .*: choose a folder outside it"):
            SessionStore(folder).check_apart(tmp_path / "images")


@pytest.mark.parametrize("reader", ["CD", ""])
def test_another_readers_session_is_neither_used_nor_overwritten(
    tmp_path: Path, small_study: Study, corrected: SessionState, reader: str
) -> None:
    mine = SessionStore(tmp_path, "AB")
    mine.save(corrected)
    before = path_of(mine, corrected).read_bytes()
    other = SessionStore(tmp_path, reader)
    said = "is that of reader 'AB', saved 2.* UTC: take it over, or choose another session folder"
    with pytest.raises(AnothersSession, match=said) as caught:
        other.restore(small_study, BUNDLE)
    assert caught.value.owner.startswith("reader 'AB', saved 2")
    with pytest.raises(SessionError, match=said):
        other.save(corrected)
    assert path_of(mine, corrected).read_bytes() == before


def test_a_session_is_taken_over_with_a_copy_of_what_there_was(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    mine, other = SessionStore(tmp_path, ""), SessionStore(tmp_path, "CD")
    mine.save(corrected)
    before = path_of(mine, corrected).read_bytes()
    restored = other.restore(small_study, BUNDLE, take_over=True)
    assert restored.work == corrected.work
    (kept,) = tmp_path.glob("*.kept")
    assert kept.read_bytes() == before
    assert restored.message.startswith("Taken over from a reader without a name, saved 2")
    assert restored.message.endswith(f"their file was kept as {kept.name}.")
    other.save(corrected)
    with pytest.raises(SessionError, match="is that of reader 'CD'"):
        mine.save(corrected)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:400]), id="cut short"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), id="not text"),
        pytest.param(lambda path: path.write_text("[1]"), id="other JSON"),
        pytest.param(lambda path: rewritten(path, lambda d: d.pop("bundle_sha256")), id="incomplete"),
        pytest.param(lambda path: rewritten(path, lambda d: d.update(more=1)), id="unknown part"),
        pytest.param(lambda path: rewritten(path, lambda d: d["done"].pop()), id="last step gone"),
        pytest.param(
            lambda path: rewritten(path, lambda d: d["corrections"].clear()), id="other corrections"
        ),
        pytest.param(
            lambda path: rewritten(path, lambda d: d["corrections"][0]["said"].update(absent=True)),
            id="absent and placed",
        ),
        pytest.param(
            lambda path: path.write_text(path.read_text("utf-8").replace("44.5", "NaN"), "utf-8"), id="NaN"
        ),
        pytest.param(
            lambda path: path.write_text(
                path.read_text("utf-8").replace('"source": "corrected"', '"source": "predicted"'), "utf-8"
            ),
            id="a prediction",
        ),
    ],
)
def test_a_damaged_file_is_kept_and_told(
    tmp_path: Path, small_study: Study, corrected: SessionState, spoil: Callable[[Path], object]
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    path = path_of(store, corrected)
    spoil(path)
    spoilt = path.read_bytes()
    with pytest.raises(SessionError, match=f"{path.name} cannot be used: its? "):
        read_session(path)
    restored = store.restore(small_study, BUNDLE)
    assert (restored.work, restored.saved_at) == (Work(), None)
    (kept,) = tmp_path.glob("*.kept")
    assert kept.read_bytes() == spoilt
    assert restored.message.endswith(f"It was kept as {kept.name} and a new one begun.")


def test_saving_over_a_damaged_file_keeps_it(tmp_path: Path, corrected: SessionState) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    path_of(store, corrected).write_bytes(b"{")
    store.save(corrected)
    (kept,) = tmp_path.glob("*.kept")
    assert kept.read_bytes() == b"{"
    assert read_session(path_of(store, corrected)).work == corrected.work


def test_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    path = path_of(store, corrected)
    rewritten(path, lambda document: document.update(schema_version=6))
    before = path.read_bytes()
    said = r"newer napari-lumbar \(file version 6; this one reads up to 5\): update napari-lumbar"
    for use in (lambda: store.restore(small_study, BUNDLE), lambda: store.save(corrected)):
        with pytest.raises(SessionError, match=said):
            use()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_moved_points_of_the_first_version_are_taken_over(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    path = path_of(store, corrected)
    document = json.loads(path.read_text("utf-8"))
    (spot,) = document["corrections"]
    point = {"condition": spot["condition"], "level": "L5/S1", **spot["said"]["place"]}
    first = {name: document[name] for name in ("study_sha256", "bundle_sha256", "saved_utc")}
    path.write_text(json.dumps({"schema_version": 1, **first, "corrections": [point]}), "utf-8")
    restored = store.restore(small_study, BUNDLE)
    (said,) = restored.work.corrections.by_spot.values()
    assert said == replace(corrected.correction(LEFT), override=None)
    assert restored.work.done == ()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda study: study.assigning("ax", None), id="series without its role"),
        pytest.param(lambda study: replace(study, series=study.series[:2]), id="series gone"),
    ],
)
def test_work_on_series_in_other_roles_waits_until_they_are_back(
    tmp_path: Path, small_study: Study, corrected: SessionState, other: Callable[[Study], Study]
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    name = path_of(store, corrected).name
    restored = store.restore(other(small_study), BUNDLE)
    assert restored.work == Work()
    assert f"series in other roles, is kept as {name}; it does not apply" in restored.message
    otherwise = replace(corrected, analysis=replace(corrected.analysis, series=()), work=Work())
    store.save(otherwise)
    assert store.restore(small_study, BUNDLE).work == corrected.work


def test_work_on_images_that_are_not_there_is_kept_aside(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    restored = store.restore(with_images_of_t2(small_study), BUNDLE)
    assert restored.work == Work()
    assert restored.message.startswith("The session file does not fit: the session ")
    assert len(list(tmp_path.glob("*.kept"))) == 1


def test_work_on_levels_that_are_named_otherwise_now_is_kept_aside(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    """The same weights, and rules that name the discs one level further down."""
    store = SessionStore(tmp_path)
    store.save(corrected)
    assert store.restore(small_study, BUNDLE, predicted=corrected.analysis.landmarks).work == corrected.work
    named_lower = {
        FindingKey(key.condition, list(Level)[key.level.rank + 1]): point
        for key, point in corrected.analysis.landmarks.points.items()
        if key.level is not Level.L5_S1
    }
    now = replace(corrected.analysis, landmarks=Landmarks(named_lower))
    restored, trouble = restore_work(store, small_study, now, lambda _: True)
    assert (restored.work, trouble) == (Work(), "")
    said = "The session file does not fit: the session corrects predictions that had L2/L3 "
    assert restored.message.startswith(said)
    assert len(list(tmp_path.glob("*.kept"))) == 1


def test_a_file_that_does_not_say_where_levels_were_is_used(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)

    def as_version_4(document: dict[str, Any]) -> None:
        del document["predicted_lps_mm"]
        document["schema_version"] = 4

    rewritten(path_of(store, corrected), as_version_4)
    restored = store.restore(small_study, BUNDLE, predicted=corrected.analysis.landmarks)
    assert restored.work == corrected.work


def test_another_readers_work_that_does_not_fit_is_not_put_aside(
    tmp_path: Path, small_study: Study, corrected: SessionState
) -> None:
    SessionStore(tmp_path, "AB").save(corrected)
    with pytest.raises(AnothersSession):
        SessionStore(tmp_path, "CD").restore(with_images_of_t2(small_study), BUNDLE)
    assert not list(tmp_path.glob("*.kept"))


def test_a_session_that_could_not_be_read_is_not_written_over(
    tmp_path: Path, small_study: Study, state: SessionState, corrected: SessionState, monkeypatch: Any
) -> None:
    SessionStore(tmp_path).save(corrected)
    store = SessionStore(tmp_path)
    with monkeypatch.context() as gone:
        gone.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        restored, trouble = restore_work(store, small_study, corrected.analysis, lambda _: True)
    assert restored.work == Work()
    assert "Input/output error" in trouble
    with pytest.raises(SessionError, match="is not what was read here"):
        store.save(state)
    assert SessionStore(tmp_path).restore(small_study, BUNDLE).work == corrected.work


def test_what_another_window_saved_meanwhile_is_not_written_over(
    tmp_path: Path, small_study: Study, state: SessionState, corrected: SessionState
) -> None:
    here, there = SessionStore(tmp_path, "AB"), SessionStore(tmp_path, "AB")
    for store in (here, there):
        store.restore(small_study, BUNDLE)
    there.save(corrected)
    said = r"the one on disk, saved .* UTC, is not what was read here: export .*, close other windows"
    with pytest.raises(SessionError, match=said):
        here.save(state)
    assert here.restore(small_study, BUNDLE).work == corrected.work
    here.save(corrected.undoing())
    here.save(corrected)


@pytest.mark.parametrize("had_work", [True, False])
def test_a_window_that_only_looked_does_not_keep_another_from_saving(
    tmp_path: Path, small_study: Study, state: SessionState, corrected: SessionState, had_work: bool
) -> None:
    here, there = SessionStore(tmp_path, "AB"), SessionStore(tmp_path, "AB")
    if had_work:
        here.save(corrected)
    here.restore(small_study, BUNDLE)
    here.save(corrected)
    seen = there.restore(small_study, BUNDLE)
    there.save(replace(state, work=seen.work), ViewState(slices={"ax": 3}))
    here.save(corrected.undoing())
    assert here.restore(small_study, BUNDLE).work == corrected.undoing().work
    # the one that looked, and works now, would lose what was done meanwhile
    with pytest.raises(SessionError, match="is not what was read here"):
        there.save(corrected)


def test_the_left_side_stays_left(tmp_path: Path, small_study: Study, corrected: SessionState) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    (spot,) = store.restore(small_study, BUNDLE).work.corrections.by_spot
    assert spot.condition.side is Side.LEFT


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, corrected: SessionState, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SessionStore(tmp_path)
    store.save(corrected)
    before = path_of(store, corrected).read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk gone")))
    with pytest.raises(OSError, match="disk gone"):
        store.save(corrected.undoing())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize("moment", ["fsync", "replace", "any"])
def test_a_process_killed_while_writing_leaves_a_whole_session(
    tmp_path: Path, small_study: Study, state: SessionState, corrected: SessionState, moment: str
) -> None:
    folder, states = tmp_path / "sessions", tmp_path / "states.pickle"
    store = SessionStore(folder)
    store.save(state)
    states.write_bytes(pickle.dumps([corrected, state]))
    arguments = [sys.executable, "-c", WRITER, str(states), str(folder), moment]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if moment == "any":
            time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    restored = store.restore(small_study, BUNDLE)
    assert restored.work in ((Work(), corrected.work) if moment == "any" else (Work(),))
    assert restored.saved_at is not None
    assert not list(folder.glob("*.kept"))
