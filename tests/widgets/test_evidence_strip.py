"""The strip of crops with the mouse and the keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_lumbar.domain.findings import CropEvidence, PlaneAnswer, SeverityProbs
from napari_lumbar.domain.study import SeriesRole, Study
from napari_lumbar.widgets.evidence_strip import EvidenceStrip, heading, strip_text

pytestmark = pytest.mark.gui

AXIAL = SeriesRole.AXIAL_T2
SAYS_MODERATE = PlaneAnswer(AXIAL, SeverityProbs(0.2, 0.55, 0.25))


def crops() -> tuple[CropEvidence, ...]:
    heat = np.outer(np.hanning(8), np.hanning(8)).astype(np.float32)
    sagittal = CropEvidence(SeriesRole.SAGITTAL_T2, "t2", 3, (20, 20, 40, 40), 0.75, heat)
    axial = CropEvidence(AXIAL, "ax", 10, (10, 10, 30, 30), 0.4, heat)
    # given out of order, as a grader may
    return (
        axial,
        replace(axial, slice_index=9, weight=0.6),
        sagittal,
        replace(sagittal, slice_index=2, weight=0.25),
    )


def chosen(strip: EvidenceStrip) -> CropEvidence | None:
    return strip.chosen


def test_words_say_what_the_strip_shows() -> None:
    assert heading(AXIAL, SAYS_MODERATE) == "Axial T2 alone: ■ Moderate 0.55"
    assert heading(AXIAL, None) == "Axial T2"
    text = strip_text(crops()[:1], (SAYS_MODERATE,))
    assert text.splitlines()[0] == "Axial T2 alone: ■ Moderate 0.55"
    assert text.splitlines()[-1] == "Axial T2 slice 11: 0.40"


def test_a_click_and_the_keys_jump_and_the_mouse_points(small_study: Study, qtbot: Any) -> None:
    strip = EvidenceStrip()
    qtbot.addWidget(strip)
    strip.resize(500, strip.height())
    jumps: list[tuple[str, int]] = []
    pointed: list[CropEvidence | None] = []
    strip.jumped.connect(lambda *place: jumps.append(place))
    strip.pointed.connect(pointed.append)
    given = crops()
    strip.draw(given, (SAYS_MODERATE,), small_study, True)
    strip.show()
    qtbot.waitExposed(strip)
    assert (chosen(strip), pointed) == (None, [None])

    # two rows: sagittal above, axial below, each by slice
    below = QPoint(20, strip.height() * 3 // 4)
    qtbot.mouseMove(strip, below)
    qtbot.waitUntil(lambda: pointed[-1] is given[1])
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=below)
    assert jumps == [("ax", 9)]
    assert chosen(strip) is given[1]
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_Left, Qt.Key.Key_End):
        qtbot.keyClick(strip, key)
    assert jumps[1:] == [("ax", 10), ("ax", 10), ("t2", 2), ("t2", 2), ("ax", 10)]

    # drawn again for the same finding, the choice stays; for another it goes
    strip.draw(given, (SAYS_MODERATE,), small_study, True)
    assert chosen(strip) is given[0]
    strip.draw(given[:1], (), small_study, True)
    assert (chosen(strip), pointed[-1]) == (None, None)
    strip.draw((), (), None, True)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    assert chosen(strip) is None
    assert not strip.grab().isNull()


def test_the_picture_is_tinted_where_the_heatmap_speaks(small_study: Study, qtbot: Any) -> None:
    strip = EvidenceStrip()
    qtbot.addWidget(strip)
    strip.resize(500, strip.height())
    strip.draw(crops()[2:], (), small_study, True)
    image = strip.grab().toImage()
    colours = [image.pixelColor(x, y) for x in range(90) for y in range(20, 90)]
    assert any(c.red() > c.blue() + 40 for c in colours)


def test_crops_of_the_grade_before_are_called_so(small_study: Study, qtbot: Any) -> None:
    strip = EvidenceStrip()
    qtbot.addWidget(strip)
    strip.draw(crops(), (SAYS_MODERATE,), small_study, False)
    assert strip.accessibleName().splitlines()[:2] == [
        "Before the change:",
        "Axial T2 alone: ■ Moderate 0.55",
    ]
    before = strip.grab().toImage()
    strip.draw(crops(), (SAYS_MODERATE,), small_study, True)
    assert strip.accessibleName().startswith("Axial T2 alone")
    assert strip.grab().toImage() != before


def test_pictures_grow_with_the_room_they_have(small_study: Study, qtbot: Any) -> None:
    strip = EvidenceStrip()
    qtbot.addWidget(strip)
    strip.draw(crops(), (), small_study, True)
    bright = []
    for height in (strip.minimumHeight(), strip.maximumHeight()):
        strip.resize(500, height)
        image = strip.grab().toImage()
        ground = image.pixelColor(499, 0)
        bright.append(
            sum(image.pixelColor(x, y) != ground for x in range(0, 500, 5) for y in range(0, height, 5))
        )
    assert bright[1] > 1.5 * bright[0]
