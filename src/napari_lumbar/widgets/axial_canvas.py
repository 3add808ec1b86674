"""A second napari canvas inside the reader's dock."""

from __future__ import annotations

from napari.components.viewer_model import ViewerModel
from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QWidget

from .own_window import dock_around


def second_canvas(model: ViewerModel) -> QtViewer:
    """Return a canvas on ``model`` that takes no dropped files: they are for the main window."""
    canvas = QtViewer(model)
    canvas.setAcceptDrops(False)
    canvas.setAccessibleName("Axial images")
    return canvas


def forbid_floating(widget: QWidget) -> None:
    """Keep the dock around ``widget`` in its window: a floated canvas loses its GL context and hangs.

    napari's title bar floats a dock whatever its features say, and is made anew in another dock area.
    """
    dock = dock_around(widget)
    if dock is not None:
        _take_float_away(dock)
        dock.dockLocationChanged.connect(
            lambda _area: _take_float_away(dock), Qt.ConnectionType.QueuedConnection
        )


def _take_float_away(dock: QDockWidget) -> None:
    dock.setFeatures(dock.features() & ~QDockWidget.DockWidgetFeature.DockWidgetFloatable)
    button = getattr(dock.titleBarWidget(), "float_button", None)
    if button is not None:
        button.hide()
