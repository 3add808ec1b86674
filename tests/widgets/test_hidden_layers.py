"""A layer that a person has hidden changes without an error, and is right once it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS
from napari_lumbar.domain.study import Study
from napari_lumbar.layer_data import landmark_layer
from napari_lumbar.widgets.landmark_points import LandmarkPoints
from napari_lumbar.widgets.level_names import LevelNames
from napari_lumbar.widgets.reference_lines import ReferenceLines

pytestmark = pytest.mark.gui


def test_fewer_landmarks_and_names(
    make_napari_viewer_proxy: Any, small_analysis: Analysis, small_study: Study
) -> None:
    every = small_analysis.landmarks
    viewer, series = make_napari_viewer_proxy(show=False), small_study.by_id("t2")
    on_it = [place for place in every.points.values() if place.series_id == series.series_id]
    few = Landmarks({place.key: place for place in on_it[:1]})
    points = LandmarkPoints(landmark_layer(series, every, {}))
    names = LevelNames(series)
    for layer in (points.layer, names.layer):
        viewer.add_layer(layer)
    names.draw(every, None)
    viewer.dims.set_point(0, 3 * points.layer.scale[0])
    for layer in (points.layer, names.layer):
        layer.visible = False
    for landmarks in (few, Landmarks(), every, few):
        points.draw(landmark_layer(series, landmarks, {}))
        names.draw(landmarks, None)
        for key in ALL_FINDINGS:
            points.mark(key)
            names.draw(landmarks, key)
    for layer in (points.layer, names.layer):
        layer.visible = True
        assert len(layer.data) == 1


def test_fewer_lines(make_napari_viewer_proxy: Any, small_study: Study) -> None:
    viewer, series, axials = (
        make_napari_viewer_proxy(show=False),
        small_study.by_id("t2"),
        small_study.by_id("ax"),
    )
    few = replace(axials, stacks=(replace(axials.stacks[0], slices=axials.slices[:2]),))
    lines = ReferenceLines(series)
    viewer.add_layer(lines.layer)
    lines.draw(3, axials, 5)
    lines.layer.visible = False
    for others in (few, axials, few):
        lines.use(series)
        for bright in (0, 1, 0):
            lines.draw(3, others, bright)
    lines.layer.visible = True
    assert len(lines.layer.data) == 2
