"""The crops a finding was graded from, with how much the grader listened to each; a click jumps there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from ..domain.findings import CropEvidence, PlaneAnswer
from ..domain.study import PixelArray, SeriesRole, Study
from ..export.severity_style import SEVERITY_STYLES
from . import theme
from .crop_images import crop_names, crop_picture, stretched, tinted
from .label_font import FontOfLabels
from .plain_text import plain_tooltip

_LARGEST_PX = 96
#: For the pictures and bars of two planes: at least, usually, at most.
_HEIGHTS_PX = (52, 92, 2 * (_LARGEST_PX + 9))
_BAR_PX = 5
_TILE_GAP_PX = 4
#: A picture is at most this much wider than high.
_WIDEST = 1.6
#: Lines of text that the strip has room for: over and under the crops of two planes.
_LINES = 4
#: How strongly the heatmap tints a picture, at rest and under the mouse or the keys.
_TINT, _FULL_TINT = 0.45, 1.0
#: Over crops of a grade that a correction has outdated.
_BEFORE = "Before the change:"


@dataclass(frozen=True, eq=False)
class _Tile:
    """A crop with its name, its picture and heatmap, both 0..1, and how they look at rest."""

    crop: CropEvidence
    name: str
    picture: PixelArray
    heat: PixelArray
    at_rest: QImage


class EvidenceStrip(QWidget):
    """One picture per crop, a row per plane; under it a bar of its weight, the slice and the number.

    Signals
    -------
    jumped
        (series_id, slice index) to be shown.
    pointed
        The ``CropEvidence`` under the mouse, else the one chosen, or None.
    """

    jumped = Signal(str, int)
    pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._crops: tuple[CropEvidence, ...] = ()
        self._tiles: list[_Tile] = []
        self._said: dict[SeriesRole, PlaneAnswer] = {}
        self._chosen = self._hovered = -1
        self._is_current = True
        self._font_of_labels = FontOfLabels(self)
        self._limit_height()
        self.draw((), (), None, True)

    @property
    def chosen(self) -> CropEvidence | None:
        """The crop that was clicked or reached by key, or None."""
        return self._tiles[self._chosen].crop if self._chosen >= 0 else None

    def draw(
        self,
        crops: tuple[CropEvidence, ...],
        by_plane: tuple[PlaneAnswer, ...],
        study: Study | None,
        is_current: bool,
    ) -> None:
        """Show these crops of a study, ordered by plane and slice, and what each plane says alone.

        Crops that are not current are those of the grade before, and are called so.
        """
        self._is_current = is_current
        self._said = {answer.role: answer for answer in by_plane}
        if crops != self._crops or not crops:
            self._crops = crops
            self._tiles = _tiles(sorted(crops, key=_order), study) if study else []
            self._chosen = self._hovered = -1
            self.pointed.emit(None)
        text = strip_text(tuple(tile.crop for tile in self._tiles), by_plane)
        if crops and not is_current:
            text = f"{_BEFORE}\n{text}"
        self.setAccessibleName(text)
        self.setToolTip(plain_tooltip(text))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the tiles, a heading over each plane, and the words where there is nothing."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(self.palette().windowText().color())
        if not self._tiles:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No evidence for this finding")
        for i, (box, tile) in enumerate(zip(self._boxes(), self._tiles, strict=True)):
            if box.left() == 0:
                role = tile.crop.role
                line = QRectF(0, box.top(), self.width(), self.fontMetrics().height())
                before = "" if self._is_current else f"{_BEFORE} "
                words = f"{before}{heading(role, self._said.get(role))}"
                painter.drawText(line, Qt.AlignmentFlag.AlignLeft, words)
            self._draw_tile(painter, box, tile, i)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the crop that was clicked and jump to its slice."""
        self._choose(self._at(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the whole heatmap of the crop under the mouse."""
        self._hover(self._at(event))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        super().leaveEvent(event)
        self._hover(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right walk along the crops, Home and End go to the first and the last."""
        last = len(self._tiles) - 1
        goal = {
            Qt.Key.Key_Left: max(0, self._chosen - 1),
            Qt.Key.Key_Right: min(last, self._chosen + 1),
            Qt.Key.Key_Home: min(0, last),
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if goal is None:
            super().keyPressEvent(event)
        else:
            self._choose(goal)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._limit_height()

    def sizeHint(self) -> QSize:
        """Room for small pictures of two planes; they grow where there is more."""
        return QSize(super().sizeHint().width(), self._height_px(1))

    def _limit_height(self) -> None:
        self.setMinimumHeight(self._height_px(0))
        self.setMaximumHeight(self._height_px(2))

    def _height_px(self, limit: int) -> int:
        return int(_LINES * self.fontMetrics().height() + _HEIGHTS_PX[limit])

    def _at(self, event: QMouseEvent) -> int:
        place = event.position()
        return next((i for i, box in enumerate(self._boxes()) if box.contains(place)), -1)

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._tiles):
            self._chosen = index
            crop = self._tiles[index].crop
            self.jumped.emit(crop.series_id, crop.slice_index)
            self._point()

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self._point()

    def _point(self) -> None:
        index = self._hovered if self._hovered >= 0 else self._chosen
        self.pointed.emit(self._tiles[index].crop if index >= 0 else None)
        self.update()

    def _boxes(self) -> list[QRectF]:
        """Where each tile lies, with its lines of text: a row per plane."""
        rows = [list(tiles) for _, tiles in groupby(self._tiles, key=lambda tile: tile.crop.role)]
        height = self.height() / max(1, len(rows))
        widest = _WIDEST * min(_LARGEST_PX, self._picture_px(height)) + _TILE_GAP_PX
        boxes = []
        for row, tiles in enumerate(rows):
            width = min(widest, self.width() / len(tiles))
            boxes += [
                QRectF(column * width, row * height, width - _TILE_GAP_PX, height)
                for column in range(len(tiles))
            ]
        return boxes

    def _picture_px(self, row_height: float) -> float:
        return min(_LARGEST_PX, row_height - 2 * self.fontMetrics().height() - _BAR_PX - 4)

    def _draw_tile(self, painter: QPainter, box: QRectF, tile: _Tile, index: int) -> None:
        line, ink = self.fontMetrics().height(), self.palette().windowText().color()
        is_pointed = index in (self._hovered, self._chosen)
        picture = QRectF(box.left(), box.top() + line, box.width(), self._picture_px(box.height()))
        image = _image(tinted(tile.picture, tile.heat, _FULL_TINT)) if is_pointed else tile.at_rest
        scale = min(picture.width() / image.width(), picture.height() / image.height())
        shown = QRectF(0, 0, image.width() * scale, image.height() * scale)
        shown.moveTopLeft(picture.topLeft())
        painter.drawImage(shown, image)
        if is_pointed:
            width = 2 if index == self._chosen and self.hasFocus() else 1
            painter.setPen(QPen(QColor(theme.BOX_COLOUR), width))
            painter.drawRect(shown)
            painter.setPen(ink)
        bar = QRectF(box.left(), shown.bottom() + 3, box.width(), _BAR_PX)
        painter.fillRect(bar, theme.mix(self.palette().window().color(), ink, 0.15))
        bar.setWidth(max(1.0, box.width() * tile.crop.weight))
        painter.fillRect(bar, QColor(theme.CURSOR_COLOUR))
        below = QRectF(box.left(), bar.bottom(), box.width(), line)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, tile.name)
        weight = f"{tile.crop.weight:.2f}".removeprefix("0")
        if self.fontMetrics().horizontalAdvance(f"{tile.name} {weight}") <= box.width():
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, weight)


