"""The reader's dock widget: builds every part once and connects them. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari
from napari.components.viewer_model import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QShowEvent
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
from ..domain.study import Study
from ..pipeline.protocols import System
from ..session import RecentStudies, SessionState, SessionStore
from .axial_canvas import forbid_floating, second_canvas
from .cells import describe
from .dropping import StudyDrop
from .editing import Editing
from .finding_panel import FindingPanel
from .findings_matrix import FindingsMatrix
from .navigation import Navigation
from .panes import LinkedPanes
from .plain import plain_tip
from .reading import Reading
from .shortcuts import Shortcut, bind_on_canvas, bind_on_panel
from .study_dialogs import StudiesDialog
from .study_panel import StudyPanel
from .study_source import StudyChoice
from .view_bar import ViewBar

#: The panel is as narrow as the matrix allows; the rest of the dock belongs to the axial images.
_PANEL_WIDTH_PX = 540
_AXIAL_WIDTH_PX = 440
_HEIGHT_PX = 900


class ReaderDock(QWidget):
    """Lumbar reader: the sagittal series in the main canvas, the axial one and the panel in this dock.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the sagittal series.
    system
        Loads the networks when they are first needed (default: the bundle that comes with the package).
    store
        Where corrections are kept (default: the user's data folder).
    recent
        Studies that were opened lately (default: those in the user's data folder).
    """

    def __init__(
        self,
        napari_viewer: napari.Viewer,
        system: Callable[[], System] | None = None,
        store: SessionStore | None = None,
        recent: RecentStudies | None = None,
    ) -> None:
        super().__init__()
        self.reading = Reading(system or _default_system, store or SessionStore(), self)
        self.axial_model = ViewerModel(title="Axial")
        self.panes = LinkedPanes(napari_viewer, self.axial_model)
        self.study_panel, self.matrix = StudyPanel(recent or RecentStudies()), FindingsMatrix()
        self.finding_panel, self.view_bar = FindingPanel(), ViewBar()
        self.axial_canvas = second_canvas(self.axial_model)
        self.status_label = QElidingLabel("Open a study to begin.")
        self.navigation = Navigation(self.reading, self.panes, self.matrix, self.finding_panel, self.view_bar)
        self.editing = Editing(
            self.reading, self.panes, lambda: self.navigation.chosen, self.navigation.choose
        )
        self.panel = QWidget()
        self._lay_out()
        self._connect_reading()
        self._connect_person()
        self._bind_keys(napari_viewer)

    def sizeHint(self) -> QSize:
        """The panel and an axial image beside it: the rest of the window belongs to the sagittal images."""
        return QSize(_PANEL_WIDTH_PX + _AXIAL_WIDTH_PX, _HEIGHT_PX)

    def showEvent(self, event: QShowEvent) -> None:
        """Once docked, stay docked."""
        super().showEvent(event)
        forbid_floating(self)

    def _lay_out(self) -> None:
        axial, whole = QWidget(), QVBoxLayout(self)
        beside = QVBoxLayout(axial)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.view_bar)
        beside.addWidget(self.axial_canvas, 1)
        self._fill_panel()
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(axial)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        whole.addWidget(splitter, 1)

    def _fill_panel(self) -> None:
        research = QLabel(RESEARCH_USE_ONLY)
        research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(research)
        column.addWidget(self.study_panel)
        column.addLayout(_sides_row())
        column.addWidget(self.matrix)
        column.addWidget(self.finding_panel)
        column.addStretch(1)
        column.addWidget(self.status_label)
        self.panel.setMinimumWidth(_PANEL_WIDTH_PX)

    def _connect_reading(self) -> None:
        reading, panel = self.reading, self.study_panel
        reading.study_changed.connect(self._on_study)
        reading.state_changed.connect(self._on_state)
        reading.opened.connect(panel.open_buttons.remember)
        reading.choice_needed.connect(self._on_choice)
        reading.thumbnails_made.connect(panel.show_thumbnails)
        reading.progressed.connect(panel.show_progress)
        reading.busy_changed.connect(panel.show_busy)
        reading.analysed.connect(lambda: panel.show_series(False))
        reading.analysed.connect(self.navigation.choose_first)
        reading.said.connect(self._say)
        self.destroyed.connect(reading.close)
        QApplication.instance().aboutToQuit.connect(reading.close)

    def _connect_person(self) -> None:
        reading, panel, finding = self.reading, self.study_panel, self.finding_panel
        panel.opening_asked.connect(reading.open_paths)
        panel.open_buttons.troubled.connect(lambda text: self._say(text, True))
        StudyDrop(self).dropped.connect(reading.open_paths)
        panel.role_chosen.connect(reading.assign_role)
        panel.automatic_asked.connect(reading.use_automatic_roles)
        panel.analyse_asked.connect(reading.analyse)
        panel.cancel_asked.connect(reading.cancel)
        finding.undo_asked.connect(self.editing.undo)
        finding.redo_asked.connect(self.editing.redo)
        finding.reset_asked.connect(self.editing.reset)
        finding.place_asked.connect(self.editing.put_here)
        finding.regrade_asked.connect(reading.regrade_now)
        finding.export_asked.connect(self._export)
        self.view_bar.visibility_changed.connect(self.panes.set_evidence_visible)

    def _bind_keys(self, viewer: ViewerModel) -> None:
        shortcuts = (
            Shortcut("Ctrl+Z", "Undo", self.editing.undo),
            Shortcut("Ctrl+Shift+Z", "Redo", self.editing.redo),
            Shortcut("PgDown", "Next level down", lambda: self.navigation.step_level(1), on_panel=False),
            Shortcut("PgUp", "Next level up", lambda: self.navigation.step_level(-1), on_panel=False),
        )
        for model in (viewer, self.axial_model):
            bind_on_canvas(shortcuts, model, self)
        bind_on_panel(shortcuts, self.panel)

    def _on_study(self, study: Study) -> None:
        self.study_panel.show_study(study, self.reading.automatic or study)
        self.view_bar.show_study(study)
        self.panes.show_study(study, self.view_bar.sagittal_role)

    def _on_choice(self, choice: StudyChoice) -> None:
        dialog = StudiesDialog(choice.found, self)
        dialog.chosen.connect(lambda uid: self.reading.open_paths([choice.folder], uid))
        dialog.open()

    def _on_state(self, state: SessionState | None) -> None:
        self.panes.draw(state)
        regrading = self.reading.is_regrading
        keys = state.analysis.findings if state else ()
        self.matrix.draw({key: describe(state, key, regrading) for key in keys if state})
        self.navigation.draw_chosen()

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
        self.status_label.setToolTip(plain_tip(text))
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
