"""How much the grader listened to each slice of a finding's bag; a click jumps to the slice."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from ..domain.findings import CropEvidence
from ..domain.study import SeriesRole
from . import theme

_HEIGHT_PX = 74
_LABEL_PX = 14
_BAR_WIDTH_PX = 34
_GROUP_GAP_PX = 14


class EvidenceStrip(QWidget):
    """One bar per crop, grouped by plane; under it the slice number, above it the weight."""

    jumped = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT_PX)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._crops: tuple[CropEvidence, ...] = ()
        self.draw(())

    def draw(self, crops: tuple[CropEvidence, ...]) -> None:
        """Show these crops, ordered by plane and slice."""
        self._crops = tuple(sorted(crops, key=lambda c: (_plane_rank(c.role), c.slice_index)))
        self.setAccessibleName(weights_text(self._crops))
        self.setToolTip(weights_text(self._crops))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bars, a heading over each plane's first bar, and the words where there is nothing."""
        painter = QPainter(self)
        ink = self.palette().windowText().color()
        painter.setPen(ink)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        if not self._crops:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No evidence for this finding")
        for box, crop, opens_group in self._layout():
            if opens_group:
                heading = QRectF(box.left(), 0, self.width() - box.left(), _LABEL_PX)
                painter.drawText(heading, Qt.AlignmentFlag.AlignLeft, f"{crop.role.value}, weight by slice")
            _draw_bar(painter, box, crop)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to the slice whose bar was clicked."""
        place = QPointF(event.position())
        for box, crop, _ in self._layout():
            if box.left() <= place.x() <= box.right():
                self.jumped.emit(crop.series_id, crop.slice_index)

    def _layout(self) -> list[tuple[QRectF, CropEvidence, bool]]:
        width = min(_BAR_WIDTH_PX, (self.width() - 4 * _GROUP_GAP_PX) / max(1, len(self._crops)))
        boxes, left, previous = [], 0.0, None
        for crop in self._crops:
            opens_group = crop.role is not previous
            left += _GROUP_GAP_PX if opens_group and previous else 0
            boxes.append((QRectF(left, _LABEL_PX, width, _HEIGHT_PX - _LABEL_PX), crop, opens_group))
            left, previous = left + width, crop.role
        return boxes


def weights_text(crops: tuple[CropEvidence, ...]) -> str:
    """The weights in words: ``Axial T2 slice 12: 0.41``, one line each."""
    return "\n".join(f"{c.role.value} slice {c.slice_index + 1}: {c.weight:.2f}" for c in crops)


def _draw_bar(painter: QPainter, box: QRectF, crop: CropEvidence) -> None:
    tallest = box.height() - 2 * _LABEL_PX
    height = max(1.0, tallest * crop.weight)
    foot = box.bottom() - _LABEL_PX
    bar = QRectF(box.left() + 3, foot - height, box.width() - 6, height)
    painter.fillRect(bar, QColor(theme.CURSOR_COLOUR))
    weight = QRectF(box.left(), bar.top() - _LABEL_PX, box.width(), _LABEL_PX)
    painter.drawText(weight, Qt.AlignmentFlag.AlignCenter, f"{crop.weight:.2f}".removeprefix("0"))
    below = QRectF(box.left(), foot, box.width(), _LABEL_PX)
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(crop.slice_index + 1))


def _plane_rank(role: SeriesRole) -> int:
    return list(SeriesRole).index(role)
