"""Choose a study, see which series plays which role and why, start and stop the analysis."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from ..domain.study import MRSeries, SeriesRole, Study
from ..pipeline.progress import Progress
from .plain_text import plain_tooltip

_COLUMNS = ("Series", "Role", "Slices", "Why")
_NO_ROLE = "Not used"
_ROW_HEIGHT_PX = 24
_SHOWN_ROWS = 3


class StudyPanel(QWidget):
    """The upper part of the reader."""

    folder_chosen = Signal(Path)
    role_chosen = Signal(str, object)
    analyse_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_button = QPushButton("&Open study…")
        self.open_button.setToolTip("Choose the folder that holds the DICOM files of one study")
        self.study_label = QElidingLabel("No study")
        self.series_button = QPushButton("&Series")
        self.series_button.setToolTip("Show or hide the series of the study and their roles")
        self.series_button.setCheckable(True)
        self.series_table = _series_table()
        self.analyse_button = QPushButton("&Analyse")
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.cancel_button = QPushButton("&Cancel")
        self._lay_out()
        self.show_busy(False)
        self.series_table.setVisible(False)
        self.open_button.clicked.connect(self._choose_folder)
        self.series_button.toggled.connect(self.series_table.setVisible)
        self.analyse_button.clicked.connect(self.analyse_asked)
        self.cancel_button.clicked.connect(self.cancel_asked)

    def show_study(self, study: Study) -> None:
        """List the series of a study; of its identity only the study id is shown."""
        self.study_label.setText(f"Study {study.study_id}")
        self.study_label.setToolTip(f"Study {study.study_id}")
        self.series_table.setRowCount(len(study.series))
        for row, series in enumerate(study.series):
            self._fill_row(row, series)
        self.analyse_button.setEnabled(True)
        self.show_series(True)

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
        self.analyse_button.setEnabled(self.series_table.rowCount() > 0)
        self.series_table.setEnabled(not busy)

    def _lay_out(self) -> None:
        top, whole = QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(self.open_button)
        for stretched in (self.study_label, self.progress_bar):
            top.addWidget(stretched, 1)
        for button in (self.series_button, self.analyse_button, self.cancel_button):
            top.addWidget(button)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(top)
        whole.addWidget(self.series_table)

    def _fill_row(self, row: int, series: MRSeries) -> None:
        name = series.description or series.series_id
        stacks = f" in {len(series.stacks)} stacks" if len(series.stacks) > 1 else ""
        texts = {0: name, 2: f"{len(series.slices)}{stacks}", 3: series.role_reason}
        for column, text in texts.items():
            item = QTableWidgetItem(text)
            item.setToolTip(plain_tooltip(text))
            self.series_table.setItem(row, column, item)
        self.series_table.setCellWidget(row, 1, self._role_box(series))

    def _role_box(self, series: MRSeries) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(f"Role of series {series.series_id}")
        box.addItem(_NO_ROLE, None)
        for role in SeriesRole:
            box.addItem(role.value, role)
        box.setCurrentIndex(0 if series.role is None else 1 + list(SeriesRole).index(series.role))
        box.activated.connect(lambda i: self.role_chosen.emit(series.series_id, box.itemData(i)))
        return box

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of one study")
        if folder:
            self.folder_chosen.emit(Path(folder))


def _series_table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setAccessibleName("Series of the study")
    table.setHorizontalHeaderLabels(list(_COLUMNS))
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT_PX)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setFixedHeight((_SHOWN_ROWS + 1) * _ROW_HEIGHT_PX + 10)
    return table
