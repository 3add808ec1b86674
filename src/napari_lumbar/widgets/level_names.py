"""The names of levels on a canvas: on dark plates, so that they can be read on bright tissue."""

from __future__ import annotations

from typing import Any

from napari.layers import Points

from ..domain.landmarks import Landmarks
from ..domain.spine import FindingKey
from ..domain.study import MRSeries
from ..layer_data import names_layer
from . import theme
from .drawn_once import drawn_once, replace_data
from .napari_keys import keep_from_editing

#: Plates keep their size on the screen, as text does, unless that would be more than this in the picture.
_PLATE_PX, _PLATE_MM = 54, 40.0
_TEXT_PT = 9


class LevelNames:
    """A layer of plates with names; the chosen level's is coloured.

    Parameters
    ----------
    series
        The series they are drawn on.
    """

    def __init__(self, series: MRSeries) -> None:
        self._series = series
        self._drawn: tuple[list[Any], dict[str, list[Any]]] | None = None
        points, options, _ = names_layer(series, Landmarks())
        self.layer = Points(
            points,
            **options,
            symbol="hbar",
            face_color="black",
            # Not (54, 54): napari stands in for no points with one of no size, which must stay invisible.
            canvas_size_limits=(0, _PLATE_PX),
        )
        self.layer.projection_mode = "none"
        keep_from_editing(self.layer)

    def use(self, series: MRSeries) -> None:
        """Be ready to draw on another series of the same plane."""
        self._series, self._drawn = series, None

    def draw(self, landmarks: Landmarks, chosen: FindingKey | None) -> None:
        """Show the names for these landmarks."""
        points, options, _ = names_layer(self._series, landmarks, chosen)
        features = options["features"]
        wanted = (points.tolist(), features)
        if self._drawn == wanted:
            return
        self._drawn = wanted
        with drawn_once(self.layer):
            # No names while points change: napari would look for those of points that are gone.
            self.layer.text = {"string": {"constant": ""}}
            replace_data(self.layer, points)
            self.layer.features = features
            if len(points):
                self.layer.size = _PLATE_MM / options["scale"][-1]
                self.layer.face_color = [theme.NAME_BACKGROUND] * len(points)
                self.layer.border_width = 0
                colours = [theme.CHOSEN_COLOUR if is_chosen else "white" for is_chosen in features["chosen"]]
                self.layer.text = {"string": {"feature": "name"}, "size": _TEXT_PT, "color": colours}
