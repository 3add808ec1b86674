"""The words around a picture: corners, orientation letters, scale bar. One place on the screen for each."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay

from .. import RESEARCH_USE_ONLY
from ..domain.geometry import SliceGeometry
from ..domain.windows import Window
from .orientation import edge_letters

_CORNERS = {
    "lumbar_title": "top_left",
    "lumbar_window": "top_right",
    "lumbar_research": "bottom_left",
    "lumbar_link": "bottom_left",
}
_LETTERS = {
    "lumbar_top": "top_center",
    "lumbar_bottom": "bottom_center",
    "lumbar_left": "middle_left",
    "lumbar_right": "middle_right",
}
_CORNER_PT, _LETTER_PT = 8, 12


class CornerText:
    """Writes on a canvas; what does not change is not written again.

    Parameters
    ----------
    viewer
        The canvas's model.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlays = viewer.canvas.overlays
        for places, size in ((_CORNERS, _CORNER_PT), (_LETTERS, _LETTER_PT)):
            for name, position in places.items():
                self._overlays[name] = TextOverlay(position=position, visible=False, font_size=size)
        self._write("lumbar_research", RESEARCH_USE_ONLY.split(".")[0])
        viewer.canvas.overlays.scale_bar.font_size = _CORNER_PT

    def show(self, shown: bool, upright: bool) -> None:
        """Show or hide everything; letters only where napari has not turned the picture."""
        for name in (*_CORNERS, *_LETTERS):
            is_letter, has_words = name in _LETTERS, bool(self._overlays[name].text)
            self._overlays[name].visible = shown and has_words and (upright or not is_letter)
        self._overlays.scale_bar.visible = shown

    def draw_slice(self, words: str, geometry: SliceGeometry) -> None:
        """Say what is shown, and which way the patient lies."""
        self._write("lumbar_title", words)
        for side, letter in edge_letters(geometry)._asdict().items():
            self._write(f"lumbar_{side}", letter)

    def draw_window(self, window: Window) -> None:
        """Say how the greys are set."""
        self._write("lumbar_window", f"W {window.width:.0f}  L {window.level:.0f}")

    def draw_link(self, words: str) -> None:
        """Say how the pane is linked with the other, where there is something to say."""
        self._write("lumbar_link", words)
        self._overlays["lumbar_link"].visible = bool(words) and self._overlays["lumbar_title"].visible

    def _write(self, name: str, text: str) -> None:
        if self._overlays[name].text != text:
            self._overlays[name].text = text
