"""Random actions with mouse and keys: nothing breaks, and no old grade is shown as current.

``python -m benchmarks.monkey`` does the same for thousands of actions with the embedded bundle.
"""

from __future__ import annotations

import gc
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchmarks.hands import canvases_of
from benchmarks.monkey import Monkey, graded_from_the_start

from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.garbage import spare_collections
from napari_lumbar.widgets.reader_dock import ReaderDock

pytestmark = pytest.mark.gui

#: 2,000 actions in four windows.
_SEEDS, _PARTS, _ACTIONS, _PAINT_EVERY = range(20, 24), 2, 500, 20


@pytest.mark.parametrize("seed", _SEEDS)
def test_anything_at_all(
    seed: int,
    make_napari_viewer_proxy: Any,
    fake_system: System,
    small_study: Study,
    tmp_path: Path,
    qtbot: Any,
) -> None:
    store = SessionStore(tmp_path)
    viewer = make_napari_viewer_proxy(show=True)
    dock = ReaderDock(viewer, lambda: fake_system, store)
    viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
    dock.window().resize(1100, 760)
    qtbot.waitExposed(dock.window())
    qtbot.wait(200)
    studies = [small_study, replace(small_study, study_id="other", study_uid="1.2.840.2")]
    spare_collections()
    dock.reading.show_study(small_study)
    grade = partial(graded_from_the_start, fake_system)
    monkey = Monkey(dock, canvases_of(dock), studies, grade, random.Random(seed), _PAINT_EVERY)
    for _ in range(_PARTS):
        monkey.run(_ACTIONS // _PARTS)
        monkey.prove(store)
    assert sum(monkey.done.values()) == _ACTIONS
    assert len(monkey.done) > 12, "most kinds of action were met"
    dock.axial_canvas.dims.stop()
    dock.reading.close()
    gc.unfreeze()
    del monkey
    dock.__dict__.clear()
