"""The buttons that open a study: a folder, a DICOMDIR, or one that was open lately."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QPushButton, QWidget

from ..domain.study import Study
from ..session import RecentStudies, RecentStudy
from .study_words import study_name

_ARROW_PX = 24
_REMEMBER = "&Remember studies that I open"
_WHY_OFF = "Off at first: the list keeps where folders lie, and a folder can be called after a patient"


class OpenButtons(QWidget):
    """One button for a folder; the arrow beside it leads to everything else.

    Parameters
    ----------
    recent
        Studies that were opened lately, under pseudonyms; the menu switches the list on and off.

    Signals
    -------
    chosen
        (list of ``Path``, StudyInstanceUID or None).
    troubled
        Why the list of recent studies cannot be kept.
    """

    chosen = Signal(object, object)
    troubled = Signal(str)

    def __init__(self, recent: RecentStudies, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = recent
        self.folder_button, self.more_button = QPushButton("&Open study…"), QPushButton()
        self.folder_button.setToolTip(
            "Choose the folder of a study's DICOM files, or drop it onto this panel"
        )
        self.more_button.setToolTip("A DICOMDIR, or a study that was open lately")
        self.more_button.setAccessibleName("More ways to open a study")
        self.more_button.setFixedWidth(_ARROW_PX)
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.more_button.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        row.addWidget(self.folder_button)
        row.addWidget(self.more_button)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.folder_button.clicked.connect(self._choose_folder)

    def remember(self, folder: Path, study: Study) -> None:
        """Put a study at the head of the list, if that is wanted."""
        self._try(lambda: self._recent.add(study_name(study), folder, study.study_uid))

    def fill_menu(self) -> None:
        """Make the menu anew."""
        menu = self.menu
        menu.clear()
        _add(menu, "Open a &folder…", self._choose_folder)
        _add(menu, "Open a &DICOMDIR or an image…", self._choose_file)
        menu.addSeparator()
        for study in self._recent.studies:
            _add(menu, _entry(study), partial(self._open, study))
        if self._recent.studies:
            menu.addSeparator()
        self._add_switch(menu)

    def _add_switch(self, menu: QMenu) -> None:
        is_on, is_empty = self._recent.is_on, not self._recent.studies
        remember = QAction(_REMEMBER, menu)
        remember.setCheckable(True)
        remember.setChecked(is_on)
        remember.setToolTip(_WHY_OFF)
        remember.triggered.connect(lambda on: self._try(lambda: self._recent.switch(on)))
        menu.addAction(remember)
        forget = _add(menu, "F&orget recent studies", lambda: self._try(self._recent.clear))
        forget.setDisabled(is_empty)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a study")
        if folder:
            self.chosen.emit([Path(folder)], None)

    def _choose_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "DICOMDIR or an image of a study")
        if file:
            self.chosen.emit([Path(file)], None)

    def _open(self, study: RecentStudy) -> None:
        self.chosen.emit([study.folder], study.study_uid)

    def _try(self, change: Callable[[], None]) -> None:
        try:
            change()
        except OSError as error:
            self.troubled.emit(f"Recent studies cannot be kept: {error.strerror}.")


def _add(menu: QMenu, text: str, act: Callable[[], None]) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _checked: act())
    return action


def _entry(study: RecentStudy) -> str:
    return f"{study.name}, opened {study.opened_at.astimezone():%Y-%m-%d %H:%M}"
