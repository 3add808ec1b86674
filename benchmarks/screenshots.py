"""Pictures of the reader at work, made from a phantom: for looking at critically, the best for the README.

xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.screenshots [OUT] [--seed 12] [--other BUNDLE]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import napari
from benchmarks.gui import analyse, wait_until
from benchmarks.hands import canvases_of, drag, on_screen
from napari.settings import get_settings
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_lumbar.domain.findings import Analysis, Finding
from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.models.bundle import default_bundle_path, read_manifest, write_manifest
from napari_lumbar.phantom import PhantomConfig, make_phantom, write_study
from napari_lumbar.session import SessionStore
from napari_lumbar.widgets.preferences import Preferences
from napari_lumbar.widgets.reader_dock import ReaderDock

WINDOW_PX = (1600, 1000)
SETTLE_MS = 900


class Photographer:
    """Opens the reader on a phantom and takes its pictures into a folder."""

    def __init__(self, out: Path, seed: int, store: SessionStore) -> None:
        self.out = out
        self.viewer = napari.Viewer(title="Lumbar reader")
        self.dock = ReaderDock(self.viewer, store=store, preferences=Preferences())
        self.viewer.window.add_dock_widget(self.dock, name="Lumbar reader", area="right")
        self.dock.window().resize(*WINDOW_PX)
        self.dock.take_the_window()
        QTest.qWait(SETTLE_MS)
        with tempfile.TemporaryDirectory() as folder:
            write_study(make_phantom(seed, PhantomConfig(balanced=True)), Path(folder))
            pictures: list[object] = []
            self.dock.reading.thumbnails_made.connect(pictures.append)
            self.dock.reading.open_paths([Path(folder)])
            wait_until(lambda: bool(pictures))

    def take(self, name: str, action: Callable[[], None] | None = None) -> None:
        """Do something, let the window settle, and take a picture of all of it."""
        if action is not None:
            action()
        QTest.qWait(SETTLE_MS)
        self.viewer.screenshot(str(self.out / f"{name}.png"), canvas_only=False, flash=False)

    def choose_most_severe(self) -> None:
        """Choose the graded finding whose severe probability is highest."""
        self.dock.navigation.choose(most_severe(self.analysis).key)

    @property
    def analysis(self) -> Analysis:
        """What is on the screen."""
        session = self.dock.reading.session
        if session is None:
            raise SystemExit(f"no analysis: {self.dock.status_label.text()}")
        return session.state.analysis

    def drag_canal(self) -> None:
        """Drag the point of a canal and wait for the new grade."""
        graded = [f.key for f in self.analysis.graded if f.key.condition.group is ConditionGroup.CANAL]
        key = graded[len(graded) // 2]
        self.dock.navigation.choose(key)
        QTest.qWait(SETTLE_MS)
        pane, canvas = self.dock.panes.sagittal, canvases_of(self.dock)[0]
        start = on_screen(pane, canvas, self.analysis.landmarks.points[key].pixel_rc)
        drag(canvas, start, start + QPoint(18, 22))
        wait_until(lambda: not self.dock.reading.is_regrading)

    def compare(self, other: Path) -> None:
        """Compare with another bundle: every cell has two halves."""
        self.dock.system_row.fold_button.setChecked(True)
        box = self.dock.system_row.other_box
        index = box.count() - 1
        with patch.object(QFileDialog, "getExistingDirectory", return_value=str(other)):
            box.setCurrentIndex(index)
            box.activated.emit(index)
        wait_until(lambda: self.dock.comparing.comparison is not None)


def most_severe(analysis: Analysis) -> Finding:
    """The graded finding whose severe probability is highest."""
    return max(analysis.graded, key=lambda finding: finding.probs.severe if finding.probs else 0.0)


def write_single_networks(folder: Path) -> Path:
    """Write the first network of each embedded ensemble, uncalibrated, as a bundle that grades otherwise."""
    shutil.copytree(
        default_bundle_path(), folder, ignore=shutil.ignore_patterns("*_[1-9].*", "calibration_*")
    )
    manifest = read_manifest(default_bundle_path())
    kept = {name: entry for name, entry in manifest.networks.items() if (folder / entry.file).exists()}
    write_manifest(folder, manifest.model_copy(update={"name": "single networks", "networks": kept}))
    return folder


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, nargs="?", default=Path("docs/screens"))
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--other", type=Path, help="a bundle to compare with; else single embedded networks")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        camera = Photographer(options.out, options.seed, SessionStore(Path(scratch)))
        dock = camera.dock
        camera.take("opened")
        camera.take("analysed", lambda: analyse(dock))
        camera.take("finding", camera.choose_most_severe)
        camera.take("dragged", camera.drag_canal)
        camera.take("level-shift", lambda: dock.editing.shift_levels(1))
        wait_until(lambda: not dock.reading.is_regrading)
        dock.editing.undo()
        wait_until(lambda: not dock.reading.is_regrading)
        other = options.other or write_single_networks(Path(scratch) / "single")
        camera.take("comparison", lambda: camera.compare(other))
        dock.comparing.leave()
        dock.system_row.fold_button.setChecked(False)
        get_settings().appearance.theme = "light"
        camera.take("light", camera.choose_most_severe)
        get_settings().appearance.theme = "dark"
        dock.reading.close()
        camera.viewer.close()


if __name__ == "__main__":
    main()
