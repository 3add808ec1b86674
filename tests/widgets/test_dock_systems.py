"""The whole window: compare bundles, walk to what needs a person, and layers that vanish during a run."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_lumbar.domain.findings import SeverityProbs
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import Study
from napari_lumbar.layer_data import EDGES_OF_A_BOX
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import landmark_at
from napari_lumbar.widgets.cells import CellState
from napari_lumbar.widgets.reader_dock import ReaderDock
from napari_lumbar.widgets.systems import SystemChoice

pytestmark = pytest.mark.gui

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L5_S1)
LONG_MS = 30000


class Harsh:
    """A second grader: as the first, but two findings are worse."""

    def __init__(self, usual: Any) -> None:
        self.usual = usual
        self.dependence = usual.dependence

    def grade(self, study: Study, landmarks: Any, keys: Any, report: Any, cancel: Any) -> Any:
        found = dict(self.usual.grade(study, landmarks, keys, report, cancel))
        for key, probs in ((CANAL, SeverityProbs(0.1, 0.8, 0.1)), (LEFT, SeverityProbs(0.0, 0.1, 0.9))):
            found[key] = replace(found[key], probs=probs)
        return found


def analyse(dock: ReaderDock, qtbot: Any) -> None:
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=LONG_MS)
    qtbot.wait(100)


def test_two_bundles_side_by_side_until_a_point_moves(
    dock: ReaderDock, fake_system: System, fake_grader: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse(dock, qtbot)
    assert dock.system_row.now_label.text() == "Embedded on cpu"
    harsh = replace(fake_system, grader=Harsh(fake_grader), bundle_name="harsh")
    monkeypatch.setattr(SystemChoice, "load", lambda _: harsh)
    qtbot.mouseClick(dock.system_row.fold_button, Qt.MouseButton.LeftButton)
    dock.system_row.other_box.setCurrentIndex(1)
    dock.system_row.other_box.activated.emit(1)
    qtbot.waitUntil(lambda: dock.comparing.comparison is not None, timeout=LONG_MS)
    assert dock.system_row.comparison_label.text() == (
        "2 of 25 findings differ; 1 by two grades. "
        "Above: fake; below: harsh; both graded from the points on the screen."
    )
    assert {key for key, cell in dock.matrix.cells.items() if cell.differs} == {CANAL, LEFT}

    assert dock.system_row.other_box.currentText() == "Embedded"

    # keys walk to what is not normal in either, and round
    canvas = dock.axial_canvas.canvas.native
    dock.matrix.choose(FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L1_L2))
    for there in (CANAL, LEFT, CANAL):
        qtbot.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        assert dock.matrix.current_key == there

    # a point moves: neither half keeps its grade, until the comparison is ended
    session = dock.reading.session
    assert session is not None
    fake_grader.gate.clear()
    old = session.state.landmarks.points[CANAL]
    session.move(landmark_at(session.study.by_id(old.series_id), CANAL, old.slice_index, (56, 45)))
    cell = dock.matrix.cell(CANAL)
    assert cell.other is not None
    assert (cell.state, cell.other.state) == (CellState.REGRADING, CellState.STALE)
    assert "1 not compared: a point moved" in dock.system_row.comparison_label.text()
    fake_grader.gate.set()
    qtbot.waitUntil(lambda: not session.state.stale, timeout=LONG_MS)
    dock.system_row.other_box.setCurrentIndex(0)
    dock.system_row.other_box.activated.emit(0)
    assert dock.matrix.cell(CANAL).other is None
    assert not dock.system_row.comparison_label.isVisible()

    # another device: findings of the old networks go at once
    monkeypatch.setattr(SystemChoice, "load", lambda _: fake_system)
    dock.system_row.device_box.setCurrentIndex(1)
    dock.system_row.device_box.activated.emit(1)
    assert {cell.state for cell in dock.matrix.cells.values()} == {CellState.EMPTY}
    assert dock.system_row.now_label.text() == "Embedded on cpu, not loaded yet"


def test_the_box_does_not_name_a_bundle_whose_grades_are_not_shown(
    dock: ReaderDock, fake_system: System, fake_grader: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse(dock, qtbot)
    box = dock.system_row.other_box

    def ask() -> None:
        box.setCurrentIndex(1)
        box.activated.emit(1)

    monkeypatch.setattr(SystemChoice, "load", lambda _: fake_system)
    ask()
    qtbot.waitUntil(lambda: dock.comparing.comparison is not None, timeout=LONG_MS)
    assert box.currentText() == "Embedded"
    fake_grader.gate.clear()
    ask()
    assert dock.matrix.cell(CANAL).other is None
    assert (box.currentText(), box.isEnabled()) == ("Nothing", False)
    dock.reading.cancel()
    qtbot.waitUntil(lambda: not dock.reading.is_busy, timeout=LONG_MS)
    assert (box.currentText(), box.isEnabled()) == ("Nothing", True)
    fake_grader.gate.set()
    assert not dock.system_row.comparison_label.isVisible()


def test_layers_may_vanish_or_be_renamed_during_a_run_and_the_box_pointed_at_is_bright(
    dock: ReaderDock, locate_gate: threading.Event, qtbot: Any
) -> None:
    locate_gate.clear()
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.study_panel.progress_bar.format().startswith("locating"), timeout=LONG_MS)
    layers = dock.axial_model.layers
    layers.remove(layers["Attention"])
    layers["Crops"].name = "mine"
    sagittal = dock.panes.sagittal.viewer.layers
    sagittal.clear()
    locate_gate.set()
    qtbot.waitUntil(lambda: dock.reading.session is not None, timeout=LONG_MS)
    dock.navigation.choose(LEFT)
    assert "Landmarks" in dock.axial_model.layers
    crops = dock.axial_model.layers["mine"]
    assert len(crops.data) == EDGES_OF_A_BOX
    usual = crops.edge_color[0, 3]
    strip = dock.finding_panel.strip
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert (crops.edge_color[:, 3] > usual).all()
    assert strip.chosen is not None
    assert dock.panes.axial.slice_index == strip.chosen.slice_index
    # another study in the middle of a run: what comes out is not shown
    locate_gate.clear()
    qtbot.mouseClick(dock.study_panel.analyse_button, Qt.MouseButton.LeftButton)
    assert dock.reading.study is not None
    dock.reading.show_study(replace(dock.reading.study, study_id="next", study_uid="1.2.840.9"))
    locate_gate.set()
    qtbot.waitUntil(lambda: not dock.reading.is_busy, timeout=LONG_MS)
    assert dock.reading.session is None
    assert {cell.state for cell in dock.matrix.cells.values()} == {CellState.EMPTY}
