"""How quickly the window answers: scrolling, drag to new grade, and the longest block while analysing.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.gui [--seed 3] [--write]

A phantom of usual size and the embedded bundle in a real window. A scroll is timed from the key on the
canvas until that canvas is painted with the next slice and all that lies on it, and, told apart, until the
other one is painted, too, where the line of the slice moves; a drag from the release of the button until the
matrix is painted with the new grade as current; blocking is the longest gap between two beats of a 5 ms timer
while an analysis runs, and, told apart, while its results are drawn.
``--write`` keeps the figures in RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from napari_lumbar.widgets.screen import spare_gl_checks

spare_gl_checks()  # as ``napari-lumbar open`` does, before anything loads OpenGL

import napari
from benchmarks.analyze import keep, machine
from benchmarks.hands import canvases_of, drag, on_screen
from qtpy.QtCore import QElapsedTimer, QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.phantom import make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.cells import CellState
from napari_lumbar.widgets.garbage import spare_collections
from napari_lumbar.widgets.reader_dock import ReaderDock

_CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
_SCROLLS, _DRAGS, _BEAT_MS = 200, 10, 5
_PATIENCE_S = 120.0


class Painted(QObject):
    """Counts how often widgets were painted."""

    def __init__(self, widgets: Sequence[QWidget]) -> None:
        super().__init__()
        self.count = dict.fromkeys(map(id, widgets), 0)
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, widget: QObject, event: QEvent) -> bool:
        """Note the painting and let it happen."""
        if event.type() == QEvent.Type.Paint:
            self.count[id(widget)] += 1
        return False

    def await_more(self, widget: QWidget, before: Mapping[int, int]) -> None:
        """Wait until a widget was painted more often than ``before``."""
        wait_until(lambda: self.count[id(widget)] > before[id(widget)])


class PaintedCurrent(QObject):
    """When the matrix was first painted with a finding as current."""

    def __init__(self, dock: ReaderDock, key: FindingKey) -> None:
        super().__init__()
        self.at: float | None = None
        self._dock, self._key = dock, key
        dock.matrix.viewport().installEventFilter(self)

    def eventFilter(self, _widget: QObject, event: QEvent) -> bool:
        """Note the painting and let it happen."""
        is_current = self._dock.matrix.cell(self._key).state is CellState.CURRENT
        if event.type() == QEvent.Type.Paint and is_current and self.at is None:
            self.at = time.perf_counter()
        return False

    def awaited(self) -> float:
        """Wait for that painting; its ``perf_counter``."""
        wait_until(lambda: self.at is not None)
        return self.at or 0.0


class Heartbeat(QObject):
    """The longest time the GUI thread left a timer waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps_ms: list[int] = []
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to listen."""
        self._clock.start()
        self._timer.start()

    def _beat(self) -> None:
        self.gaps_ms.append(int(self._clock.restart()))


def scrolls_ms(dock: ReaderDock) -> tuple[list[float], list[float]]:
    """Scroll through the sagittal series and back; milliseconds until one, and until both are painted."""
    canvases = canvases_of(dock)
    painted = Painted(canvases)
    pane, times = dock.panes.sagittal, (list[float](), list[float]())
    assert pane.series is not None
    last = len(pane.series.slices) - 1
    step = 1
    for _ in range(_SCROLLS):
        if not 0 <= pane.slice_index + step <= last:
            step = -step
        before = dict(painted.count)
        started = time.perf_counter()
        QTest.keyClick(canvases[0], Qt.Key.Key_Right if step > 0 else Qt.Key.Key_Left)
        for canvas, of_canvas in zip(canvases, times, strict=True):
            painted.await_more(canvas, before)
            of_canvas.append(1000 * (time.perf_counter() - started))
    return times


def regrades_s(dock: ReaderDock) -> list[float]:
    """Drag a canal point to and fro; seconds from release to the current grade in its cell."""
    session = dock.reading.session
    assert session is not None
    canvas, pane, times = canvases_of(dock)[0], dock.panes.sagittal, []
    for number in range(_DRAGS):
        dock.navigation.choose(_CANAL)
        QTest.qWait(200)
        start = on_screen(pane, canvas, session.state.landmarks.points[_CANAL].pixel_rc)
        drag(canvas, start, start + QPoint(14 if number % 2 else -14, 0))
        started = time.perf_counter()
        if _CANAL not in session.state.stale:
            raise SystemExit("the drag moved nothing")
        times.append(PaintedCurrent(dock, _CANAL).awaited() - started)
    return times


def blocks_ms(dock: ReaderDock) -> tuple[list[int], list[int]]:
    """Analyse the study on the screen; the gaps between beats meanwhile, and while the results are drawn."""
    beat, ended = Heartbeat(), list[int]()
    dock.reading.busy_changed.connect(lambda busy: None if busy else ended.append(len(beat.gaps_ms)))
    beat.start()
    analyse(dock)
    QTest.qWait(1000)
    return beat.gaps_ms[: ended[0]], beat.gaps_ms[ended[0] :]


def analyse(dock: ReaderDock) -> None:
    """Analyse the study on the screen and wait for the answer."""
    dock.reading.analyse()
    wait_until(lambda: not dock.reading.is_busy)
    if dock.reading.session is None:
        raise SystemExit(f"no analysis: {dock.status_label.text()}")


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the window work until a condition holds."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened for two minutes")
        QApplication.processEvents()
        time.sleep(0.0005)


def main() -> None:
    """Measure, print, and with ``--write`` keep the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        heading, text = _measured(options.seed, SessionStore(Path(scratch)))
    print(f"{heading}\n\n{text}")
    if options.write:
        keep(heading, text)


