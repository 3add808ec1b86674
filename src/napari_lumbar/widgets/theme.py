"""Colours of the window. Severity colours are those of the report; text or a symbol always says the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps.standardize_color import transform_color
from qtpy.QtGui import QColor, QPalette

from ..domain.spine import Severity
from ..export.severity_style import SEVERITY_STYLES, UNGRADED_FILL

#: napari's point symbols that match the report's disc, square and diamond.
POINT_SYMBOLS = {Severity.NORMAL_MILD: "disc", Severity.MODERATE: "square", Severity.SEVERE: "diamond"}
UNGRADED_SYMBOL = "ring"
LINE_COLOUR = "#56B4E9"
CURSOR_COLOUR = "#00D0A0"
#: The finding that is looked at, wherever it is drawn.
CHOSEN_COLOUR = "#F0E442"
#: Behind names on an image, so that they can be read on bright tissue.
NAME_BACKGROUND = (0.05, 0.05, 0.08, 0.72)
BOX_COLOUR = "#F0E442"
#: What was predicted before a person moved it.
GHOST_COLOUR = "#CC78A6"

#: How strongly a severity fills its cell: the common normal one recedes, the others stand out.
_FILL_STRENGTH = {Severity.NORMAL_MILD: 0.30, Severity.MODERATE: 1.0, Severity.SEVERE: 1.0}


def cell_colours(severity: Severity | None, palette: QPalette) -> tuple[QColor, QColor]:
    """(background, ink) of a matrix cell in the window's theme."""
    base, ink = palette.window().color(), palette.windowText().color()
    if severity is None:
        return mix(base, ink, 0.08), ink
    strength = _FILL_STRENGTH[severity]
    style = SEVERITY_STYLES[severity]
    return mix(base, QColor(style.fill), strength), QColor(style.ink) if strength == 1 else ink


def shades(colour: str, alphas: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One colour at several opacities: red, green, blue and opacity, 0..1, shape (n, 4)."""
    rgb = transform_color(colour)[0, :3]
    return np.array([(*rgb, alpha) for alpha in alphas], dtype=np.float64).reshape(-1, 4)


def ungraded_colour() -> QColor:
    """The grey of what has no current grade."""
    return QColor(UNGRADED_FILL)


def mix(under: QColor, over: QColor, strength: float) -> QColor:
    """Lay ``over`` on ``under`` with an opacity of 0..1."""
    pairs = zip(under.getRgb()[:3], over.getRgb()[:3], strict=True)
    return QColor(*(round(a + (b - a) * strength) for a, b in pairs))
