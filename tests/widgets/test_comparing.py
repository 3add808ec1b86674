"""Comparing two bundles, and changing them, without a window: progress, cancel, and nothing stale."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.progress import CancelToken
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionStore, landmark_at
from napari_lumbar.widgets.comparing import Comparing
from napari_lumbar.widgets.comparison import Comparison
from napari_lumbar.widgets.reading import Reading

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def reading(
    qapp: Any, fake_system: System, small_study: Study, tmp_path: Path, said: list[str]
) -> Iterator[Reading]:
    reading = Reading(lambda: fake_system, SessionStore(tmp_path / "sessions"))
    reading.said.connect(lambda text, _: said.append(text))
    reading.show_study(small_study)
    yield reading
    reading.close()


@pytest.fixture
def comparing(reading: Reading) -> Comparing:
    return Comparing(reading)


@pytest.fixture
def other(fake_system: System, fake_grader: Any) -> System:
    """Another system, whose grader waits until its gate is opened."""
    grader = type(fake_grader)()
    return replace(fake_system, grader=grader, bundle_name="other", bundle_sha256="cd" * 32)


def analyse(reading: Reading, qtbot: Any) -> None:
    before = reading.session
    reading.analyse()
    qtbot.waitUntil(lambda: reading.session not in (None, before), timeout=20000)


def move(reading: Reading, column: float) -> None:
    session = reading.session
    assert session is not None
    old = session.state.landmarks.points[CANAL]
    place = (old.pixel_rc[0], column)
    session.move(landmark_at(session.study.by_id(old.series_id), CANAL, old.slice_index, place))


def is_analysed(reading: Reading) -> bool:
    return reading.session is not None


def made(comparing: Comparing) -> Comparison | None:
    return comparing.comparison


def test_a_second_bundle_grades_from_the_points_in_force(
    reading: Reading, comparing: Comparing, other: System, qtbot: Any, said: list[str]
) -> None:
    comparing.compare(lambda: other)
    assert made(comparing) is None
    assert said[-1] == "Analyse the study first, then compare."
    analyse(reading, qtbot)
    move(reading, 45)
    qtbot.waitUntil(lambda: not reading.is_regrading, timeout=20000)
    other.grader.gate.set()  # type: ignore[attr-defined]
    comparing.compare(lambda: other)
    assert reading.is_busy
    qtbot.waitUntil(lambda: made(comparing) is not None, timeout=20000)
    assert reading.session is not None
    comparison = made(comparing)
    assert comparison is not None
    assert (comparison.first, comparison.second) == ("fake", "other")
    assert comparison.landmarks == reading.session.state.landmarks
    assert set(comparison.findings) == set(ALL_FINDINGS)
    assert said[-1] == "Compared with other."
    comparing.leave()
    assert (made(comparing), said[-1]) == (
        None,
        "No longer compared with other: the grades are those of fake.",
    )
    comparing.compare(lambda: other)
    qtbot.waitUntil(lambda: made(comparing) is not None, timeout=20000)
    # a new analysis ends it, and so does a new study
    analyse(reading, qtbot)
    assert made(comparing) is None
    comparing.compare(lambda: other)
    qtbot.waitUntil(lambda: made(comparing) is not None, timeout=20000)
    assert reading.study is not None
    reading.show_study(replace(reading.study, study_id="next"))
    assert made(comparing) is None


def test_another_comparison_ends_the_one_on_the_screen_even_if_it_fails(
    reading: Reading, comparing: Comparing, other: System, qtbot: Any, said: list[str]
) -> None:
    analyse(reading, qtbot)
    other.grader.gate.set()  # type: ignore[attr-defined]
    comparing.compare(lambda: other)
    qtbot.waitUntil(lambda: made(comparing) is not None, timeout=20000)
    seen: list[Comparison | None] = []
    comparing.changed.connect(lambda: seen.append(made(comparing)))

    def broken() -> System:
        raise BundleError("no bundle.json in the bundle folder")

    comparing.compare(broken)
    assert seen == [None], "while it is made there is none"
    qtbot.waitUntil(lambda: not reading.is_busy, timeout=20000)
    assert said[-1] == "The comparison failed: no bundle.json in the bundle folder"
    assert set(seen) == {None}


def test_a_comparison_is_cancelled_by_hand_and_by_a_moved_point(
    reading: Reading, comparing: Comparing, other: System, qtbot: Any, said: list[str]
) -> None:
    analyse(reading, qtbot)
    for stop in (reading.cancel, lambda: move(reading, 45)):
        comparing.compare(lambda: other)
        qtbot.wait(20)
        stop()
        qtbot.waitUntil(lambda: not reading.is_busy, timeout=20000)
        assert made(comparing) is None
        assert "The comparison was cancelled; nothing was changed." in said
    qtbot.waitUntil(lambda: not reading.is_regrading, timeout=20000)


def test_a_moved_point_leaves_alone_what_took_the_comparisons_place(
    reading: Reading, comparing: Comparing, other: System, qtbot: Any
) -> None:
    analyse(reading, qtbot)
    comparing.compare(lambda: other)
    gate, done = threading.Event(), list[bool]()

    def work(_report: object, cancel: CancelToken) -> bool:
        gate.wait(20)
        cancel.raise_if_cancelled()
        return True

    reading.run("Something else", work, done.append, "Something else")
    move(reading, 45)
    gate.set()
    qtbot.waitUntil(lambda: not reading.is_busy, timeout=20000)
    assert done == [True]


def test_a_bundle_that_cannot_be_loaded_leaves_the_reading_as_it_was(
    reading: Reading, comparing: Comparing, qtbot: Any, said: list[str]
) -> None:
    analyse(reading, qtbot)
    session = reading.session

    def broken() -> System:
        raise BundleError("no bundle.json in the bundle folder")

    comparing.compare(broken)
    qtbot.waitUntil(lambda: not reading.is_busy, timeout=20000)
    assert said[-1] == "The comparison failed: no bundle.json in the bundle folder"
    assert (reading.session, comparing.comparison) == (session, None)


def test_other_networks_never_show_the_findings_of_the_old_ones(
    reading: Reading, other: System, locate_gate: threading.Event, qtbot: Any, said: list[str]
) -> None:
    analyse(reading, qtbot)
    reading.use_system(lambda: other)
    assert not is_analysed(reading)
    assert said[-1].startswith("Networks changed: analyse again.")
    # changed again while an analysis runs: its answer is dropped
    locate_gate.clear()
    reading.analyse()
    reading.use_system(lambda: other)
    locate_gate.set()
    qtbot.waitUntil(lambda: not reading.is_busy, timeout=20000)
    assert not is_analysed(reading)
    other.grader.gate.set()  # type: ignore[attr-defined]
    analyse(reading, qtbot)
    assert reading.session is not None
    assert reading.session.state.analysis.provenance.bundle_name == "other"


def test_analyse_twice_is_analyse_once(
    reading: Reading, fake_grader: Any, locate_gate: threading.Event, qtbot: Any
) -> None:
    locate_gate.clear()
    reading.analyse()
    reading.analyse()
    locate_gate.set()
    qtbot.waitUntil(lambda: reading.session is not None, timeout=20000)
    qtbot.wait(50)
    assert len(fake_grader.asked) == 1


def test_a_device_that_failed_is_said_aloud(
    reading: Reading, fake_system: System, fake_grader: Any, qtbot: Any, said: list[str]
) -> None:
    lost = type(fake_grader)(error=RuntimeError("CUDA error: device lost"))
    lost.gate.set()
    gpu = replace(fake_system, grader=lost, device="cuda", on_cpu=lambda: fake_system)
    reading.use_system(lambda: gpu)
    analyse(reading, qtbot)
    assert "cuda failed: the work went on on the CPU, which is slower." in said[-1]
    move(reading, 45)
    qtbot.waitUntil(lambda: said[-1].startswith("Graded again"), timeout=20000)
    assert said[-1].endswith("cuda failed: the work went on on the CPU, which is slower.")


def test_a_point_that_one_bundle_may_not_grade_is_graded_by_neither(
    reading: Reading, comparing: Comparing, other: System, qtbot: Any
) -> None:
    """Networks that learnt from T2 answer on T1, too, and surely."""
    analyse(reading, qtbot)
    session = reading.session
    assert session is not None
    session.move(landmark_at(session.study.by_id("t1"), CANAL, 1, (10, 10)))
    qtbot.waitUntil(lambda: not reading.is_regrading, timeout=20000)
    other.grader.gate.set()  # type: ignore[attr-defined]
    comparing.compare(lambda: other)
    qtbot.waitUntil(lambda: made(comparing) is not None, timeout=20000)
    comparison = made(comparing)
    assert comparison is not None
    for finding in (session.state.finding(CANAL), comparison.findings[CANAL]):
        assert finding.probs is None
        assert finding.not_gradable is not None
        assert finding.not_gradable.code == "other_series"
