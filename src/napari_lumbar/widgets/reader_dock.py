"""The reader's dock widget: builds every part once and connects them. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import napari
from napari.components.viewer_model import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt, QUrl
from qtpy.QtGui import QDesktopServices, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from .. import RESEARCH_USE_ONLY
from ..domain.spine import Severity
from ..domain.study import Study
from ..pipeline.protocols import System
from ..session import RecentStudies, SessionState, SessionStore
from .axial_canvas import forbid_floating, second_canvas
from .commands import GRADE_COMMANDS, Command
from .comparing import Comparing
from .comparison import describe_all, legend
from .corner_labels import CornerLabels
from .dropping import StudyDrop
from .editing import Editing
from .finding_panel import FindingPanel
from .findings_matrix import FindingsMatrix
from .gl_context import delete_in_own_context
from .idle import WhenIdle
from .key_sheet import KeySheet
from .leaving import Leaving
from .logbook import Logbook, log_folder
from .navigation import Navigation
from .offer_row import OfferRow
from .own_window import hide_slice_numbers, layer_docks, main_canvases, share_width, show_layer_docks
from .panes import LinkedPanes
from .plain_text import LinesLabel, plain_tooltip
from .preferences import Preferences, read_preferences
from .proposing import Proposing
from .questions import may_leave_unsaved, may_swap_sides, may_take_over
from .reading import Reading
from .shortcuts import COMMAND_KEYS, Shortcut, bind_on_canvas, bind_on_panel
from .study_dialogs import StudiesDialog
from .study_panel import StudyPanel
from .study_source import StudyChoice
from .study_words import names_rest_on
from .system_row import SystemRow, copy_to_clipboard
from .systems import RecentBundles, SystemChoice
from .view_bar import ViewBar
from .view_memory import current_view, show_view
from .walk import is_not_normal, needs_check

#: The panel is as narrow as the matrix allows; the rest of the dock belongs to the axial images.
_PANEL_WIDTH_PX = 540
_AXIAL_WIDTH_PX = 440
_HEIGHT_PX = 900
_STATUS_LINES = 3
_PANEL_GAP_PX = 4


class ReaderDock(QWidget):
    """Lumbar reader: the sagittal series in the main canvas, the axial one and the panel in this dock.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the sagittal series.
    system
        Loads the networks when they are first needed (default: the bundle of the preferences).
    store
        Where corrections are kept (default: as the preferences say).
    recent
        Studies that were opened lately (default: those in the user's data folder).
    preferences
        How this person works (default: as set in napari).
    """

    def __init__(
        self,
        napari_viewer: napari.Viewer,
        system: Callable[[], System] | None = None,
        store: SessionStore | None = None,
        recent: RecentStudies | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        super().__init__()
        wishes = preferences or read_preferences()
        choice = SystemChoice(wishes.bundle_folder, wishes.device)
        self.reading = Reading(
            system or choice.load,
            store or SessionStore(wishes.session_folder, wishes.reader),
            self,
            wishes.regrade_delay_ms,
        )
        self.proposing = Proposing(self.reading, self)
        self.leaving = Leaving(self.reading, lambda why: may_leave_unsaved(self, why), self)
        self.axial_model = ViewerModel(title="Axial")
        self.panes = LinkedPanes(napari_viewer, self.axial_model, WhenIdle(self))
        self.study_panel, self.matrix = StudyPanel(recent or RecentStudies()), FindingsMatrix()
        self.finding_panel, self.view_bar = FindingPanel(), ViewBar()
        self.system_row, self.log = SystemRow(RecentBundles()), Logbook(log_folder())
        self.comparing = Comparing(self.reading, self)
        self.axial_canvas = second_canvas(self.axial_model)
        delete_in_own_context(self.axial_canvas)
        CornerLabels(self.axial_canvas.canvas.native, self.panes.axial.text, self)
        self._has_labels = False
        self.offer_row = OfferRow()
        self.status_label = LinesLabel(_STATUS_LINES, " ".join((*wishes.problems, "Open a study to begin.")))
        self.navigation = Navigation(self.reading, self.panes, self.matrix, self.finding_panel, self.view_bar)
        self.editing = Editing(
            self.reading,
            self.panes,
            self.proposing,
            lambda: self.navigation.chosen,
            self.navigation.choose,
        )
        self.actions = self._actions()
        self.panel = QWidget()
        self._lay_out()
        self._connect_reading()
        self._connect_person()
        self._connect_systems()
        self.system_row.choose(choice)
        self._bind_keys(napari_viewer)

    def sizeHint(self) -> QSize:
        """The panel and an axial image beside it: the rest of the window belongs to the sagittal images."""
        return QSize(_PANEL_WIDTH_PX + _AXIAL_WIDTH_PX, _HEIGHT_PX)

    def showEvent(self, event: QShowEvent) -> None:
        """Once docked, stay docked, and write on the canvas of the window that is now around."""
        super().showEvent(event)
        forbid_floating(self)
        if not self._has_labels:
            self._has_labels = True
            self.leaving.watch(self.window())
            for canvas in main_canvases(self):
                delete_in_own_context(canvas)
                CornerLabels(canvas.canvas.native, self.panes.sagittal.text, self)
        self.view_bar.layers_button.setChecked(any(dock.isVisible() for dock in layer_docks(self)))

    def _lay_out(self) -> None:
        axial, whole = QWidget(), QVBoxLayout(self)
        beside = QVBoxLayout(axial)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.view_bar)
        beside.addWidget(self.axial_canvas, 1)
        # Otherwise napari lets an empty space below take the height.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._fill_panel()
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(axial)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([_AXIAL_WIDTH_PX, self.panel.minimumSizeHint().width()])
        splitter.setChildrenCollapsible(False)
        whole.addWidget(splitter, 1)

    def _fill_panel(self) -> None:
        research = QLabel(RESEARCH_USE_ONLY)
        research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(research)
        column.addWidget(_scrolled(self._panel_content()), 1)
        column.addWidget(self.status_label)

    def _panel_content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, _PANEL_GAP_PX, 0)
        column.setSpacing(_PANEL_GAP_PX)
        column.addWidget(self.study_panel)
        column.addWidget(self.system_row)
        column.addLayout(_sides_row())
        column.addWidget(self.matrix)
        column.addWidget(self.finding_panel, 100)
        column.addWidget(self.offer_row)
        column.addStretch(1)
        content.setMinimumWidth(_PANEL_WIDTH_PX)
        return content

    def _connect_reading(self) -> None:
        reading, panel = self.reading, self.study_panel
        reading.study_changed.connect(self._on_study)
        reading.state_changed.connect(self._on_state)
        reading.regrading_began.connect(self._draw_matrix)
        reading.regrading_began.connect(self.navigation.draw_words)
        reading.opened.connect(panel.open_buttons.remember)
        reading.choice_needed.connect(self._on_choice)
        reading.thumbnails_made.connect(panel.show_thumbnails)
        reading.progressed.connect(panel.show_progress)
        reading.busy_changed.connect(panel.show_busy)
        reading.analysed.connect(lambda: panel.show_series(False))
        reading.analysed.connect(self._on_analysed)
        reading.said.connect(self._say)
        reading.view = lambda: current_view(self.panes, self.navigation.chosen)
        reading.may_take_over = lambda owner: may_take_over(self, owner)
        self.proposing.changed.connect(self.offer_row.draw)
        self.proposing.proposed.connect(self.panes.go_to_slice)
        self.destroyed.connect(reading.close)
        self.destroyed.connect(self.log.close)
        playing = self.axial_canvas.dims
        self.destroyed.connect(lambda: playing.stop())  # a thread turns the slices; it must not outlive them
        QApplication.instance().aboutToQuit.connect(reading.save_view)
        QApplication.instance().aboutToQuit.connect(reading.close)

    def _connect_person(self) -> None:
        reading, panel, corrections = self.reading, self.study_panel, self.finding_panel.corrections
        asking = self.leaving.asking
        panel.opening_asked.connect(asking(reading.open_paths))
        panel.open_buttons.troubled.connect(lambda text: self._say(text, True))
        StudyDrop(self).dropped.connect(asking(reading.open_paths))
        panel.role_chosen.connect(asking(reading.assign_role))
        panel.automatic_asked.connect(asking(reading.use_automatic_roles))
        panel.analyse_asked.connect(reading.analyse)
        panel.cancel_asked.connect(reading.cancel)
        corrections.grade_asked.connect(self.editing.override)
        for buttons in (corrections, self.offer_row):
            buttons.asked.connect(lambda command: self.actions[command]())
        self._connect_view_bar()

    def _connect_view_bar(self) -> None:
        bar, panes = self.view_bar, self.panes
        bar.shown_changed.connect(panes.set_shown)
        bar.window_chosen.connect(panes.choose_window)
        bar.window_reset_asked.connect(panes.reset_windows)
        bar.fit_asked.connect(panes.fit)
        bar.layers_toggled.connect(lambda shown: show_layer_docks(self, shown))
        panes.series_changed.connect(lambda: bar.offer_windows(panes.offered_windows))
        panes.series_changed.connect(lambda: hide_slice_numbers(self))
        self.destroyed.connect(panes.close)

    def take_the_window(self) -> None:
        """In a window of our own the images get the room of napari's layer docks, half of it each."""
        show_layer_docks(self, False)
        share_width(self, _PANEL_WIDTH_PX)

    def _connect_systems(self) -> None:
        reading, row, log = self.reading, self.system_row, self.log
        row.may_change = self.leaving.may_leave
        row.chosen.connect(lambda choice: reading.use_system(choice.load))
        row.comparison_asked.connect(lambda choice: self.comparing.compare(choice.load))
        row.comparison_ended.connect(self.comparing.leave)
        row.log_folder_asked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log.folder))))
        row.log_copy_asked.connect(lambda: copy_to_clipboard(log.text()))
        row.refused.connect(self._say)
        reading.busy_changed.connect(row.show_busy)
        self.comparing.changed.connect(self._draw_matrix)

    def _actions(self) -> Mapping[Command, Callable[[], None]]:
        editing = self.editing
        return {
            Command.UNDO: editing.undo,
            Command.REDO: editing.redo,
            **{command: self._grading(severity) for severity, command in GRADE_COMMANDS.items()},
            Command.CLEAR_GRADE: editing.clear_override,
            Command.PUT_HERE: editing.put_here,
            Command.MARK_ABSENT: editing.mark_absent,
            Command.RESET: editing.reset,
            Command.NAMES_UP: lambda: editing.shift_levels(-1),
            Command.NAMES_DOWN: lambda: editing.shift_levels(1),
            Command.SWAP_SIDES: lambda: editing.swap_sides(lambda text: may_swap_sides(self, text)),
            Command.REGRADE: self.reading.regrade_now,
            Command.EXPORT: self._export,
            Command.PROPOSE: self.proposing.accept,
            Command.LEAVE: self.proposing.leave,
            Command.SHOW_KEYS: lambda: self.key_sheet.toggle(),
        }

    def _grading(self, severity: Severity) -> Callable[[], None]:
        return lambda: self.editing.override(severity, self.finding_panel.corrections.reason)

    def _bind_keys(self, viewer: ViewerModel) -> None:
        step_to = self.navigation.step_to
        shortcuts = (
            *(
                Shortcut(keys, command.value, self.actions[command], group="Correcting")
                for command, keys in COMMAND_KEYS.items()
            ),
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
        self.key_sheet = KeySheet(shortcuts, self)

    def _on_study(self, study: Study) -> None:
        self.study_panel.show_study(study, self.reading.automatic or study)
        self.view_bar.show_study(study)
        self.panes.show_study(study, self.view_bar.sagittal_role)

    def _on_choice(self, choice: StudyChoice) -> None:
        dialog = StudiesDialog(choice.found, self)
        dialog.chosen.connect(lambda uid: self.reading.open_paths([choice.folder], uid))
        dialog.open()

    def _on_state(self, state: SessionState | None) -> None:
        self._draw_matrix()
        self.matrix.viewport().repaint()  # grades are seen before the slower pictures follow
        self.study_panel.show_warnings(state)
        self.panes.draw(state)
        self.navigation.draw_chosen()

    def _draw_matrix(self) -> None:
        session, comparison = self.reading.session, self.comparing.comparison
        state = session.state if session else None
        cells = describe_all(state, comparison, self.reading.is_regrading)
        self.matrix.draw(cells)
        self.matrix.draw_names(*names_rest_on(state))
        self.system_row.show_system(state.analysis.provenance.device if state else None)
        self.system_row.show_comparison(legend(comparison, cells) if comparison else "")

    def _on_analysed(self) -> None:
        view = self.reading.restored_view
        if view.chosen is not None:
            self.navigation.choose(view.chosen)
        else:
            self.navigation.choose_first()
        show_view(self.panes, view)

    def _export(self) -> None:
        session = self.reading.session  # that of now, whatever is opened while the question stands
        if session is None:
            return
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the results")
        if chosen and self._may_replace(Path(chosen)):
            self.reading.save(session, Path(chosen))

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


def _scrolled(content: QWidget) -> QScrollArea:
    """All of the content where the screen is high enough; else what has the focus scrolls into sight."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(content.minimumWidth() + area.verticalScrollBar().sizeHint().width())
    return area


def _sides_row() -> QHBoxLayout:
    """Which way the matrix lies: as the body does on the screen."""
    row = QHBoxLayout()
    row.addWidget(QLabel("◀ Patient's right"))
    row.addStretch(1)
    row.addWidget(QLabel("Patient's left ▶"))
    return row
