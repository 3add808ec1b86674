"""The README's picture: the reader with an analysed phantom in a real window.

xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/screenshot.py OUT.png [--seed 7] [--bundle DIR]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import napari
from qtpy.QtTest import QTest

from napari_lumbar.domain.findings import Analysis, Finding
from napari_lumbar.phantom import make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.reader_dock import ReaderDock

WINDOW_PX = (1600, 1000)
PATIENCE_S = 600
SETTLE_MS = 800


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch:
        viewer = napari.Viewer(title="Lumbar reader")
        dock = ReaderDock(viewer, lambda: load_system(arguments.bundle, "auto"), SessionStore(Path(scratch)))
        viewer.window.add_dock_widget(dock, name="Lumbar reader", area="right")
        dock.window().resize(*WINDOW_PX)
        QTest.qWait(SETTLE_MS)
        dock.take_the_window()
        dock.reading.show_study(make_phantom(arguments.seed).study)
        dock.navigation.choose(most_severe(analysed(dock)).key)
        QTest.qWait(SETTLE_MS)
        viewer.screenshot(str(arguments.out), canvas_only=False, flash=False)
        viewer.close()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bundle", type=Path, default=None)
    return parser.parse_args()


def analysed(dock: ReaderDock) -> Analysis:
    """Analyse the study on the screen and wait for the answer."""
    dock.reading.analyse()
    deadline = time.monotonic() + PATIENCE_S
    while dock.reading.session is None:
        if not dock.reading.is_busy or time.monotonic() > deadline:
            raise SystemExit(f"no analysis: {dock.status_label.text()}")
        QTest.qWait(50)
    return dock.reading.session.state.analysis


def most_severe(analysis: Analysis) -> Finding:
    """The graded finding whose severe probability is highest."""
    return max(analysis.graded, key=lambda finding: finding.probs.severe if finding.probs else 0.0)


if __name__ == "__main__":
    main()
