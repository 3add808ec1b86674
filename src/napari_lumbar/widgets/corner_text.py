"""The words around a picture: corners, orientation letters, scale bar. One place on the screen for each.

Letters, the scale bar and what the software may be used for are napari's overlays: they are in every picture
of the canvas that napari saves, and seldom change. What changes with the slice is only said here, for labels
to show: an overlay's plate is compiled anew for each new text, a fifth of the time of a scroll.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from psygnal import Signal

from .. import RESEARCH_USE_ONLY
from ..domain.geometry import SliceGeometry
from ..domain.windows import Window
from .orientation import edge_letters


class Corner(Enum):
    """What the corners say: the slice, the grey window, and how the pane is linked with the other."""

    TITLE = "title"
    WINDOW = "window"
    LINK = "link"


_RESEARCH = "lumbar_research"
_LETTERS = {
    "lumbar_top": "top_center",
    "lumbar_bottom": "bottom_center",
    "lumbar_left": "middle_left",
    "lumbar_right": "middle_right",
}
_CORNER_PT, _LETTER_PT = 8, 12
#: Lengths of the scale bar; at most so long on the screen that it ends before the letter in a narrow canvas.
_BARS_MM, _LONGEST_BAR_PX = (200, 100, 50, 20, 10, 5, 2, 1), 110


class CornerText:
    """Says what stands around a picture; what does not change is not said again.

    Parameters
    ----------
    viewer
        The canvas's model.

    Signals
    -------
    changed
        A corner has other words.
    """

    changed: ClassVar[Signal] = Signal(Corner)

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlays = viewer.canvas.overlays
        self._overlays[_RESEARCH] = TextOverlay(
            position="bottom_left",
            visible=False,
            font_size=_CORNER_PT,
            text=RESEARCH_USE_ONLY.split(".")[0],
        )
        for name, position in _LETTERS.items():
            self._overlays[name] = TextOverlay(position=position, visible=False, font_size=_LETTER_PT)
        self._overlays.scale_bar.font_size = _CORNER_PT
        self._camera = viewer.scene.camera
        self._camera.events.zoom.connect(self._fit_bar)
        self._fit_bar()
        self._words = dict.fromkeys(Corner, "")
        self._shown = False

    @property
    def words(self) -> Mapping[Corner, str]:
        """What each corner says now; nothing where no series is shown."""
        return self._words if self._shown else dict.fromkeys(Corner, "")

    def show(self, shown: bool, upright: bool) -> None:
        """Show or hide everything; letters only where napari has not turned the picture."""
        for name in _LETTERS:
            self._overlays[name].visible = shown and upright and bool(self._overlays[name].text)
        self._overlays[_RESEARCH].visible = shown
        self._overlays.scale_bar.visible = shown
        if shown != self._shown:
            self._shown = shown
            for corner in Corner:
                self.changed.emit(corner)

    def draw_slice(self, words: str, geometry: SliceGeometry) -> None:
        """Say what is shown, and which way the patient lies."""
        self._say(Corner.TITLE, words)
        for side, letter in edge_letters(geometry)._asdict().items():
            overlay = self._overlays[f"lumbar_{side}"]
            if overlay.text != letter:
                overlay.text = letter

    def draw_window(self, window: Window) -> None:
        """Say how the greys are set."""
        self._say(Corner.WINDOW, f"W {window.width:.0f}  L {window.level:.0f}")

    def draw_link(self, words: str) -> None:
        """Say how the pane is linked with the other, where there is something to say."""
        self._say(Corner.LINK, words)

    def _fit_bar(self) -> None:
        bar, zoom = self._overlays.scale_bar, self._camera.zoom
        length_mm = next((mm for mm in _BARS_MM if mm * zoom <= _LONGEST_BAR_PX), _BARS_MM[-1])
        if bar.length != length_mm:
            bar.length = length_mm
            bar.events.font_size.emit(bar.font_size)  # else napari draws it at the next zoom

    def _say(self, corner: Corner, words: str) -> None:
        if self._words[corner] != words:
            self._words[corner] = words
            self.changed.emit(corner)
