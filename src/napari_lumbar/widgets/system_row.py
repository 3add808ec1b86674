"""Which networks grade and on what device, a second bundle to compare with, and the log: one foldable row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from ..domain.errors import BundleError
from ..pipeline.device import DEVICES
from .eliding_box import ElidingBox
from .systems import EMBEDDED, RecentBundles, SystemChoice, bundle_name

_OTHER = "Another folder…"
_NO_COMPARISON = "Nothing"


class SystemRow(QWidget):
    """One line that says which networks work where; unfolded, the choices.

    Attributes
    ----------
    may_change
        Called before another bundle or device is taken: whether it may be.

    Signals
    -------
    chosen
        A ``SystemChoice``: another bundle or device.
    comparison_asked
        The ``SystemChoice`` to compare with.
    comparison_ended
        Back to one bundle.
    log_folder_asked, log_copy_asked
        The log is wanted.
    refused
        Why a folder cannot be used.
    """

    chosen = Signal(object)
    comparison_asked = Signal(object)
    comparison_ended = Signal()
    log_folder_asked = Signal()
    log_copy_asked = Signal()
    refused = Signal(str, bool)

    def __init__(self, recent: RecentBundles, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.may_change: Callable[[], bool] = lambda: True
        self._recent = recent
        self._choice = SystemChoice()
        #: Data of the entry whose grades were asked for, and of the one whose grades are shown.
        self._asked: Path | str | None = None
        self._compared: Path | str | None = None
        self.fold_button = QPushButton("&Networks")
        self.fold_button.setCheckable(True)
        self.fold_button.setToolTip("Choose the bundle and the device, or a second bundle to compare with")
        self.now_label, self.comparison_label = QElidingLabel(), QLabel()
        self.comparison_label.setWordWrap(True)
        for label in (self.now_label, self.comparison_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.bundle_box = ElidingBox("Bundle of networks")
        self.device_box = ElidingBox("Device that the networks run on")
        self.other_box = ElidingBox("Bundle to compare with")
        for device in DEVICES:
            self.device_box.addItem(device, device)
        self.log_folder_button = QPushButton("Open &folder")
        self.log_copy_button = QPushButton("Cop&y")
        self.log_folder_button.setToolTip("Open the folder of the log: failures, nothing about a patient")
        self.log_copy_button.setToolTip("Copy the log, to send it to somebody who can help")
        self.choices = QWidget()
        self._lay_out()
        self._fill_boxes()
        self.show_system(None)
        self.show_comparison("")
        self.choices.setVisible(False)
        self._connect()

    @property
    def choice(self) -> SystemChoice:
        """The bundle and the device that are chosen."""
        return self._choice

    def choose(self, choice: SystemChoice) -> None:
        """Show a choice that was made elsewhere; nothing is emitted."""
        self._choice = choice
        self._remember(choice.bundle)
        self._fill_boxes()
        self.show_system(None)

    def show_system(self, device: str | None) -> None:
        """Say which networks work, and on what; None while they are not loaded."""
        where = f"{self._choice.device}, not loaded yet" if device is None else device
        text = f"{_name(self._choice.bundle)} on {where}"
        self.now_label.setText(text)
        self.now_label.setToolTip(text)

    def show_comparison(self, text: str) -> None:
        """Say how far the two bundles agree, and name the second; empty without a comparison."""
        self.comparison_label.setText(text)
        self.comparison_label.setToolTip(text)
        self.comparison_label.setVisible(bool(text))
        self._compared = self._asked if text else None
        self._name_compared()

    def show_busy(self, busy: bool) -> None:
        """Nothing is changed under an analysis that runs."""
        for box in (self.bundle_box, self.device_box, self.other_box):
            box.setEnabled(not busy)

    def _connect(self) -> None:
        self.fold_button.toggled.connect(self.choices.setVisible)
        self.bundle_box.activated.connect(self._on_bundle)
        self.device_box.activated.connect(self._on_device)
        self.other_box.activated.connect(self._on_other)
        self.log_folder_button.clicked.connect(self.log_folder_asked)
        self.log_copy_button.clicked.connect(self.log_copy_asked)

    def _lay_out(self) -> None:
        line, grid, whole = QHBoxLayout(), QGridLayout(self.choices), QVBoxLayout(self)
        line.addWidget(self.fold_button)
        line.addWidget(self.now_label, 1)
        boxes = {
            (0, 0): ("Bundle", self.bundle_box),
            (0, 2): ("Device", self.device_box),
            (1, 0): ("Compare with", self.other_box),
        }
        for (row, column), (text, box) in boxes.items():
            label = QLabel(text)
            label.setBuddy(box)
            grid.addWidget(label, row, column)
            grid.addWidget(box, row, column + 1)
        logs = QHBoxLayout()
        logs.addWidget(self.log_folder_button)
        logs.addWidget(self.log_copy_button)
        grid.addWidget(QLabel("Log"), 1, 2)
        grid.addLayout(logs, 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(line)
        whole.addWidget(self.choices)
        whole.addWidget(self.comparison_label)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)

    def _fill_boxes(self) -> None:
        folders = self._recent.paths()
        for box, first in ((self.bundle_box, EMBEDDED), (self.other_box, _NO_COMPARISON)):
            box.clear()
            box.addItem(first, None)
            box.addItem(_OTHER, _OTHER)
            for folder in folders:
                _add(box, folder)
        self.other_box.insertItem(1, EMBEDDED, EMBEDDED)
        chosen = self._choice.bundle
        self.bundle_box.setCurrentIndex(0 if chosen is None else _index(self.bundle_box, chosen.resolve()))
        self.device_box.setCurrentIndex(DEVICES.index(self._choice.device))
        self._name_compared()

    def _name_compared(self) -> None:
        """Name the bundle whose grades are shown, also if the list has moved or lost it."""
        compared, box = self._compared, self.other_box
        if isinstance(compared, Path) and not _index(box, compared):
            _add(box, compared)
        box.setCurrentIndex(_index(box, compared))

    def _on_bundle(self, index: int) -> None:
        bundle = self.bundle_box.itemData(index)
        if bundle == _OTHER:
            bundle = self._asked_folder()
            if bundle is None:
                self._fill_boxes()
                return
        self._take(SystemChoice(bundle, self._choice.device))

    def _on_device(self, index: int) -> None:
        self._take(SystemChoice(self._choice.bundle, self.device_box.itemData(index)))

    def _on_other(self, index: int) -> None:
        asked = self.other_box.itemData(index)
        if asked is None:
            self.comparison_ended.emit()
            return
        bundle = self._asked_folder() if asked == _OTHER else None if asked == EMBEDDED else asked
        self._fill_boxes()  # the folder may be a new one; what is shown is named until other grades are there
        if bundle is None and asked != EMBEDDED:
            return
        self._asked = EMBEDDED if bundle is None else bundle.resolve()
        self.comparison_asked.emit(SystemChoice(bundle, self._choice.device))

    def _take(self, choice: SystemChoice) -> None:
        is_another = choice != self._choice
        if is_another and not self.may_change():
            self._fill_boxes()
            return
        self.choose(choice)
        if is_another:
            self.chosen.emit(choice)

    def _asked_folder(self) -> Path | None:
        """A folder that holds a bundle, or None where a person chose none; why not is said."""
        text = QFileDialog.getExistingDirectory(self, "Folder of a bundle")
        if not text:
            return None
        folder = Path(text)
        try:
            bundle_name(folder)
        except BundleError as error:
            self.refused.emit(str(error), True)
            return None
        self._remember(folder)
        return folder

    def _remember(self, bundle: Path | None) -> None:
        if bundle is None:
            return
        try:
            self._recent.remember(bundle)
        except OSError as error:
            self.refused.emit(f"The list of bundles is not saved: {error.strerror}.", False)


def copy_to_clipboard(text: str) -> None:
    """Put text where a person can paste it from."""
    QGuiApplication.clipboard().setText(text)


def _name(bundle: Path | None) -> str:
    try:
        return bundle_name(bundle)
    except BundleError:
        return f"{bundle.name if bundle else EMBEDDED}: no bundle any more"


def _add(box: QComboBox, folder: Path) -> None:
    """Put a folder at the end of the list, before the entry that asks for another."""
    at = box.count() - 1
    box.insertItem(at, _name(folder), folder)
    box.setItemData(at, str(folder), Qt.ItemDataRole.ToolTipRole)


def _index(box: QComboBox, data: Path | str | None) -> int:
    """Where the entry stands; the first where there is none of it."""
    return next((i for i in range(box.count()) if box.itemData(i) == data), 0)
