"""The reader's dock widget: builds every part once and connects them. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari
from napari.components.viewer_model import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt, QUrl
from qtpy.QtGui import QDesktopServices, QShowEvent
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
from .comparing import Comparing
from .comparison import describe_all, legend
from .dropping import StudyDrop
from .editing import Editing
from .finding_panel import FindingPanel
from .findings_matrix import FindingsMatrix
from .logbook import Logbook, log_folder
from .navigation import Navigation
from .own_window import layer_docks, share_width, show_layer_docks
from .panes import LinkedPanes
from .plain_text import plain_tooltip
from .reading import Reading
from .shortcuts import Shortcut, bind_on_canvas, bind_on_panel
from .study_dialogs import StudiesDialog
from .study_panel import StudyPanel
from .study_source import StudyChoice
from .system_row import SystemRow, copy_to_clipboard
from .systems import RecentBundles, SystemChoice
from .view_bar import ViewBar
from .walk import is_not_normal, needs_check

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
        self.reading = Reading(system or SystemChoice().load, store or SessionStore(), self)
        self.axial_model = ViewerModel(title="Axial")
        self.panes = LinkedPanes(napari_viewer, self.axial_model)
        self.study_panel, self.matrix = StudyPanel(recent or RecentStudies()), FindingsMatrix()
        self.finding_panel, self.view_bar = FindingPanel(), ViewBar()
        self.system_row, self.log = SystemRow(RecentBundles()), Logbook(log_folder())
        self.comparing = Comparing(self.reading, self)
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
        self._connect_systems()
        self._bind_keys(napari_viewer)

    def sizeHint(self) -> QSize:
        """The panel and an axial image beside it: the rest of the window belongs to the sagittal images."""
        return QSize(_PANEL_WIDTH_PX + _AXIAL_WIDTH_PX, _HEIGHT_PX)

    def showEvent(self, event: QShowEvent) -> None:
        """Once docked, stay docked."""
        super().showEvent(event)
        forbid_floating(self)
        self.view_bar.layers_button.setChecked(any(dock.isVisible() for dock in layer_docks(self)))

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
        column.addWidget(self.system_row)
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
        self.destroyed.connect(self.log.close)
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
        self._connect_view_bar()

    def _connect_view_bar(self) -> None:
        bar, panes = self.view_bar, self.panes
        bar.shown_changed.connect(panes.set_shown)
        bar.window_chosen.connect(panes.choose_window)
        bar.window_reset_asked.connect(panes.reset_windows)
        bar.fit_asked.connect(panes.fit)
        bar.layers_toggled.connect(lambda shown: show_layer_docks(self, shown))
        panes.series_changed.connect(lambda: bar.offer_windows(panes.offered_windows))
        self.destroyed.connect(panes.close)

    def take_the_window(self) -> None:
        """In a window of our own the images get the room of napari's layer docks, half of it each."""
        show_layer_docks(self, False)
        share_width(self, _PANEL_WIDTH_PX)

    def _connect_systems(self) -> None:
        reading, row, log = self.reading, self.system_row, self.log
        row.chosen.connect(lambda choice: reading.use_system(choice.load))
        row.comparison_asked.connect(lambda choice: self.comparing.compare(choice.load))
        row.comparison_ended.connect(self.comparing.end)
        row.log_folder_asked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log.folder))))
        row.log_copy_asked.connect(lambda: copy_to_clipboard(log.text()))
        row.refused.connect(self._say)
        reading.busy_changed.connect(row.show_busy)
        self.comparing.changed.connect(self._draw_matrix)

    def _bind_keys(self, viewer: ViewerModel) -> None:
        step_to = self.navigation.step_to
        shortcuts = (
            Shortcut("Ctrl+Z", "Undo", self.editing.undo),
            Shortcut("Ctrl+Shift+Z", "Redo", self.editing.redo),
            Shortcut("Ctrl+Down", "Next finding that is not normal", lambda: step_to(is_not_normal, 1)),
            Shortcut("Ctrl+Up", "Finding before that is not normal", lambda: step_to(is_not_normal, -1)),
            Shortcut("Ctrl+Shift+Down", "Next finding to check", lambda: step_to(needs_check, 1)),
            Shortcut("Ctrl+Shift+Up", "Finding before to check", lambda: step_to(needs_check, -1)),
            Shortcut("PgDown", "Next level down", lambda: self.navigation.step_level(1), on_panel=False),
            Shortcut("PgUp", "Next level up", lambda: self.navigation.step_level(-1), on_panel=False),
            *self.view_bar.keys,
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
        self._draw_matrix()
        self.navigation.draw_chosen()

    def _draw_matrix(self) -> None:
        session, comparison = self.reading.session, self.comparing.comparison
        state = session.state if session else None
        cells = describe_all(state, comparison, self.reading.is_regrading)
        self.matrix.draw(cells)
        self.system_row.show_system(state.analysis.provenance.device if state else None)
        self.system_row.show_comparison(legend(comparison, cells) if comparison else "")

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