def _measured(seed: int, store: SessionStore) -> tuple[str, str]:
    system = load_system(None, "auto")
    viewer = napari.Viewer(title="Lumbar reader")
    dock = ReaderDock(viewer, lambda: system, store)
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1600, 1000)
    dock.take_the_window()
    spare_collections()
    QTest.qWait(500)
    dock.reading.show_study(make_phantom(seed).study)
    analyse(dock)  # the first run pays for caches
    QTest.qWait(1000)  # until its results are painted
    gaps, drawing = blocks_ms(dock)
    QTest.qWait(500)
    scrolls = scrolls_ms(dock)
    regrades = regrades_s(dock)
    shapes = (
        ", ".join(
            f"{series.role.value if series.role else 'no role'} {len(series.slices)} slices"
            for series in dock.reading.session.study.series
        )
        if dock.reading.session
        else ""
    )
    dock.reading.close()
    viewer.close()
    return f"window, {machine(system.device)}", table(shapes, scrolls, regrades, gaps, drawing)


def table(
    shapes: str,
    scrolls: tuple[Sequence[float], Sequence[float]],
    regrades: Sequence[float],
    gaps: Sequence[int],
    drawing: Sequence[int],
) -> str:
    """Return what was measured, with the targets."""
    return (
        f"Phantom ({shapes}), software GL, load {os.getloadavg()[0]:.1f}.\n\n"
        "| what | median | worst | target |\n|---|---|---|---|\n"
        f"| scroll a slice, all overlays, ms ({len(scrolls[0])}) | {statistics.median(scrolls[0]):.0f} "
        f"| {max(scrolls[0]):.0f} | 33, 60 |\n"
        f"| the same until the other canvas is painted, too | {statistics.median(scrolls[1]):.0f} "
        f"| {max(scrolls[1]):.0f} | |\n"
        f"| drag released to regraded cell, s ({len(regrades)}) | {statistics.median(regrades):.2f} "
        f"| {max(regrades):.2f} | 1 |\n"
        f"| gap between beats of {_BEAT_MS} ms while analysing, ms ({len(gaps)}) "
        f"| {statistics.median(gaps):.0f} | {max(gaps)} | worst 100 |\n"
        f"| the same while the results are drawn ({len(drawing)}) "
        f"| {statistics.median(drawing):.0f} | {max(drawing)} | |"
    )


if __name__ == "__main__":
    main()
