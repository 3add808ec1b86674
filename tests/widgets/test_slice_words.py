"""What a corner says of the slice on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.study import Study
from napari_lumbar.widgets.slice_words import disc_words, position_words, slice_words


def test_before_the_analysis_only_series_slice_and_place(small_study: Study) -> None:
    assert slice_words(small_study.by_id("ax"), 0, Landmarks()) == "Axial T2  1/15\nPosition H 68.0 mm"
    assert slice_words(small_study.by_id("t1"), 6, Landmarks()) == "Sagittal T1  7/7\nPosition L 12.0 mm"


def test_an_axial_slice_is_named_by_the_nearest_disc(small_study: Study, small_analysis: Analysis) -> None:
    series, landmarks = small_study.by_id("ax"), small_analysis.landmarks
    # discs lie at 64, 32, 0, -32 and -64 mm; stacks hold slices 4 mm above, at, and 4 mm below
    said = [disc_words(s.geometry, landmarks) for s in series.slices]
    assert said[:3] == ["L1/L2, 4 mm above the disc", "L1/L2, at the disc", "L1/L2, 4 mm below the disc"]
    assert said[-1] == "L5/S1, 4 mm below the disc"


def test_of_a_tilted_slice_only_discs_on_its_image_count(small_analysis: Analysis) -> None:
    """Its plane meets L1/L2's point, 64 mm further up, outside the image."""
    up, back = (0.0, -0.6, 0.8), (1.0, 0.0, 0.0)
    disc = small_analysis.landmarks
    geometry = SliceGeometry((-20.0, 12.0, -16.0), back, up, 1.0, 1.0, 20, 40)
    assert disc_words(geometry, disc) != ""
    assert not disc_words(geometry, disc).startswith("L1/L2")


def test_a_sagittal_slice_says_how_far_it_lies_beside_the_canal(
    small_study: Study, small_analysis: Analysis
) -> None:
    series = small_study.by_id("t2")
    said = [slice_words(series, i, small_analysis.landmarks).split("\n")[1] for i in (1, 3, 5)]
    assert said == ["8 mm right of the canal", "through the canal", "8 mm left of the canal"]


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_which_way_the_axes_run_does_not_change_the_words(
    small_study: Study, small_analysis: Analysis, flip: float
) -> None:
    geometry = small_study.by_id("ax").slices[2].geometry
    x, y, z = geometry.along_column
    turned = replace(geometry, along_column=(flip * x, flip * y, flip * z))
    if flip < 0:
        turned = replace(turned, position_lps_mm=(-42.0, 38.0, geometry.position_lps_mm[2]))
    assert disc_words(turned, small_analysis.landmarks) == "L1/L2, 4 mm below the disc"
    assert position_words(turned) == "Position H 60.0 mm"
