"""Open a study, see which series plays which role and why, start and stop the analysis."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from ..domain.study import Study
from ..pipeline.progress import Progress
from ..session import RecentStudies, SessionState, roles_differ
from .open_buttons import OpenButtons
from .plain_text import LinesLabel, plain_tooltip
from .series_table import SeriesTable
from .study_dialogs import FilesDialog, WarningsDialog
from .study_words import accounting_sentence, counted, series_rows, study_name, warning_lines, warnings_text
from .thumbnails import Thumbnail

#: Reserved for what is known of the current series, so that nothing below moves.
_DETAILS_LINES = 3


class StudyPanel(QWidget):
    """The upper part of the reader.

    Parameters
    ----------
    recent
        Studies that were opened lately.

    Signals
    -------
    opening_asked
        (list of ``Path``, StudyInstanceUID or None).
    role_chosen
        (series_id, role or None).
    automatic_asked
        A person wants the roles back that were chosen by themselves.
    """

    opening_asked = Signal(object, object)
    role_chosen = Signal(str, object)
    automatic_asked = Signal()
    analyse_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, recent: RecentStudies, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._study: Study | None = None
        self._warnings: tuple[str, ...] = ()
        self.open_buttons = OpenButtons(recent)
        self.study_label = QElidingLabel("No study")
        self.warnings_button = _button("", "")
        self.series_button = _button("&Series", "Show or hide the series of the study and their roles")
        self.series_button.setCheckable(True)
        self.analyse_button = _button("&Analyse", "Find the levels and grade them")
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.cancel_button = _button("&Cancel", "Stop; nothing is lost")
        self.files_label = QElidingLabel("")
        self.files_button = _button("", "Which files were left out, why, and what can be done")
        self.automatic_button = _button("A&utomatic roles", "Undo every change of a role by hand")
        self.series_table, self.details = SeriesTable(), LinesLabel(_DETAILS_LINES)
        self.browser = QWidget()
        self._lay_out()
        self._connect()
        self.show_busy(False)
        self.warnings_button.hide()
        self.browser.hide()

    def show_study(self, study: Study, automatic: Study) -> None:
        """List the series of a study, with the roles as they are and as they were chosen by themselves."""
        self._study = study
        self.study_label.setText(study_name(study))
        self.study_label.setToolTip(plain_tooltip(f"{study_name(study)}: {len(study.series)} series"))
        self.series_table.show_rows(series_rows(study, automatic))
        self.automatic_button.setEnabled(roles_differ(study, automatic))
        self._show_accounting(study)
        self.show_warnings(None)
        self.analyse_button.setEnabled(True)
        self.show_series(True)

    def show_warnings(self, state: SessionState | None) -> None:
        """Count what speaks against the study on the screen, and against its analysis if there is one."""
        self._warnings = warning_lines(self._study, state) if self._study else ()
        self.warnings_button.setText(warnings_text(len(self._warnings), state))
        self.warnings_button.setAccessibleName(counted(len(self._warnings), "warning"))
        self.warnings_button.setToolTip(plain_tooltip("\n".join(self._warnings)))
        self.warnings_button.setVisible(bool(self._warnings))

    def show_thumbnails(self, pictures: Mapping[str, Thumbnail]) -> None:
        """Put pictures beside the series, by ``series_id``."""
        self.series_table.show_thumbnails(pictures)

    def show_series(self, shown: bool) -> None:
        """Unfold or fold the table of series."""
        self.series_button.setChecked(shown)

    def show_progress(self, progress: Progress) -> None:
        """Show the stage and how far the work has come."""
        self.progress_bar.setValue(round(1000 * progress.fraction))
        self.progress_bar.setFormat(f"{progress.stage}  %p%")

    def show_busy(self, busy: bool) -> None:
        """Offer Cancel while something runs, Analyse while nothing does."""
        for widget in (self.progress_bar, self.cancel_button):
            widget.setVisible(busy)
        for widget in (self.study_label, self.series_button, self.analyse_button):
            widget.setVisible(not busy)
        self.analyse_button.setEnabled(self._study is not None)
        self.browser.setEnabled(not busy)

    def _lay_out(self) -> None:
        top, beside, inner, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self.browser), QVBoxLayout(self)
        top.addWidget(self.open_buttons)
        for stretched in (self.study_label, self.progress_bar):
            top.addWidget(stretched, 1)
        for button in (self.warnings_button, self.series_button, self.analyse_button, self.cancel_button):
            top.addWidget(button)
        beside.addWidget(self.files_label, 1)
        beside.addWidget(self.files_button)
        beside.addWidget(self.automatic_button)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(beside)
        inner.addWidget(self.series_table)
        inner.addWidget(self.details)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(top)
        whole.addWidget(self.browser)

    def _connect(self) -> None:
        self.open_buttons.chosen.connect(self.opening_asked)
        self.series_button.toggled.connect(self.browser.setVisible)
        self.analyse_button.clicked.connect(self.analyse_asked)
        self.cancel_button.clicked.connect(self.cancel_asked)
        self.automatic_button.clicked.connect(self.automatic_asked)
        self.series_table.role_chosen.connect(self.role_chosen)
        self.series_table.row_described.connect(self._describe)
        self.warnings_button.clicked.connect(self._open_warnings)
        self.files_button.clicked.connect(self._open_files)

    def _show_accounting(self, study: Study) -> None:
        excluded = len(study.accounting.excluded)
        self.files_label.setText(accounting_sentence(study.accounting) if study.accounting.records else "")
        self.files_button.setText(f"{counted(excluded, 'file')} &excluded…")
        self.files_button.setVisible(excluded > 0)

    def _describe(self, text: str) -> None:
        self.details.setText(text)
        self.details.setToolTip(plain_tooltip(text))

    def _open_warnings(self) -> None:
        WarningsDialog(self._warnings, self).open()

    def _open_files(self) -> None:
        if self._study is not None:
            FilesDialog(self._study.accounting, self).open()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
