"""The reader in a real window, on a small study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.preferences import Preferences
from napari_lumbar.widgets.reader_dock import ReaderDock


@pytest.fixture
def dock(
    make_napari_viewer_proxy: Any,
    fake_system: System,
    small_study: Study,
    tmp_path: Path,
    qtbot: Any,
) -> Iterator[ReaderDock]:
    viewer = make_napari_viewer_proxy(show=True)
    dock = ReaderDock(viewer, lambda: fake_system, SessionStore(tmp_path), preferences=Preferences())
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1500, 950)
    qtbot.waitExposed(dock.window())
    qtbot.wait(100)
    dock.reading.show_study(small_study)
    yield dock
    dock.reading.close()
    # pytest keeps this value until after napari has looked for canvases left alive: let the canvas go.
    dock.__dict__.clear()
