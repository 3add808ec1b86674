"""The table of series: its words are whole whatever font the screen has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox

from napari_lumbar.domain.study import SAGITTAL_ROLES, SeriesRole
from napari_lumbar.widgets.series_table import SeriesTable
from napari_lumbar.widgets.study_words import SeriesRow

pytestmark = pytest.mark.gui

ANY_ROLE = frozenset(SeriesRole)
ROWS = [
    SeriesRow(role.value, role.value, "sagittal", "T2", role, False, "by its times", "", ANY_ROLE)
    for role in SeriesRole
]


def missing_px(box: QComboBox) -> int:
    """By how much the longest role is wider than the room for it."""
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    complex_control, edit = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
    room = box.style().subControlRect(complex_control, option, edit, box).width()
    words = [box.itemText(index) for index in range(box.count())]
    return int(max(box.fontMetrics().horizontalAdvance(word) for word in words) - room)


@pytest.mark.parametrize("style", ["", "QComboBox {font-size: 30px}"])
def test_roles_are_written_out_in_any_font(style: str, qtbot: Any) -> None:
    table = SeriesTable()
    qtbot.addWidget(table)
    table.resize(700, 300)
    table.setStyleSheet(style)
    table.show_rows(ROWS)
    table.show()
    qtbot.waitExposed(table)
    assert all(missing_px(table.role_box(row.series_id)) <= 0 for row in ROWS)


def test_roles_are_written_out_when_the_theme_brings_a_larger_font(qtbot: Any) -> None:
    table = SeriesTable()
    qtbot.addWidget(table)
    table.resize(700, 300)
    table.show_rows(ROWS)
    table.show()
    qtbot.waitExposed(table)
    table.setStyleSheet("QComboBox {font-size: 30px}")
    qtbot.waitUntil(lambda: all(missing_px(table.role_box(row.series_id)) <= 0 for row in ROWS))


def test_a_role_of_another_plane_cannot_be_chosen(qtbot: Any) -> None:
    table = SeriesTable()
    qtbot.addWidget(table)
    sagittal = replace(ROWS[0], possible=frozenset(SAGITTAL_ROLES))
    table.show_rows([sagittal])
    box = table.role_box(sagittal.series_id)
    possible = [box.itemText(i) for i in range(box.count()) if box.model().item(i).isEnabled()]
    assert possible == ["Not used", "Sagittal T1", "Sagittal T2/STIR"]
