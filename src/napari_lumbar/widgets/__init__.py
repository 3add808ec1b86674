"""The only folder that knows Qt and napari."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path


def open_study(path: Path, bundle: Path | None = None, study_uid: str | None = None) -> None:
    """Open napari with the reader beside it, begin to read a study, and return when the window closes.

    Parameters
    ----------
    path
        A folder, a DICOMDIR, or an image of a study.
    bundle
        A folder of weights; None for the one of the preferences, or that comes with the package.
    study_uid
        Which study, where there are several; None to be asked in the window.

    Raises
    ------
    WindowError
        If no window can be opened on this machine.
    """
    from .screen import check_screen, spare_gl_checks

    spare_gl_checks()
    check_screen()
    import napari

    from .garbage import spare_collections
    from .preferences import read_preferences
    from .reader_dock import ReaderDock

    viewer = napari.Viewer(title="Lumbar reader")
    wishes = read_preferences()
    if bundle is not None:
        wishes = replace(wishes, bundle_folder=bundle)
    dock = ReaderDock(viewer, preferences=wishes)
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.take_the_window()
    spare_collections()
    dock.reading.open_paths([path], study_uid)
    napari.run()
