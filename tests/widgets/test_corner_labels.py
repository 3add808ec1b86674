"""What stands in the corners of a canvas, in real widgets."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_lumbar.domain.windows import Window
from napari_lumbar.widgets.corner_labels import CornerLabels
from napari_lumbar.widgets.corner_text import Corner, CornerText


@pytest.fixture
def text() -> CornerText:
    return CornerText(ViewerModel())


@pytest.fixture
def canvas(qtbot: QtBot) -> QWidget:
    canvas = QWidget()
    canvas.resize(400, 300)
    qtbot.addWidget(canvas)
    canvas.show()
    return canvas


def shown(canvas: QWidget) -> dict[str, QLabel]:
    return {label.text(): label for label in canvas.findChildren(QLabel) if label.isVisible()}


def test_words_appear_with_the_picture_and_go_with_it(canvas: QWidget, text: CornerText) -> None:
    labels = CornerLabels(canvas, text, QObject(canvas))
    text.draw_window(Window(10, 110))
    assert not shown(canvas), "no picture, no words"
    text.show(True, True)
    assert set(shown(canvas)) == {"W 100  L 60"}
    text.draw_link("Not linked")
    assert set(shown(canvas)) == {"W 100  L 60", "Not linked"}
    text.draw_link("")
    assert set(shown(canvas)) == {"W 100  L 60"}
    text.show(False, True)
    assert not shown(canvas)
    assert labels.parent() is not None


def test_they_stay_in_their_corners_and_let_the_mouse_through(canvas: QWidget, text: CornerText) -> None:
    labels = CornerLabels(canvas, text, QObject(canvas))
    text.draw_window(Window(10, 110))
    text.draw_link("Not linked")
    text.show(True, True)
    for width, height in ((400, 300), (640, 500)):
        canvas.resize(width, height)
        window, link = (shown(canvas)[words] for words in ("W 100  L 60", "Not linked"))
        assert width - 10 <= window.geometry().right() < width
        assert window.y() < 10
        assert link.x() < 10
        # above the letter of the lower border, which a long sentence reaches
        assert height - 55 < link.geometry().bottom() < height - 36
        assert window.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    assert labels.parent() is not None


def test_words_of_files_are_shown_as_they_are(canvas: QWidget, text: CornerText) -> None:
    labels = CornerLabels(canvas, text, QObject(canvas))
    text.draw_link("<b>series</b>")
    text.show(True, True)
    assert shown(canvas)["<b>series</b>"].textFormat() == Qt.TextFormat.PlainText
    assert labels.parent() is not None


def test_they_leave_a_canvas_that_is_a_persons_own(canvas: QWidget, text: CornerText, qtbot: QtBot) -> None:
    dock = QWidget()
    CornerLabels(canvas, text, dock)
    text.draw_link("Not linked")
    text.show(True, True)
    dock.deleteLater()
    qtbot.waitUntil(lambda: not canvas.findChildren(QLabel))
    text.draw_link("Linked")


@pytest.mark.parametrize(("px_per_mm", "mm"), [(0.4, 200), (1.0, 100), (1.5, 50), (4.0, 20), (300.0, 1)])
def test_the_scale_bar_stays_short_of_the_letter_in_a_narrow_canvas(px_per_mm: float, mm: float) -> None:
    viewer = ViewerModel()
    text = CornerText(viewer)
    viewer.scene.camera.zoom = px_per_mm
    assert viewer.canvas.overlays.scale_bar.length == mm
    assert not text.words[Corner.TITLE]
