r"""Somebody who does anything at all, in a real window: a seeded test that nothing breaks or lies.

    LP_NUM_THREADS=0 xvfb-run -a -s "-screen 0 1600x1000x24" \
        python -m benchmarks.monkey [--actions 10000] [--seed 1] [--write]

Without threads of its own: those of Mesa's software GL may write to a fence that is freed already, rarely.
Mouse and keys are sent to the widgets as a person's would be. After every action the cells of the matrix are
compared with the state, and the points on the canvases with the landmarks in force; at the end the work on
disk must give back the same state, and grading every finding from the start must give the grades on the
screen. ``--write`` keeps the result in RESULTS.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import napari
import numpy as np
from benchmarks.analyze import keep
from benchmarks.hands import canvases_of, drag, move_mouse, on_screen, turn_wheel
from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLineEdit, QWidget

from napari_lumbar.domain.findings import Finding
from napari_lumbar.domain.spine import ALL_FINDINGS, FindingKey
from napari_lumbar.domain.study import Study
from napari_lumbar.phantom import make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import regrade
from napari_lumbar.session import SessionState, SessionStore
from napari_lumbar.widgets.cells import CellState
from napari_lumbar.widgets.garbage import spare_collections
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.reader_dock import ReaderDock

_NONE, _CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
_SHIFT, _ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
_LEFT, _MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
_ANY_KEY = tuple("1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ[].,")
_NAMED_KEYS = ("Delete", "Backspace", "Left", "Right", "Up", "Down", "PageUp", "PageDown", "Home", "End")
_PATIENCE_S = 60.0
_PROOF_EVERY = 500


class Broken(Exception):
    """What the window shows does not fit the state behind it."""


class _Unpainted(QObject):
    """Keeps canvases from being painted while it is on."""

    def __init__(self, canvases: Sequence[QWidget]) -> None:
        super().__init__()
        self._is_on, self._canvases = False, canvases
        for canvas in canvases:
            canvas.installEventFilter(self)

    def set_on(self, is_on: bool) -> None:
        """Go on, or stop and paint what was left out."""
        was_on, self._is_on = self._is_on, is_on
        if was_on and not is_on:
            for canvas in self._canvases:
                canvas.update()
            QApplication.processEvents()

    def eventFilter(self, _canvas: QObject, event: QEvent) -> bool:
        """Swallow the painting."""
        return self._is_on and event.type() == QEvent.Type.Paint


@dataclass
class Monkey:
    """Random actions on a reader.

    Parameters
    ----------
    dock
        The reader, in a window that is shown.
    canvases
        The native canvas widget of each pane: sagittal, axial.
    studies
        Studies to switch between.
    regraded
        Grades every finding of a state from the start, or None where that takes too long to do often.
    rng
        Where chance comes from.
    paint_every
        How often the canvases are painted, in actions: half the time goes there.
    """

    dock: ReaderDock
    canvases: Sequence[QWidget]
    studies: Sequence[Study]
    regraded: Callable[[Study, SessionState], Mapping[FindingKey, Finding]]
    rng: random.Random
    paint_every: int = 1
    done: Counter[str] = field(default_factory=Counter)

    def run(self, actions: int) -> None:
        """Do so many things; raise ``Broken`` with the last ones if the window lies."""
        table = self._table()
        names, weights = [name for name, _, _ in table], [weight for _, weight, _ in table]
        act = {name: action for name, _, action in table}
        trail: list[str] = []
        unpainted = _Unpainted(self.canvases)
        with self._answering_questions():
            for number in range(actions):
                name = self.rng.choices(names, weights)[0]
                trail.append(name)
                unpainted.set_on(number % self.paint_every != 0 and name not in _POINTED)
                act[name]()
                self.done[name] += 1
                QApplication.processEvents()
                try:
                    check(self.dock)
                except Broken as error:
                    raise Broken(f"after {number + 1} actions, {', '.join(trail[-6:])}: {error}") from None
        unpainted.set_on(False)

    def settle(self) -> None:
        """Wait until nothing is under way."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._is_working():
            if time.monotonic() > deadline:
                raise Broken(f"still working after {_PATIENCE_S:.0f} s: {self.dock.status_label.text()}")
            QTest.qWait(10)

    def prove(self, store: SessionStore) -> None:
        """Settle; grades on the screen must be those of the landmarks there, and disk gives the work back."""
        self.settle()
        session = self.dock.reading.session
        if session is None:
            return
        state, study = session.state, session.study
        for key, fresh in self.regraded(study, state).items():
            _compare(key, state.finding(key), state.withholding(fresh))
        on_disk = store.restore(study, state.analysis.provenance.bundle_sha256)
        if state.work.done and on_disk.work != state.work:
            raise Broken("the session on disk is not the one on the screen")

    def _is_working(self) -> bool:
        reading = self.dock.reading
        return reading.is_busy or reading.is_regrading

    def _table(self) -> list[tuple[str, float, Callable[[], object]]]:
        return [
            ("choose a cell", 14, self._click_cell),
            ("drag a point", 14, self._drag_point),
            ("click an image", 4, lambda: self._click(_NONE)),
            ("shift over an image", 4, self._hover),
            ("window by dragging", 3, lambda: self._drag_anywhere(_MIDDLE)),
            ("scroll", 12, self._scroll),
            ("any key on a canvas", 10, self._any_key),
            ("undo", 5, lambda: self._key(Qt.Key.Key_Z, _CTRL)),
            ("redo", 4, lambda: self._key(Qt.Key.Key_Z, _CTRL | _SHIFT)),
            ("grade by hand", 4, lambda: self._key(self.rng.choice(_GRADE_KEYS), _ALT)),
            ("press a button", 14, self._press_a_button),
            ("choose in a box", 2, self._choose_in_a_box),
            ("arrow in the matrix", 4, lambda: QTest.keyClick(self.dock.matrix, self.rng.choice(_ARROWS))),
            ("analyse", 3, lambda: self.dock.study_panel.analyse_asked.emit()),
            ("cancel", 1, lambda: self.dock.study_panel.cancel_asked.emit()),
            ("switch the study", 0.4, self._switch_study),
            ("meddle with a layer", 2, self._meddle_with_a_layer),
            ("wait", 3, lambda: QTest.qWait(self.rng.choice((5, 20, 100)))),
        ]

    def _pane(self) -> tuple[Pane, QWidget]:
        """One that a mouse can reach: others may have squeezed it to nothing."""
        both = zip(self.dock.panes, self.canvases, strict=True)
        return self.rng.choice(
            [(pane, canvas) for pane, canvas in both if min(canvas.width(), canvas.height()) > 1]
        )

    def _anywhere(self, widget: QWidget) -> QPoint:
        return QPoint(self.rng.randrange(1, widget.width()), self.rng.randrange(1, widget.height()))

    def _click_cell(self) -> None:
        matrix = self.dock.matrix
        place = QPoint(self.rng.randrange(matrix.viewport().width()), self.rng.randrange(190))
        QTest.mouseClick(matrix.viewport(), _LEFT, _NONE, place)

    def _drag_point(self) -> None:
        pane, canvas = self._pane()
        session = self.dock.reading.session
        if session is None or pane.series is None:
            return
        here = [lm for lm in session.state.landmarks.points.values() if lm.series_id == pane.series.series_id]
        if not here:
            return
        landmark = self.rng.choice(here)
        pane.go_to_slice(landmark.slice_index)
        QApplication.processEvents()
        start = on_screen(pane, canvas, landmark.pixel_rc)
        stop = start + QPoint(self.rng.randint(-40, 40), self.rng.randint(-40, 40))
        drag(canvas, start, stop)

    def _drag_anywhere(self, button: Qt.MouseButton) -> None:
        _, canvas = self._pane()
        drag(canvas, self._anywhere(canvas), self._anywhere(canvas), button)

    def _click(self, modifiers: Qt.KeyboardModifier) -> None:
        _, canvas = self._pane()
        QTest.mouseClick(canvas, _LEFT, modifiers, self._anywhere(canvas))

    def _hover(self) -> None:
        _, canvas = self._pane()
        move_mouse(canvas, self._anywhere(canvas), Qt.MouseButton.NoButton, _SHIFT)

    def _scroll(self) -> None:
        pane, canvas = self._pane()
        if self.rng.random() < 0.5 and pane.series is not None:
            pane.go_to_slice(self.rng.randrange(len(pane.series.slices)))
            return
        turn_wheel(canvas, self._anywhere(canvas), self.rng.choice((-1, 1)), self.rng.choice((_NONE, _CTRL)))

    def _key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        _, canvas = self._pane()
        QTest.keyClick(canvas, key, modifiers)

    def _any_key(self) -> None:
        if self.rng.random() < 0.3:
            self._key(getattr(Qt.Key, f"Key_{self.rng.choice(_NAMED_KEYS)}"), _NONE)
        else:
            self._key(Qt.Key(ord(self.rng.choice(_ANY_KEY))), self.rng.choice((_NONE, _NONE, _CTRL, _SHIFT)))

    def _press_a_button(self) -> None:
        buttons = [b for b in self.dock.findChildren(QAbstractButton) if b.isVisible() and b.isEnabled()]
        buttons = [b for b in buttons if not b.text().replace("&", "").startswith(_NOT_PRESSED)]
        if buttons:
            QTest.mouseClick(self.rng.choice(buttons), _LEFT)

    def _choose_in_a_box(self) -> None:
        boxes = [
            b for b in self.dock.findChildren(QComboBox) if b.isVisible() and b.isEnabled() and b.count()
        ]
        if boxes:
            box = self.rng.choice(boxes)
            QTest.keyClick(box, self.rng.choice((Qt.Key.Key_Down, Qt.Key.Key_Up)))

    def _switch_study(self) -> None:
        self.dock.reading.show_study(self.rng.choice(self.studies))

    def _meddle_with_a_layer(self) -> None:
        """What napari's layer list lets a person do."""
        pane, _ = self._pane()
        layers = list(pane.viewer.layers)
        if not layers:
            return
        layer = self.rng.choice(layers)
        what = self.rng.random()
        if what < 0.3:
            layer.name = f"named {self.rng.random():.3f}"
        elif what < 0.7:
            layer.visible = not layer.visible
        elif what < 0.85:
            pane.viewer.layers.remove(layer)
        else:
            pane.viewer.layers.selection.active = layer

    @contextmanager
    def _answering_questions(self) -> Iterator[None]:
        timer = QTimer()
        timer.setInterval(15)
        timer.timeout.connect(self._answer)
        timer.start()
        try:
            yield
        finally:
            timer.stop()

    def _answer(self) -> None:
        """Close what waits for an answer, by any of its buttons."""
        popup, dialog = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        elif dialog is not None:
            buttons = [b for b in dialog.findChildren(QAbstractButton) if b.isEnabled() and b.isVisible()]
            is_question = not dialog.findChildren(QLineEdit) and len(buttons) <= 4
            if is_question and buttons and self.rng.random() < 0.7:
                self.rng.choice(buttons).click()
            elif isinstance(dialog, QDialog):
                dialog.reject()
            else:
                dialog.close()