def heading(role: SeriesRole, said: PlaneAnswer | None) -> str:
    """What stands over a plane's crops: ``Axial T2 alone: ■ Moderate 0.55``."""
    if said is None:
        return role.value
    style = SEVERITY_STYLES[said.probs.severity]
    return f"{role.value} alone: {style.symbol} {style.label} {said.probs.confidence:.2f}"


def strip_text(crops: tuple[CropEvidence, ...], by_plane: tuple[PlaneAnswer, ...]) -> str:
    """What the strip shows, in words: each plane's own answer, then ``Axial T2 slice 12: 0.41``."""
    said = [heading(answer.role, answer) for answer in by_plane]
    if said:
        said.append("A plane alone is weighed as both together are; nothing was fitted to one alone.")
    weights = [f"{c.role.value} slice {c.slice_index + 1}: {c.weight:.2f}" for c in crops]
    lines = [*said, *(["Attention of each crop within its plane:"] if crops else []), *weights]
    return "\n".join(lines)


def _tiles(crops: Sequence[CropEvidence], study: Study) -> list[_Tile]:
    return [_tile(crop, name, study) for crop, name in zip(crops, crop_names(crops, study), strict=True)]


def _tile(crop: CropEvidence, name: str, study: Study) -> _Tile:
    picture = crop_picture(study.by_id(crop.series_id), crop)
    heat = stretched(crop.heatmap, picture.shape)
    return _Tile(crop, name, picture, heat, _image(tinted(picture, heat, _TINT)))


def _image(rgb: PixelArray) -> QImage:
    height, width = rgb.shape[:2]
    return QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _order(crop: CropEvidence) -> tuple[int, int, float]:
    return list(SeriesRole).index(crop.role), crop.slice_index, crop.box_rc[1]
