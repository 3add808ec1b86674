"""Room for the images in a window of our own: no layer docks, both panes equally wide."""

from __future__ import annotations

from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

#: The object names that napari gives its docks of layers.
_LAYER_DOCKS = ("layer list", "layer controls")
#: And to the numbers beside its sliders.
_SLICE_NUMBERS = ("slice_label", "slice_label_sep")


def main_canvases(widget: QWidget) -> list[QtViewer]:
    """The canvases of the window around ``widget`` that do not lie inside it: napari's own."""
    found = widget.window().findChildren(QtViewer)
    return [canvas for canvas in found if not widget.isAncestorOf(canvas)]


def layer_docks(widget: QWidget) -> list[QDockWidget]:
    """The docks of napari's layers in the window around ``widget``."""
    found = widget.window().findChildren(QDockWidget)
    return [dock for dock in found if dock.objectName() in _LAYER_DOCKS]


def show_layer_docks(widget: QWidget, shown: bool) -> None:
    """Show or hide napari's docks of layers."""
    for dock in layer_docks(widget):
        dock.setVisible(shown)


def share_width(widget: QWidget, panel_px: int) -> None:
    """Make the dock around ``widget`` as wide as the main canvas and a panel of ``panel_px`` together."""
    window, dock = widget.window(), dock_around(widget)
    if isinstance(window, QMainWindow) and dock is not None:
        window.resizeDocks([dock], [(window.width() + panel_px) // 2], Qt.Orientation.Horizontal)


def hide_slice_numbers(widget: QWidget) -> None:
    """Leave one number to be read: napari counts slices from 0, the corners of the images from 1.

    They come back when ``widget`` goes: the viewer may be a person's own.
    """
    for name in _SLICE_NUMBERS:
        for number in widget.window().findChildren(QWidget, name):
            if not number.isHidden():
                number.hide()
                widget.destroyed.connect(number.show)


def dock_around(widget: QWidget) -> QDockWidget | None:
    """The dock that a widget lies in."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
