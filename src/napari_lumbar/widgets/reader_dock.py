"""The reader's dock widget: builds every part once and connects them. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari
from napari.components.viewer_model import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QKeySequence, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from .. import RESEARCH_USE_ONLY
from ..domain.spine import Condition, ConditionGroup, FindingKey, Level
from ..domain.study import SeriesRole, Study
from ..pipeline.protocols import System
from ..session import SessionState, SessionStore, landmark_at, landmark_on_slice
from .axial_canvas import forbid_floating, second_canvas
from .cells import describe
from .finding_panel import FindingPanel
from .findings_matrix import FindingsMatrix
from .pane import Pane
from .panes import LinkedPanes
from .plain_text import plain_tooltip
from .reading import Reading
from .study_panel import StudyPanel
from .view_bar import ViewBar

_SAGITTAL_OF_GROUP = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
}
_FIRST_FINDING = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
_MINIMUM_WIDTH_PX = 600
_HEIGHT_PX = 900


class ReaderDock(QWidget):
    """Lumbar reader: the sagittal series in the main canvas, everything else in this dock.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the sagittal series.
    system
        Loads the networks when they are first needed (default: the bundle that comes with the package).
    store
        Where corrections are kept (default: the user's data folder).
    """

    def __init__(
        self,
        napari_viewer: napari.Viewer,
        system: Callable[[], System] | None = None,
        store: SessionStore | None = None,
    ) -> None:
        super().__init__()
        self.reading = Reading(system or _default_system, store or SessionStore(), self)
        self.axial_model = ViewerModel(title="Axial")
        self.panes = LinkedPanes(napari_viewer, self.axial_model)
        self.study_panel, self.matrix = StudyPanel(), FindingsMatrix()
        self.finding_panel, self.view_bar = FindingPanel(), ViewBar()
        self.axial_canvas = second_canvas(self.axial_model)
        self.status_label = QElidingLabel("Open a study to begin.")
        self._panel = QWidget()
        self._lay_out()
        self._connect_reading()
        self._connect_person()
        for model in (napari_viewer, self.axial_model):
            self._bind_keys(model)
        self._bind_panel_keys()

    def sizeHint(self) -> QSize:
        """As narrow as the matrix allows: the rest of the window belongs to the images."""
        return QSize(_MINIMUM_WIDTH_PX, _HEIGHT_PX)

    def showEvent(self, event: QShowEvent) -> None:
        """Once docked, stay docked."""
        super().showEvent(event)
        forbid_floating(self)

    def choose(self, key: FindingKey, but: Pane | None = None) -> None:
        """Choose a finding and go to its landmark, except in a pane where a person is working."""
        self.matrix.blockSignals(True)
        self.matrix.choose(key)
        self.matrix.blockSignals(False)
        self._follow(key, but)

    def _lay_out(self) -> None:
        research = QLabel(RESEARCH_USE_ONLY)
        research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        panel, lower, whole = QVBoxLayout(self._panel), QWidget(), QVBoxLayout(self)
        panel.setContentsMargins(0, 0, 0, 0)
        panel.addWidget(self.study_panel)
        panel.addLayout(_sides_row())
        panel.addWidget(self.matrix)
        panel.addWidget(self.finding_panel)
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.view_bar)
        below.addWidget(self.axial_canvas, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._panel)
        splitter.addWidget(lower)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        whole.addWidget(research)
        whole.addWidget(splitter, 1)
        whole.addWidget(self.status_label)
        self.setMinimumWidth(_MINIMUM_WIDTH_PX)

    def _connect_reading(self) -> None:
        reading, panel = self.reading, self.study_panel
        reading.study_changed.connect(self._on_study)
        reading.state_changed.connect(self._on_state)
        reading.progressed.connect(panel.show_progress)
        reading.busy_changed.connect(panel.show_busy)
        reading.analysed.connect(lambda: panel.show_series(False))
        reading.analysed.connect(self._choose_first)
        reading.said.connect(self._say)
        self.destroyed.connect(reading.close)
        QApplication.instance().aboutToQuit.connect(reading.close)

    def _connect_person(self) -> None:
        reading, panel, finding = self.reading, self.study_panel, self.finding_panel
        panel.folder_chosen.connect(reading.open_folder)
        panel.role_chosen.connect(reading.assign_role)
        panel.analyse_asked.connect(reading.analyse)
        panel.cancel_asked.connect(reading.cancel)
        self.matrix.chosen.connect(self._follow)
        finding.undo_asked.connect(self._undo)
        finding.redo_asked.connect(self._redo)
        finding.reset_asked.connect(self._reset)
        finding.place_asked.connect(self._put_here)
        finding.regrade_asked.connect(reading.regrade_now)
        finding.export_asked.connect(self._export)
        finding.jumped.connect(self.panes.go_to_slice)
        self.view_bar.sagittal_chosen.connect(self._show_sagittal)
        self.view_bar.visibility_changed.connect(self.panes.set_evidence_visible)
        self.panes.landmark_moved.connect(self._on_landmark_moved)
        self.panes.landmark_picked.connect(self.choose)
        self.panes.edit_refused.connect(self._on_refused)

    def _bind_keys(self, model: ViewerModel) -> None:
        """Bind the reader's keys on a canvas, for as long as the reader lives."""
        actions: dict[str, Callable[[], None]] = {
            "Control-Z": self._undo,
            "Control-Shift-Z": self._redo,
            "PageDown": lambda: self._step_level(1),
            "PageUp": lambda: self._step_level(-1),
        }
        for keys, action in actions.items():
            model.bind_key(keys, lambda _viewer, action=action: action(), overwrite=True)
        self.destroyed.connect(lambda: [model.bind_key(keys, None) for keys in actions])

    def _bind_panel_keys(self) -> None:
        """The same keys where the focus is in the panel; the canvases have their own key maps."""
        for keys, action in (("Ctrl+Z", self._undo), ("Ctrl+Shift+Z", self._redo)):
            shortcut = QShortcut(QKeySequence(keys), self._panel)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def _on_study(self, study: Study) -> None:
        self.study_panel.show_study(study)
        self.view_bar.show_study(study)
        self.panes.show_study(study, self.view_bar.sagittal_role)

    def _on_state(self, state: SessionState | None) -> None:
        self.panes.draw(state)
        regrading = self.reading.is_regrading
        keys = state.analysis.findings if state else ()
        self.matrix.draw({key: describe(state, key, regrading) for key in keys if state})
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        session, key = self.reading.session, self.matrix.current_key
        self.finding_panel.draw(session, key, self.reading.is_regrading)
        finding = session.state.finding(key) if session and key else None
        self.panes.draw_evidence(finding.evidence if finding else ())

    def _choose_first(self) -> None:
        """Begin with the canal in the middle of the spine, or stay where the person was."""
        self.choose(self.matrix.current_key or _FIRST_FINDING)

    def _follow(self, key: FindingKey, but: Pane | None = None) -> None:
        session = self.reading.session
        role = _SAGITTAL_OF_GROUP.get(key.condition.group)
        if role is not None:
            self.view_bar.choose_sagittal(role)
        landmark = session.state.landmarks.get(key) if session else None
        if landmark is not None:
            self.panes.go_to(landmark, but)
        self._draw_chosen()

    def _show_sagittal(self, role: SeriesRole) -> None:
        study, session = self.reading.study, self.reading.session
        if study is not None:
            self.panes.show_sagittal(study.first(role))
            self.panes.draw(session.state if session else None)
            self._draw_chosen()

    def _on_landmark_moved(
        self, key: FindingKey, series_id: str, slice_index: int, pixel_rc: tuple[float, float]
    ) -> None:
        session = self.reading.session
        if session is not None:
            session.move(landmark_at(session.study.by_id(series_id), key, slice_index, pixel_rc))

    def _on_refused(self) -> None:
        session = self.reading.session
        self.panes.draw(session.state if session else None)
        self._say("Points are not added or deleted: choose a finding, then 'Put point here'.", False)

    def _undo(self) -> None:
        self._show_edited(self.reading.session.undo() if self.reading.session else None)

    def _redo(self) -> None:
        self._show_edited(self.reading.session.redo() if self.reading.session else None)

    def _show_edited(self, key: FindingKey | None) -> None:
        if key is not None:
            self.choose(key)

    def _reset(self) -> None:
        session, key = self.reading.session, self.matrix.current_key
        if session is not None and key is not None:
            session.reset(key)

    def _put_here(self) -> None:
        """Put the chosen finding's point on the slice that its pane shows, in place or in the middle."""
        session, key = self.reading.session, self.matrix.current_key
        if session is None or key is None:
            return
        landmark = session.state.landmarks.get(key)
        is_axial = key.condition.group is ConditionGroup.SUBARTICULAR
        pane = self.panes.axial if is_axial else self.panes.sagittal
        if pane.series is None:
            return
        if landmark is not None and landmark.series_id == pane.series.series_id:
            session.move(landmark_on_slice(pane.series, landmark, pane.slice_index))
        else:
            session.move(landmark_at(pane.series, key, pane.slice_index, pane.centre_rc))

    def _step_level(self, step: int) -> None:
        row = self.matrix.currentRow() + step
        if 0 <= row < self.matrix.rowCount():
            self.matrix.setCurrentCell(row, max(0, self.matrix.currentColumn()))

    def _export(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the results")
        if chosen and self._may_replace(Path(chosen)):
            self.reading.save(Path(chosen))

    def _may_replace(self, folder: Path) -> bool:
        """Ask before results that lie in the folder are replaced."""
        if not (folder / "analysis.json").exists():
            return True
        question = f"{folder} holds results already. Replace them?"
        answer = QMessageBox.question(self, "Replace results?", question)
        return bool(answer == QMessageBox.StandardButton.Yes)

    def _say(self, text: str, is_error: bool) -> None:
        self.status_label.setText(f"⚠ {text}" if is_error else text)
        self.status_label.setToolTip(plain_tooltip(text))
        if is_error:
            show_error(text)


def _sides_row() -> QHBoxLayout:
    """Which way the matrix lies: as the body does on the screen."""
    row = QHBoxLayout()
    row.addWidget(QLabel("◀ Patient's right"))
    row.addStretch(1)
    row.addWidget(QLabel("Patient's left ▶"))
    return row


def _default_system() -> System:
    from ..pipeline import load_system

    return load_system(None, "auto")