#: Actions that press or turn the wheel on a canvas: vispy draws to see what lies there, on what was painted.
#: They begin with canvases that are up to date, as for a person; painted within the event, PyQt6 crashed.
_POINTED = frozenset({"drag a point", "click an image", "window by dragging", "scroll"})
_GRADE_KEYS = (Qt.Key.Key_0, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
#: Buttons that lead out of the reader.
_NOT_PRESSED = ("Open folder", "Layers")


def check(dock: ReaderDock) -> None:
    """Raise ``Broken`` if a cell or a point does not show what is so."""
    session = dock.reading.session
    if session is None:
        shown = [key.text for key in ALL_FINDINGS if dock.matrix.cell(key).state is not CellState.EMPTY]
        if shown:
            raise Broken(f"a grade without an analysis: {shown[0]}")
        return
    for key in ALL_FINDINGS:
        _check_cell(dock, session.state, key)
    for pane in dock.panes:
        _check_points(pane, session.state)


def _check_cell(dock: ReaderDock, state: SessionState, key: FindingKey) -> None:
    cell = dock.matrix.cell(key)
    is_shown_old = cell.state in (CellState.STALE, CellState.REGRADING)
    if is_shown_old != (key in state.stale):
        raise Broken(f"{key.text} is {'' if key in state.stale else 'not '}stale and is shown {cell.state}")
    if cell.severity is not None and cell.severity is not state.finding(key).severity:
        raise Broken(f"{key.text} is shown {cell.severity} and is {state.finding(key).severity}")


def _check_points(pane: Pane, state: SessionState) -> None:
    # Ghosts name findings, too, but no severity: they stand where points were predicted.
    layers = [layer for layer in pane.viewer.layers if "severity" in getattr(layer, "features", ())]
    for layer in layers:
        for name, place in zip(layer.features["finding"], layer.data, strict=True):
            key = next(key for key in ALL_FINDINGS if key.column == name)
            landmark = state.landmarks.get(key)
            if landmark is None:
                raise Broken(f"a point of {key.text}, which has no landmark")
            if np.abs(np.subtract(place, (landmark.slice_index, *landmark.pixel_rc))).max() > 1e-6:
                raise Broken(f"the point of {key.text} is at {place}, its landmark at {landmark.pixel_rc}")


def _compare(key: FindingKey, shown: Finding, fresh: Finding) -> None:
    if shown.override is not None:
        return
    if shown.severity is not fresh.severity:
        raise Broken(f"{key.text} shows {shown.severity}, graded from the start it is {fresh.severity}")
    if shown.probs and fresh.probs and not np.allclose(shown.probs.as_tuple, fresh.probs.as_tuple, atol=1e-5):
        raise Broken(f"{key.text} shows {shown.probs}, graded from the start it is {fresh.probs}")


def graded_from_the_start(system: System, study: Study, state: SessionState) -> Mapping[FindingKey, Finding]:
    """Grade every finding of a state from its landmarks, whatever was graded before.

    With ``system``, or with the embedded bundle where that was chosen in its box meanwhile.
    """
    if state.analysis.provenance.bundle_sha256 != system.bundle_sha256:
        system = load_system(None, "cpu")
    keys = [key for key in ALL_FINDINGS if key in state.landmarks.points]
    return regrade(study, system, state.landmarks, keys)


def main() -> None:
    """Let the monkey loose on phantoms with the embedded bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        text = _run(options.actions, options.seed, SessionStore(Path(scratch)))
    print(text)
    if options.write:
        keep("anything at all in the window", text)


def _run(actions: int, seed: int, store: SessionStore) -> str:
    system = load_system(None, "cpu")
    viewer = napari.Viewer(title="Lumbar reader")
    dock = ReaderDock(viewer, lambda: system, store)
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1400, 900)
    spare_collections()
    QTest.qWait(500)
    studies = [make_phantom(number).study for number in (11, 12)]
    dock.reading.show_study(studies[0])
    grade = partial(graded_from_the_start, system)
    monkey = Monkey(dock, canvases_of(dock), studies, grade, random.Random(seed))
    broken = _uncaught()
    started = time.monotonic()
    for part in range(0, actions, _PROOF_EVERY):
        monkey.run(min(_PROOF_EVERY, actions - part))
        monkey.prove(store)
        print(f"{part + _PROOF_EVERY} actions, {len(broken)} errors", file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    dock.reading.close()
    viewer.close()
    checks = f"{actions} checks and {-(-actions // _PROOF_EVERY)} gradings from the start"
    return (
        f"{actions} actions from seed {seed} on two phantoms, {system.bundle_name}, {seconds:.0f} s:\n"
        f"{len(broken)} uncaught errors; what was shown and saved was so in all of {checks}."
    )


def _uncaught() -> list[str]:
    """A list that grows with every error that nobody caught."""
    found: list[str] = []
    usual = sys.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        found.append(f"{kind.__name__}: {error}")
        usual(kind, error, trace)

    sys.excepthook = note
    return found


if __name__ == "__main__":
    main()
