"""Side points that the networks propose never replace what a person did while they were at it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.domain.landmarks import LandmarkSource
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import Session, SessionStore, landmark_at
from napari_lumbar.widgets.proposing import Proposing
from napari_lumbar.widgets.reading import Reading

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)
RIGHT = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)


@pytest.fixture
def reading(
    qapp: Any, fake_system: System, small_study: Study, tmp_path: Path, qtbot: Any
) -> Iterator[Reading]:
    reading = Reading(lambda: fake_system, SessionStore(tmp_path / "sessions"))
    reading.show_study(small_study)
    reading.analyse()
    qtbot.waitUntil(lambda: reading.session is not None, timeout=20000)
    yield reading
    reading.close()


def session_of(reading: Reading) -> Session:
    assert reading.session is not None
    return reading.session


def moved(session: Session, key: FindingKey, pixel_rc: tuple[float, float]) -> None:
    old = session.state.landmarks.points[key]
    session.move(landmark_at(session.study.by_id(old.series_id), key, old.slice_index, pixel_rc))


def asked(reading: Reading, gate: threading.Event) -> list[str]:
    """Move the canal's point and accept the offer; the networks wait at the gate. What is said since."""
    session, said, proposing = session_of(reading), list[str](), Proposing(reading, reading)
    reading.said.connect(lambda text, _: said.append(text))
    before = session.state
    moved(session, CANAL, (72.0, 30.0))
    proposing.consider(before, CANAL)
    gate.clear()
    proposing.accept()
    return said


def test_what_a_person_corrected_meanwhile_stays_where_sides_are_swapped(
    reading: Reading, locate_gate: threading.Event, qtbot: Any
) -> None:
    """What is called left lies on the patient's right, where the networks propose a point for right."""
    session = session_of(reading)
    session.swap_sides(confirmed=True)
    said = asked(reading, locate_gate)
    moved(session, LEFT, (20.0, 40.0))
    locate_gate.set()
    qtbot.waitUntil(lambda: any("were put on axial slice" in text for text in said), timeout=20000)
    points = session.state.landmarks.points
    assert points[LEFT].pixel_rc == (20.0, 40.0)
    assert points[LEFT].source is LandmarkSource.CORRECTED
    assert points[RIGHT].source is LandmarkSource.PROPAGATED


@pytest.mark.parametrize("touched", [[LEFT], [LEFT, RIGHT]])
def test_what_a_person_corrected_meanwhile_stays(
    reading: Reading, locate_gate: threading.Event, qtbot: Any, touched: list[FindingKey]
) -> None:
    session, said = session_of(reading), asked(reading, locate_gate)
    for key in touched:
        moved(session, key, (20.0, 40.0))
    locate_gate.set()
    done = "stay as they were corrected" if RIGHT in touched else "were put on axial slice"
    qtbot.waitUntil(lambda: any(done in text for text in said), timeout=20000)
    sources = {key: session.state.landmarks.points[key].source for key in (LEFT, RIGHT)}
    assert sources[LEFT] is LandmarkSource.CORRECTED
    right = LandmarkSource.CORRECTED if RIGHT in touched else LandmarkSource.PROPAGATED
    assert sources[RIGHT] is right


def test_an_offer_falls_with_the_session_it_was_made_in(
    reading: Reading, locate_gate: threading.Event, qtbot: Any
) -> None:
    """Another analysis brings the moved point back, and the answer to the old session is dropped."""
    session, proposing = session_of(reading), Proposing(reading, reading)
    shown: list[tuple[object, bool]] = []
    proposing.changed.connect(lambda offer, is_working: shown.append((offer, is_working)))
    locate_gate.clear()
    reading.analyse()
    before = session.state
    moved(session, CANAL, (72.0, 30.0))
    proposing.consider(before, CANAL)
    proposing.accept()
    assert shown[-1][1]
    locate_gate.set()
    qtbot.waitUntil(lambda: reading.session not in (None, session) and not reading.is_busy, timeout=20000)
    assert shown[-1] == (None, False)
