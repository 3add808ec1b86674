"""The only folder that knows Qt and napari."""

from __future__ import annotations

from pathlib import Path


def open_study(path: Path, bundle: Path | None = None) -> None:
    """Open napari with the reader beside it, begin to read a study, and return when the window closes.

    Parameters
    ----------
    path
        The folder of one study.
    bundle
        A folder of weights; None for the one of the preferences, or that comes with the package.
    """
    import napari

    from ..pipeline import load_system
    from .reader_dock import ReaderDock

    viewer = napari.Viewer(title="Lumbar reader")
    dock = ReaderDock(viewer, None if bundle is None else lambda: load_system(bundle, "auto"))
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.reading.open_folder(path)
    napari.run()
