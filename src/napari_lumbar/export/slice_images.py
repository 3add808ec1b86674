"""Slices as pictures: grey pixels in their true proportions, with points, crop boxes and body directions."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ..domain.geometry import SliceGeometry
from ..domain.spine import Severity
from ..domain.study import MRSlice, PixelArray
from .severity_style import SEVERITY_STYLES, UNGRADED_FILL

#: Grey levels below and above these percentiles are black and white.
WINDOW_PERCENTILES = (1.0, 99.0)
#: The longer side of a picture in pixels; pages show it at half that, so that it is sharp on dense screens.
LONG_SIDE_PX = 720

#: Patient-space axes (LPS) as letters: towards a smaller and towards a larger coordinate.
_BODY_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True)
class Mark:
    """A point on a slice.

    Parameters
    ----------
    pixel_rc
        (row, column) on the slice.
    label, label_on_left
        Its name, and on which side of the point to write it.
    severity
        What was graded there, or None.
    on_slice
        Whether it lies on this very slice; points of other slices are drawn hollow.
    """

    pixel_rc: tuple[float, float]
    label: str
    severity: Severity | None
    on_slice: bool = True
    label_on_left: bool = False


@dataclass(frozen=True)
class Box:
    """A crop on a slice: (top, left, bottom, right) in pixels, and the severity graded from it."""

    box_rc: tuple[float, float, float, float]
    severity: Severity | None


def png_data_uri(image: Image.Image) -> str:
    """Return the picture as a ``data:`` address that a page can hold inside itself."""
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=3)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def draw_slice(image: MRSlice, marks: tuple[Mark, ...] = (), boxes: tuple[Box, ...] = ()) -> Image.Image:
    """Return the slice as an RGB picture with square millimetres, crops under points under letters."""
    geometry = image.geometry
    scale_rc = _scale_rc(geometry)
    height, width = (round(n * s) for n, s in zip(image.pixels.shape, scale_rc, strict=True))
    grey = Image.fromarray(grey_levels(image.pixels))
    picture = grey.resize((max(width, 1), max(height, 1)), Image.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        _draw_box(draw, box, scale_rc)
    for mark in marks:
        _draw_mark(draw, mark, scale_rc)
    _draw_letters(draw, geometry, picture.size)
    return picture


def grey_levels(pixels: PixelArray) -> npt.NDArray[np.uint8]:
    """Map pixels, shape (rows, columns), to 0..255 between two percentiles; a flat image is black."""
    low, high = np.percentile(pixels, WINDOW_PERCENTILES)
    span = high - low if high > low else 1.0
    return np.asarray(np.clip((pixels - low) / span, 0, 1) * 255, dtype=np.uint8)


def edge_letters(geometry: SliceGeometry) -> tuple[str, str, str, str]:
    """Return the body directions at the (left, right, top, bottom) edge, each one of R L A P I S."""
    left, right = _letters_along(geometry.along_row)
    top, bottom = _letters_along(geometry.along_column)
    return left, right, top, bottom


def _letters_along(direction_lps: tuple[float, float, float]) -> tuple[str, str]:
    axis = int(np.argmax(np.abs(direction_lps)))
    low, high = _BODY_LETTERS[axis]
    return (low, high) if direction_lps[axis] > 0 else (high, low)


def _scale_rc(geometry: SliceGeometry) -> tuple[float, float]:
    spacing = geometry.spacing_rc_mm
    extent_mm = np.array([geometry.rows, geometry.columns]) * spacing
    row_scale, column_scale = spacing * LONG_SIDE_PX / extent_mm.max()
    return float(row_scale), float(column_scale)


def _to_picture(pixel_rc: tuple[float, float], scale_rc: tuple[float, float]) -> tuple[float, float]:
    # Pixel centres are whole numbers in (row, column); a picture's are at halves, in (x, y).
    (row, column), (row_scale, column_scale) = pixel_rc, scale_rc
    return (column + 0.5) * column_scale, (row + 0.5) * row_scale


def _fill(severity: Severity | None) -> str:
    return UNGRADED_FILL if severity is None else SEVERITY_STYLES[severity].fill


def _draw_box(draw: ImageDraw.ImageDraw, box: Box, scale_rc: tuple[float, float]) -> None:
    top, left, bottom, right = box.box_rc
    corners = (*_to_picture((top, left), scale_rc), *_to_picture((bottom, right), scale_rc))
    draw.rectangle(corners, outline="black", width=4)
    draw.rectangle(corners, outline=_fill(box.severity), width=2)


def _draw_mark(draw: ImageDraw.ImageDraw, mark: Mark, scale_rc: tuple[float, float]) -> None:
    x, y = _to_picture(mark.pixel_rc, scale_rc)
    colour = _fill(mark.severity)
    if mark.on_slice:
        _draw_shape(draw, (x, y), mark.severity, radius=9, fill="white")
        _draw_shape(draw, (x, y), mark.severity, radius=7, fill=colour)
    else:
        _draw_shape(draw, (x, y), mark.severity, radius=10, outline="white")
        _draw_shape(draw, (x, y), mark.severity, radius=8, outline=colour)
    anchor, x_text = ("rm", x - 15) if mark.label_on_left else ("lm", x + 15)
    _draw_text(draw, (x_text, y), mark.label, anchor)


def _draw_shape(
    draw: ImageDraw.ImageDraw,
    centre_xy: tuple[float, float],
    severity: Severity | None,
    radius: float,
    *,
    fill: str | None = None,
    outline: str | None = None,
) -> None:
    """Draw a disc, square or diamond, like the symbols of the table."""
    x, y = centre_xy
    around = (x - radius, y - radius, x + radius, y + radius)
    if severity is Severity.MODERATE:
        draw.rectangle(around, fill=fill, outline=outline, width=2)
    elif severity is Severity.SEVERE:
        reach = radius * 1.3
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
        draw.polygon(corners, fill=fill, outline=outline, width=2)
    else:
        draw.ellipse(around, fill=fill, outline=outline, width=2)


def _draw_letters(draw: ImageDraw.ImageDraw, geometry: SliceGeometry, size: tuple[int, int]) -> None:
    width, height = size
    left, right, top, bottom = edge_letters(geometry)
    _draw_text(draw, (10, height / 2), left, "lm")
    _draw_text(draw, (width - 10, height / 2), right, "rm")
    _draw_text(draw, (width / 2, 8), top, "mt")
    _draw_text(draw, (width / 2, height - 8), bottom, "mb")


def _draw_text(draw: ImageDraw.ImageDraw, position_xy: tuple[float, float], text: str, anchor: str) -> None:
    font = ImageFont.load_default(size=22)
    draw.text(position_xy, text, fill="white", font=font, anchor=anchor, stroke_width=3, stroke_fill="black")
