"""The flow from study to corrected findings, without a window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.dicom import SeveralStudiesError, StudyListing
from napari_lumbar.domain.errors import BundleError, StudyError
from napari_lumbar.domain.landmarks import dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.pipeline.progress import Progress
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import Session, SessionStore, ViewState, landmark_at
from napari_lumbar.widgets.reading import Reading

LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)

MakeReading = Callable[[], Reading]


@pytest.fixture
def make_reading(qapp: Any, fake_system: System, tmp_path: Path) -> Iterator[MakeReading]:
    made: list[Reading] = []

    def make() -> Reading:
        made.append(Reading(lambda: fake_system, SessionStore(tmp_path / "sessions")))
        return made[-1]

    yield make
    for reading in made:
        reading.close()


@pytest.fixture
def said() -> list[tuple[str, bool]]:
    return []


@pytest.fixture
def reading(make_reading: MakeReading, small_study: Study, said: list[tuple[str, bool]]) -> Reading:
    reading = make_reading()
    reading.said.connect(lambda text, is_error: said.append((text, is_error)))
    reading.show_study(small_study)
    return reading


@pytest.fixture
def analysed(reading: Reading, qtbot: Any) -> Reading:
    reading.analyse()
    qtbot.waitUntil(lambda: reading.session is not None)
    return reading


def session_of(reading: Reading) -> Session:
    assert reading.session is not None
    return reading.session


def move(reading: Reading, key: FindingKey, column: float) -> None:
    session = session_of(reading)
    old = session.state.landmarks.points[key]
    place = (old.pixel_rc[0], column)
    session.move(landmark_at(session.study.by_id(old.series_id), key, old.slice_index, place))


def is_current(reading: Reading) -> bool:
    return reading.session is not None and not reading.session.state.stale and not reading.is_regrading


def test_a_move_regrades_its_dependents_and_nothing_else(
    analysed: Reading, fake_grader: Any, qtbot: Any
) -> None:
    assert analysed.session is not None
    before = analysed.session.state
    move(analysed, LEFT, 50)
    assert analysed.session.state.stale == dependent_findings(LEFT)
    qtbot.waitUntil(lambda: is_current(analysed))
    state = analysed.session.state
    assert fake_grader.asked == [frozenset(ALL_FINDINGS), dependent_findings(LEFT)]
    for key in ALL_FINDINGS:
        changed = key in dependent_findings(LEFT)
        assert state.is_changed(key) == changed
        assert (state.finding(key) is before.finding(key)) == (not changed)
    assert state.finding(LEFT).severity is Severity.SEVERE


def test_several_quick_moves_are_graded_once_from_the_last_place(
    analysed: Reading, fake_grader: Any, qtbot: Any
) -> None:
    for column in (40, 45, 50):
        move(analysed, LEFT, column)
    qtbot.waitUntil(lambda: is_current(analysed))
    assert len(fake_grader.asked) == 2
    assert analysed.session is not None
    finding = analysed.session.state.finding(LEFT)
    assert finding.landmark is not None
    assert finding.landmark.pixel_rc == (20, 50)


def test_a_move_during_regrading_wins_over_it(analysed: Reading, fake_grader: Any, qtbot: Any) -> None:
    fake_grader.gate.clear()
    move(analysed, CANAL, 40)
    qtbot.waitUntil(lambda: len(fake_grader.asked) == 2)
    move(analysed, CANAL, 45)
    qtbot.waitUntil(lambda: len(fake_grader.asked) == 3)
    fake_grader.gate.set()
    qtbot.waitUntil(lambda: is_current(analysed))
    assert analysed.session is not None
    landmark = analysed.session.state.finding(CANAL).landmark
    assert landmark is not None
    assert landmark.pixel_rc == (56, 45)


def test_a_failed_regrading_leaves_the_findings_stale_and_can_be_repeated(
    analysed: Reading, fake_grader: Any, qtbot: Any, said: list[tuple[str, bool]]
) -> None:
    fake_grader.error = RuntimeError("CUDA error: device lost")
    move(analysed, CANAL, 40)
    qtbot.waitUntil(lambda: said[-1][1])
    assert said[-1][0].startswith("Regrading failed: RuntimeError: CUDA error: device lost")
    assert analysed.session is not None
    assert analysed.session.state.stale == {CANAL}
    assert not analysed.is_regrading
    fake_grader.error = None
    analysed.regrade_now()
    qtbot.waitUntil(lambda: is_current(analysed))


def test_cancel_leaves_the_study_as_it_was(
    reading: Reading, locate_gate: threading.Event, qtbot: Any, said: list[tuple[str, bool]]
) -> None:
    locate_gate.clear()
    stages: list[str] = []
    reading.progressed.connect(lambda progress: stages.append(progress.stage))
    reading.analyse()
    qtbot.waitUntil(lambda: "locating" in stages)
    assert reading.is_busy
    reading.cancel()
    qtbot.waitUntil(lambda: not reading.is_busy)
    assert said[-1] == ("The analysis was cancelled; nothing was changed.", False)
    assert reading.session is None
    locate_gate.set()
    reading.analyse()
    qtbot.waitUntil(lambda: reading.session is not None)


def test_an_error_is_said_and_nothing_is_lost(
    make_reading: MakeReading, small_study: Study, qtbot: Any
) -> None:
    reading = make_reading()
    errors: list[str] = []
    reading.said.connect(lambda text, is_error: errors.append(text) if is_error else None)

    def broken() -> System:
        raise BundleError("no bundle.json in the bundle folder")

    reading.use_system(broken)
    reading.show_study(small_study)
    reading.analyse()
    qtbot.waitUntil(lambda: bool(errors))
    assert errors == ["The analysis failed: no bundle.json in the bundle folder"]
    assert reading.study is small_study
    assert not reading.is_busy


def test_an_answer_for_another_study_is_dropped(
    reading: Reading, small_study: Study, locate_gate: threading.Event, qtbot: Any
) -> None:
    locate_gate.clear()
    reading.analyse()
    other = replace(small_study, study_id="other", study_uid="1.2.840.2")
    reading.show_study(other)
    locate_gate.set()
    qtbot.waitUntil(lambda: not reading.is_busy)
    assert reading.session is None
    assert reading.study is other


def test_corrections_come_back_and_are_graded_at_once(
    analysed: Reading, make_reading: MakeReading, small_study: Study, qtbot: Any
) -> None:
    move(analysed, CANAL, 45)
    qtbot.waitUntil(lambda: is_current(analysed))
    again = make_reading()
    said: list[str] = []
    again.said.connect(lambda text, _: said.append(text))
    again.show_study(small_study)
    again.analyse()
    qtbot.waitUntil(lambda: is_current(again))
    assert any(text.endswith("Corrections restored: 1.") for text in said)
    assert again.session is not None
    assert again.session.state.finding(CANAL).severity is Severity.SEVERE
    assert again.session.state.predicted(CANAL).severity is Severity.NORMAL_MILD


def test_a_new_analysis_takes_the_place_of_the_old_one_at_once(analysed: Reading, qtbot: Any) -> None:
    """With a None between, a window would draw everything twice."""
    states: list[Any] = []
    left: list[Any] = []
    old = analysed.session
    analysed.session_left.connect(lambda: left.append(analysed.session))
    analysed.state_changed.connect(states.append)
    analysed.analyse()
    qtbot.waitUntil(lambda: analysed.session is not old)
    assert left == [None]
    assert analysed.session is not None
    assert states == [analysed.session.state]


def test_regrading_begins_without_another_state(analysed: Reading, qtbot: Any) -> None:
    heard: list[str] = []
    analysed.state_changed.connect(lambda _: heard.append("state"))
    analysed.regrading_began.connect(lambda: heard.append("regrading"))
    move(analysed, LEFT, 50)
    qtbot.waitUntil(lambda: is_current(analysed))
    assert heard == ["state", "regrading", "state"]


def test_another_role_ends_the_session(analysed: Reading) -> None:
    states: list[Any] = []
    analysed.state_changed.connect(states.append)
    analysed.assign_role("t1", None)
    assert analysed.session is None
    assert states == [None]
    assert analysed.study is not None
    assert analysed.study.first(SeriesRole.SAGITTAL_T1) is None


def test_what_is_opened_ends_in_a_study_or_a_sentence(
    make_reading: MakeReading, small_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: Any
) -> None:
    def read(folder: Path, _uid: str | None, report: Callable[[float], None], _cancel: Any) -> Study:
        report(0.1)
        report(0.9)
        if folder.name == "empty":
            raise StudyError("no DICOM file under the folder")
        return small_study

    monkeypatch.setattr("napari_lumbar.widgets.study_source.read_study", read)
    reading = make_reading()
    errors: list[str] = []
    stages: list[str] = []
    opened: list[Path] = []
    reading.said.connect(lambda text, is_error: errors.append(text) if is_error else None)
    reading.progressed.connect(lambda progress: stages.append(progress.stage))
    reading.opened.connect(lambda folder, study: opened.append(folder))
    for name in ("study", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "study.zip").write_bytes(b"PK\x03\x04")
    reading.open_paths([tmp_path / "study"])
    qtbot.waitUntil(lambda: reading.study is small_study)
    assert stages == ["Reading the study", "Reading headers", "Decoding images"]
    assert opened == [tmp_path / "study"]
    reading.open_paths([tmp_path / "empty"])
    qtbot.waitUntil(lambda: bool(errors))
    reading.open_paths([tmp_path / "study.zip"])
    assert errors == [
        "Reading the study failed: no DICOM file under the folder",
        "Nothing was opened: this is an archive, and archives are not read: unpack it and open the new "
        "folder.",
    ]
    assert reading.study is small_study
    assert opened == [tmp_path / "study"]


def test_of_two_quick_openings_the_last_counts(
    make_reading: MakeReading, small_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: Any
) -> None:
    begun = threading.Event()

    def read(folder: Path, _uid: str | None, _report: Any, cancel: Callable[[], None]) -> Study:
        begun.set()
        while folder.name == "slow":
            cancel()
        return small_study

    monkeypatch.setattr("napari_lumbar.widgets.study_source.read_study", read)
    reading = make_reading()
    said: list[str] = []
    reading.said.connect(lambda text, _: said.append(text))
    for name in ("slow", "quick"):
        (tmp_path / name).mkdir()
    reading.open_paths([tmp_path / "slow"])
    qtbot.waitUntil(begun.is_set)
    reading.open_paths([tmp_path / "quick"])
    qtbot.waitUntil(lambda: not reading.is_busy)
    assert reading.study is small_study
    assert not any("cancelled" in text for text in said)


def test_a_folder_of_several_studies_asks_which(
    make_reading: MakeReading, small_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: Any
) -> None:
    found = (StudyListing("1.2.840.1", 1, 3, 3, ()), StudyListing("1.2.840.9", 1, 3, 3, ()))

    def read(_folder: Path, study_uid: str | None, *_: Any) -> Study:
        if study_uid is None:
            raise SeveralStudiesError("two studies", found)
        assert study_uid == "1.2.840.1"
        return small_study

    monkeypatch.setattr("napari_lumbar.widgets.study_source.read_study", read)
    reading = make_reading()
    choices: list[Any] = []
    reading.choice_needed.connect(choices.append)
    (tmp_path / "studies").mkdir()
    reading.open_paths([tmp_path / "studies"])
    qtbot.waitUntil(lambda: bool(choices))
    assert choices[0].found == found
    assert reading.study is None
    reading.open_paths([choices[0].folder], "1.2.840.1")
    qtbot.waitUntil(lambda: reading.study is small_study)


def test_roles_by_hand_come_back_with_the_study(
    reading: Reading, make_reading: MakeReading, small_study: Study
) -> None:
    reading.assign_role("t1", None)
    again = make_reading()
    said: list[str] = []
    again.said.connect(lambda text, _: said.append(text))
    again.show_study(small_study)
    assert again.study is not None
    assert again.study.first(SeriesRole.SAGITTAL_T1) is None
    assert said == ["3 series read, 2 used. Roles are as you left them; check them, then analyse."]
    again.use_automatic_roles()
    assert again.study is small_study
    last = make_reading()
    last.show_study(small_study)
    assert last.study is small_study


def test_pictures_of_a_study_that_is_gone_are_dropped(
    reading: Reading, small_study: Study, qtbot: Any
) -> None:
    made: list[Any] = []
    reading.thumbnails_made.connect(made.append)
    other = replace(small_study, study_uid="1.2.840.2", series=small_study.series[:1])
    reading.show_study(other)
    qtbot.waitUntil(lambda: bool(made))
    assert [set(pictures) for pictures in made] == [{"t1"}]


def test_reading_a_folder_shows_how_far_it_is_and_can_be_cancelled(
    make_reading: MakeReading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: Any
) -> None:
    def read(
        folder: Path, study_uid: str | None, report: Callable[[float], None], cancel: Callable[[], None]
    ) -> Study:
        report(0.25)
        while True:  # a folder without end
            time.sleep(0.01)
            cancel()

    monkeypatch.setattr("napari_lumbar.widgets.study_source.read_study", read)
    reading = make_reading()
    seen: list[Progress] = []
    said: list[str] = []
    reading.progressed.connect(seen.append)
    reading.said.connect(lambda text, _: said.append(text))
    (tmp_path / "study").mkdir()
    reading.open_paths([tmp_path / "study"])
    qtbot.waitUntil(lambda: Progress("Reading headers", 0.25) in seen)
    reading.cancel()
    qtbot.waitUntil(lambda: not reading.is_busy)
    assert said[-1] == "Reading the study was cancelled; nothing was changed."
    assert reading.study is None


def test_results_are_written_with_corrections_and_without_stale_grades(
    analysed: Reading, fake_grader: Any, tmp_path: Path, qtbot: Any
) -> None:
    fake_grader.gate.clear()  # the regrading waits, so the finding stays stale
    move(analysed, CANAL, 45)
    analysed._delay.stop()
    analysed.save(session_of(analysed), tmp_path / "out")
    qtbot.waitUntil((tmp_path / "out" / "report.html").exists, timeout=60000)
    text = (tmp_path / "out" / "analysis.json").read_text()
    assert '"stale"' in text
    assert '"corrected"' in text


def test_an_export_is_written_whatever_a_person_does_next(
    analysed: Reading, small_study: Study, said: list[tuple[str, bool]], tmp_path: Path, qtbot: Any
) -> None:
    move(analysed, CANAL, 45)
    analysed.save(session_of(analysed), tmp_path / "out")
    analysed.analyse()
    analysed.show_study(small_study)
    analysed.analyse()
    qtbot.waitUntil(lambda: any("files written to" in text for text, _ in said), timeout=60000)
    assert '"corrected"' in (tmp_path / "out" / "analysis.json").read_text()


def test_an_export_is_written_though_the_window_is_closed_at_once(
    analysed: Reading, fake_grader: Any, tmp_path: Path, qtbot: Any
) -> None:
    fake_grader.gate.clear()
    analysed.analyse()  # the export waits for its turn behind this
    analysed.save(session_of(analysed), tmp_path / "out")
    analysed.close()
    fake_grader.gate.set()
    qtbot.waitUntil((tmp_path / "out" / "report.html").exists, timeout=60000)


def test_work_that_is_not_on_disk_when_it_is_left_is_not_said_to_be(
    analysed: Reading, said: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as full:
        full.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        move(analysed, CANAL, 45)
        assert said[-1] == ("Corrections are not saved: disk full. Free the disk, then edit again.", True)
        analysed.assign_role("t1", None)
        lost = "Role changed: analyse again. Corrections are not on disk: disk full. Free the disk, then edit"
        assert any(text.startswith(lost) and is_error for text, is_error in said)
    assert not list((tmp_path / "sessions").glob("*-*.json"))


def test_what_comes_next_says_that_work_is_on_no_disk_and_another_analysis_keeps_it(
    analysed: Reading,
    small_study: Study,
    said: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    lost = "Corrections are not on disk: disk full. Free the disk, then edit again."
    move(analysed, CANAL, 45)
    analysed.analyse()
    qtbot.waitUntil(lambda: not analysed.is_busy)
    assert said[-1][0].startswith("25 of 25 findings graded")
    assert (said[-1][0].endswith(lost), said[-1][1]) == (True, True)
    session = session_of(analysed)
    assert session.state.landmarks.points[CANAL].pixel_rc[1] == 45
    assert session.is_at_risk
    analysed.show_study(small_study)
    assert (said[-1][0].endswith(lost), said[-1][1]) == (True, True)
    analysed.show_study(small_study)
    assert lost not in said[-1][0]


def test_a_window_that_only_looked_says_nothing_of_work_saved_elsewhere(
    analysed: Reading, make_reading: MakeReading, small_study: Study, said: list[tuple[str, bool]], qtbot: Any
) -> None:
    move(analysed, CANAL, 45)
    other = make_reading()
    other.show_study(small_study)
    other.analyse()
    qtbot.waitUntil(lambda: other.session is not None)
    session_of(other).mark_absent(LEFT)
    analysed.show_study(replace(small_study, study_id="next", study_uid="1.2.840.9"))
    assert not [text for text, is_error in said if is_error]


def test_what_was_said_of_an_edit_is_not_said_of_another(
    analysed: Reading, said: list[tuple[str, bool]], small_study: Study, qtbot: Any
) -> None:
    session_of(analysed).swap_sides(confirmed=True)
    analysed.say_edited("Left and right were swapped.", is_risk=True)
    qtbot.waitUntil(lambda: is_current(analysed))
    assert said[-1][0].startswith("Left and right were swapped. Graded again: ")
    assert said[-1][1]
    session_of(analysed).swap_sides(confirmed=True)
    analysed.say_edited("Left and right were swapped back.")
    move(analysed, CANAL, 45)
    qtbot.waitUntil(lambda: is_current(analysed))
    assert said[-1] == ("Graded again: 1.", False)
    session_of(analysed).shift_levels(1)
    analysed.say_edited("Names moved.")
    analysed.show_study(replace(small_study, study_id="next", study_uid="1.2.840.9"))
    analysed.analyse()
    qtbot.waitUntil(lambda: is_current(analysed) and not analysed.is_busy)
    move(analysed, CANAL, 45)
    qtbot.waitUntil(lambda: is_current(analysed))
    assert said[-1] == ("Graded again: 1.", False)


def test_a_session_that_was_left_is_not_drawn_any_more(analysed: Reading, small_study: Study) -> None:
    left = session_of(analysed)
    analysed.show_study(small_study)
    drawn: list[object] = []
    analysed.state_changed.connect(drawn.append)
    left.swap_sides(confirmed=True)
    assert drawn == []


def test_an_export_is_of_the_session_that_it_was_asked_for(
    analysed: Reading, small_study: Study, tmp_path: Path, qtbot: Any
) -> None:
    move(analysed, CANAL, 45)
    asked_for = session_of(analysed)
    analysed.show_study(replace(small_study, study_id="other", study_uid="1.2.840.2"))
    analysed.save(asked_for, tmp_path / "out")
    qtbot.waitUntil((tmp_path / "out" / "report.html").exists, timeout=60000)
    assert '"corrected"' in (tmp_path / "out" / "analysis.json").read_text()


def test_a_disk_that_came_back_holds_the_work_after_leaving(
    analysed: Reading,
    small_study: Study,
    said: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    with monkeypatch.context() as full:
        full.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        move(analysed, CANAL, 45)
    analysed.show_study(small_study)
    analysed.analyse()
    qtbot.waitUntil(lambda: analysed.session is not None)
    assert analysed.session is not None
    assert analysed.session.state.correction(CANAL).moves_point
    assert analysed.session.not_saved == ""


def test_another_readers_session_is_left_alone_and_said(
    analysed: Reading, fake_system: System, small_study: Study, tmp_path: Path, qtbot: Any
) -> None:
    move(analysed, CANAL, 45)
    (path,) = (tmp_path / "sessions").iterdir()
    before = path.read_bytes()
    other = Reading(lambda: fake_system, SessionStore(tmp_path / "sessions", "CD"))
    errors: list[str] = []
    other.said.connect(lambda text, is_error: errors.append(text) if is_error else None)
    other.show_study(small_study)
    other.analyse()
    qtbot.waitUntil(lambda: other.session is not None)
    move(other, CANAL, 40)
    assert errors[0].startswith(
        "Corrections will not be saved: the session of this study is that of a reader"
    )
    assert errors[1].startswith("Corrections are not saved: the session of this study is that of a reader")
    assert path.read_bytes() == before
    other.close()


def test_another_readers_session_is_taken_over_where_the_person_says_so(
    analysed: Reading, fake_system: System, small_study: Study, tmp_path: Path, qtbot: Any
) -> None:
    view = ViewState(CANAL, {"ax": 4}, {SeriesRole.AXIAL_T2: (10.0, 90.0)})
    analysed.view = lambda: view
    move(analysed, CANAL, 45)
    other = Reading(lambda: fake_system, SessionStore(tmp_path / "sessions", "CD"))
    owners: list[str] = []

    def agree(owner: str) -> bool:
        owners.append(owner)
        return True

    other.may_take_over = agree
    other.show_study(small_study)
    other.analyse()
    qtbot.waitUntil(lambda: other.session is not None)
    assert other.session is not None
    assert owners[0].startswith("a reader without a name, saved 2")
    assert other.session.state.correction(CANAL).moves_point
    assert other.session.not_saved == ""
    assert other.restored_view == view
    other.save(session_of(other), tmp_path / "out")
    qtbot.waitUntil((tmp_path / "out" / "report.html").exists, timeout=60000)
    assert '"reader": "CD"' in (tmp_path / "out" / "analysis.json").read_text()
    other.close()


def test_sessions_among_the_images_are_refused(make_reading: MakeReading, tmp_path: Path, qtbot: Any) -> None:
    reading = make_reading()
    errors: list[str] = []
    reading.said.connect(lambda text, is_error: errors.append(text) if is_error else None)
    reading.open_paths([tmp_path])
    qtbot.waitUntil(lambda: bool(errors))
    assert "sessions would be saved among the DICOM files" in errors[0]
