"""How long a newcomer needs from the README to a corrected, regraded, exported study.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.newcomer [--write]

Goes the README's way through the window that ``napari-lumbar open`` shows, with mouse and keys, on the
phantom of ``make demo``, and times the machine at each step. The person is counted, not timed: reading at
238 words a minute (Brysbaert, J. Mem. Lang. 2019), hands and thought by the keystroke-level model (Card,
Moran and Newell, 1980: think 1.35 s, point 1.1 s, press or release 0.1 s, type a key 0.28 s). ``--write``
keeps the table in RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from benchmarks.analyze import keep, machine
from benchmarks.gui import wait_until
from benchmarks.hands import canvases_of, drag, on_screen
from qtpy.QtCore import QCoreApplication, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit

from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.phantom import write_cohort
from napari_lumbar.widgets import open_study
from napari_lumbar.widgets.commands import Command
from napari_lumbar.widgets.reader_dock import ReaderDock

_WORDS_A_MINUTE = 238
_THINK_S, _POINT_S, _PRESS_S, _KEY_S = 1.35, 1.1, 0.1, 0.28
_CLICK_S = _THINK_S + _POINT_S + 2 * _PRESS_S
_WALK = re.compile(r"^Two minutes with it:.*?(?=^In an existing napari)", re.MULTILINE | re.DOTALL)
_COMMAND = ".venv/bin/napari-lumbar open demo-report/phantom"
_TARGET_S = 180


_CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
#: The canal's column.
_MIDDLE = 2
_LEFT = Qt.MouseButton.LeftButton


@dataclass
class Newcomer:
    """Somebody who does what the README says, and the time it takes.

    Parameters
    ----------
    out
        Where the results go.
    began
        When the program was started, of ``time.time``.
    """

    out: Path
    began: float
    steps: list[tuple[str, float, float]] = field(default_factory=list)
    trouble: str = "the window was closed"

    def note(self, step: str, person_s: float, machine_s: float) -> None:
        """Count a step."""
        self.steps.append((step, person_s, machine_s))

    def timed(self, step: str, person_s: float, act: Callable[[], object], done: Callable[[], bool]) -> None:
        """Do something and wait until the window has answered."""
        started = time.perf_counter()
        act()
        wait_until(done)
        QTest.qWait(20)  # painted
        self.note(step, person_s, time.perf_counter() - started)

    def go(self) -> None:
        """Go the whole way in the window that is open, and close it."""
        (dock,) = (w for w in QApplication.allWidgets() if isinstance(w, ReaderDock))
        try:
            self._open_and_analyse(dock)
            self._correct_and_export(dock)
            self.trouble = ""
        except (AssertionError, SystemExit) as error:
            self.trouble = f"{type(error).__name__} {error}; {dock.status_label.text()}"
        dock.window().close()

    def _open_and_analyse(self, dock: ReaderDock) -> None:
        reading = dock.reading
        wait_until(lambda: reading.study is not None and not reading.is_busy)
        QTest.qWait(20)
        self.note("open the study", _THINK_S + _KEY_S * (len(_COMMAND) + 1), time.time() - self.began)
        self.timed(
            "look at the series, analyse",
            _THINK_S + _CLICK_S,
            lambda: QTest.mouseClick(dock.study_panel.analyse_button, _LEFT),
            lambda: reading.session is not None and not reading.is_busy,
        )

    def _correct_and_export(self, dock: ReaderDock) -> None:
        session, matrix = dock.reading.session, dock.matrix
        assert session is not None
        cell = matrix.visualItemRect(matrix.item(_CANAL.level.rank, _MIDDLE)).center()
        self.timed(
            "click a cell, look at the evidence",
            _CLICK_S + 3 * _THINK_S,
            lambda: QTest.mouseClick(matrix.viewport(), _LEFT, pos=cell),
            lambda: dock.navigation.chosen == _CANAL,
        )
        canvas = canvases_of(dock)[0]
        start = on_screen(dock.panes.sagittal, canvas, session.state.landmarks.points[_CANAL].pixel_rc)
        self.timed(
            "drag its point, until it is graded again",
            _CLICK_S + _POINT_S,
            lambda: drag(canvas, start, start + QPoint(0, 12)),
            lambda: bool(session.state.corrections.by_spot) and not session.state.outdated,
        )
        QTimer.singleShot(300, self._choose_folder)
        self.timed(
            "export into a folder",
            _CLICK_S + _THINK_S + _KEY_S * (len("results") + 1),
            lambda: QTest.mouseClick(dock.finding_panel.corrections.buttons[Command.EXPORT], _LEFT),
            lambda: (self.out / "report.html").exists() and not dock.reading.is_busy,
        )

    def _choose_folder(self) -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        line = dialog.findChildren(QLineEdit)[0]
        line.setText(str(self.out))
        QTest.keyClick(line, Qt.Key.Key_Return)


def reading_s(readme: str) -> float:
    """Seconds to read the README's walk through the window."""
    found = _WALK.search(readme)
    if found is None:
        raise SystemExit("the README has no walk that begins with 'Two minutes with it:'")
    return 60 * len(found.group().split()) / _WORDS_A_MINUTE


def table(newcomer: Newcomer) -> str:
    """Return the steps, and their sum beside the target."""
    lines = ["| step | person, s | machine, s |", "|---|---|---|"]
    lines += [f"| {step} | {person:.0f} | {machine:.1f} |" for step, person, machine in newcomer.steps]
    person = sum(step[1] for step in newcomer.steps)
    machine = sum(step[2] for step in newcomer.steps)
    lines.append(f"| **all: {person + machine:.0f} s of {_TARGET_S}** | {person:.0f} | {machine:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Go the way, print, and with ``--write`` keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        newcomer = _gone(Path(scratch))
    if newcomer.trouble:
        raise SystemExit(f"the way does not lead to a corrected, exported study: {newcomer.trouble}")
    print(table(newcomer))
    if options.write:
        heading = f"a newcomer's way through the window, {machine('cpu')}"
        keep(heading, f"Software GL, load {os.getloadavg()[0]:.1f}.\n\n{table(newcomer)}")


def _gone(scratch: Path) -> Newcomer:
    """Go the way on a machine whose reader was never opened, with the study that ``make demo`` has made."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(scratch / name.lower())
    started = time.time()
    write_cohort(scratch / "phantom", 1, 1)
    (scratch / "results").mkdir()
    newcomer = Newcomer(scratch / "results", psutil.Process().create_time() + time.time() - started)
    readme = Path(__file__).parents[1] / "README.md"
    newcomer.note("read the walk in the README", reading_s(readme.read_text("utf-8")), 0)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QApplication([])
    QTimer.singleShot(0, newcomer.go)
    open_study(scratch / "phantom")
    if not newcomer.trouble and ",corrected" not in (newcomer.out / "landmarks.csv").read_text("utf-8"):
        newcomer.trouble = "no point of the results is corrected"
    return newcomer


if __name__ == "__main__":
    main()
