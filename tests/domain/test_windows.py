"""Grey windows: arithmetic of a drag, presets, and when the scanner's window is believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.study import MRSeries, SliceStack, Study
from napari_lumbar.domain.windows import FULL, PERCENTILES, PRESETS, SCANNER, Window, first_window, presets


@pytest.fixture
def ramp(small_study: Study) -> MRSeries:
    """A series whose signal runs evenly from 0 to 1000."""
    series = small_study.by_id("t2")
    pixels = np.linspace(0, 1000, 101 * 101, dtype=np.float32).reshape(101, 101)
    geometry = replace(series.slices[0].geometry, rows=101, columns=101)
    only = replace(series.slices[0], pixels=pixels, geometry=geometry)
    return replace(series, stacks=(SliceStack((only,)),))


def test_width_and_level_are_distance_and_middle() -> None:
    window = Window.around(300, 200)
    assert (window.low, window.high, window.width, window.level) == (200, 400, 200, 300)


def test_a_drag_widens_to_the_right_darkens_downwards_and_never_turns_over() -> None:
    full, window = Window(0, 1000), Window(200, 400)
    assert window.dragged(50, 0, full) == Window(150, 450)
    assert window.dragged(0, 25, full) == Window(250, 450)
    assert window.dragged(-9999, 0, full).width == pytest.approx(2)


def test_presets_are_shares_of_the_signal(ramp: MRSeries) -> None:
    windows = presets(ramp)
    assert tuple(windows) == PRESETS[1:]
    assert (windows[FULL].low, windows[FULL].high) == pytest.approx((0, 1000), abs=20)
    assert (windows[PERCENTILES].low, windows[PERCENTILES].high) == pytest.approx((10, 990), abs=20)
    assert first_window(windows) == windows[PERCENTILES]


def test_the_scanners_window_comes_first_unless_it_shows_nothing(ramp: MRSeries) -> None:
    windows = presets(replace(ramp, window=(400.0, 600.0)))
    assert tuple(windows) == PRESETS
    assert first_window(windows) == windows[SCANNER] == Window(100, 700)
    assert SCANNER not in presets(replace(ramp, window=(9000.0, 100.0)))
