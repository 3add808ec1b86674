"""Layer tuples: the right pixel in the right place, in napari's axis order, without napari."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar import layer_data
from napari_lumbar.domain.findings import Analysis, CropEvidence
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, Study

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)


def crop(
    box_rc: tuple[float, float, float, float], heatmap: np.ndarray, slice_index: int = 2
) -> CropEvidence:
    return CropEvidence(SeriesRole.AXIAL_T2, "ax", slice_index, box_rc, 1.0, heatmap.astype(np.float32))


def test_image_layer_keeps_every_pixel_where_it_was(small_study: Study) -> None:
    series = small_study.by_id("ax")
    volume, options, kind = layer_data.image_layer(series)
    assert kind == "image"
    assert volume.shape == (15, 48, 60)
    np.testing.assert_array_equal(volume[3, :40, :56], series.slices[3].pixels)
    assert (volume[3, 40:, :] == series.slices[3].pixels.min()).all()
    np.testing.assert_array_equal(volume[14], series.slices[14].pixels)
    assert options["scale"] == pytest.approx((4.0, 2.0, 1.5))
    assert options["units"] == ("mm", "mm", "mm")
    assert options["axis_labels"] == ("slice", "row", "column")
    assert "affine" not in options


def test_contrast_ignores_the_brightest_and_darkest_percent(small_study: Study) -> None:
    series = small_study.by_id("t2")
    _, options, _ = layer_data.image_layer(series)
    pixels = np.stack([s.pixels for s in series.slices])
    low, high = options["contrast_limits"]
    assert pixels.min() < low < high < pixels.max()


def test_a_flat_series_still_has_a_contrast_range(small_study: Study) -> None:
    series = small_study.by_id("t2")
    first = replace(series.slices[0], pixels=np.zeros((80, 64), np.float32))
    flat = replace(series, stacks=(replace(series.stacks[0], slices=(first,)),))
    _, options, _ = layer_data.image_layer(flat)
    assert options["contrast_limits"] == (0.0, 1.0)


def test_role_layers_show_only_the_first(small_study: Study) -> None:
    layers = layer_data.role_layers(small_study.assigning("ax", None))
    assert [options["name"] for _, options, _ in layers] == ["Sagittal T1 (t1)", "Sagittal T2/STIR (t2)"]
    assert [options.get("visible", True) for _, options, _ in layers] == [True, False]


def test_points_carry_what_a_person_must_know(small_study: Study, small_analysis: Analysis) -> None:
    series = small_study.by_id("t1")
    points, options, kind = layer_data.landmark_layer(
        series, small_analysis.landmarks, small_analysis.findings, stale={CANAL}
    )
    assert kind == "points"
    assert len(points) == 10
    features = options["features"]
    row = features["finding"].index("left_neural_foraminal_narrowing_l5_s1")
    assert tuple(points[row]) == (5, 72, 30)
    assert {name: values[row] for name, values in features.items()} == {
        "finding": "left_neural_foraminal_narrowing_l5_s1",
        "label": "L5/S1 L",
        "level": "L5/S1",
        "condition": "Left Neural Foraminal Narrowing",
        "side": "Left",
        "severity": "Normal/Mild",
        "probability": pytest.approx(0.85),
        "source": "predicted",
        "state": "current",
    }


def test_stale_points_say_so(small_study: Study, small_analysis: Analysis) -> None:
    series = small_study.by_id("t2")
    _, options, _ = layer_data.landmark_layer(
        series, small_analysis.landmarks, small_analysis.findings, stale={CANAL}
    )
    assert options["features"]["state"] == ["current"] * 3 + ["stale", "current"]
    assert options["features"]["label"][2:4] == ["L3/L4", "L4/L5 stale"]


def test_a_series_without_landmarks_gives_an_empty_points_layer(small_study: Study) -> None:
    from napari_lumbar.domain.landmarks import Landmarks

    points, options, _ = layer_data.landmark_layer(small_study.by_id("t2"), Landmarks(), {})
    assert points.shape == (0, 3)
    assert options["features"]["finding"] == []


def test_ghosts_lie_where_points_were_predicted_with_a_line_to_where_they_are(
    small_study: Study, small_analysis: Analysis
) -> None:
    first, second, third = list(small_analysis.landmarks.points.values())[-3:]
    series = small_study.by_id(first.series_id)
    moved = replace(first, pixel_rc=(10.0, 12.0))
    elsewhere = replace(second, slice_index=second.slice_index + 1, pixel_rc=(3.0, 4.0))
    away = replace(third, series_id="ax")
    moves = [(first, moved), (second, elsewhere), (third, away), (third, None), (None, moved)]
    (rings, options, kind), (lines, drawn, lines_kind) = layer_data.ghost_layers(series, moves)
    assert (kind, lines_kind) == ("points", "vectors")
    assert rings.tolist() == [[p.slice_index, *p.pixel_rc] for p in (first, second, third, third)]
    assert options["features"]["finding"] == [p.key.column for p in (first, second, third, third)]
    # one line within the slice of the first; on both slices of the second; none to another series
    ends = [(int(start[0]), tuple((start + way)[1:])) for start, way in lines]
    at = second.slice_index
    assert ends == [(first.slice_index, (10.0, 12.0)), (at, (3.0, 4.0)), (at + 1, (3.0, 4.0))]
    assert lines[:, 1, 0].tolist() == [0, 0, 0]
    assert drawn["features"]["finding"] == [p.key.column for p in (first, second, second)]
    nothing = layer_data.ghost_layers(series, [])
    assert (nothing[0][0].shape, nothing[1][0].shape) == ((0, 3), (0, 2, 3))


def test_crop_boxes_lie_on_their_slice_of_their_series(small_study: Study) -> None:
    evidence = [crop((1, 2, 11, 22), np.ones((2, 2)))]
    edges, _, kind = layer_data.crop_layer(small_study.by_id("ax"), evidence)
    assert kind == "vectors"
    np.testing.assert_array_equal(edges[:, 0], [[2, 1, 2], [2, 1, 22], [2, 11, 22], [2, 11, 2]])
    np.testing.assert_array_equal(edges.sum(axis=1), np.roll(edges[:, 0], -1, axis=0))
    assert len(layer_data.crop_layer(small_study.by_id("t2"), evidence)[0]) == 0


def on_the_image(study: Study, crops: list[CropEvidence]) -> np.ndarray:
    """The heatmap layer of the axial series, laid where it is drawn on its images."""
    series = study.by_id("ax")
    volume, options, _ = layer_data.heatmap_layer(series, crops)
    first = np.round(np.divide(options["translate"], options["scale"])).astype(int)
    image = np.zeros(layer_data.series_shape(series), np.float32)
    image[tuple(slice(start, start + size) for start, size in zip(first, volume.shape, strict=True))] = volume
    return image


def test_heatmap_is_stretched_over_its_box(small_study: Study) -> None:
    quadrants = np.array([[0.0, 0.25], [0.5, 1.0]])
    volume = on_the_image(small_study, [crop((10, 20, 30, 40), quadrants)])
    # each quarter of the box is centred on its value; pixel centres are at integers, so halfway is 14.5
    assert volume[2, 12, 22] == pytest.approx(0.0)
    assert volume[2, 12, 37] == pytest.approx(0.25)
    assert volume[2, 27, 22] == pytest.approx(0.5)
    assert volume[2, 27, 37] == pytest.approx(1.0)
    outside = volume.copy()
    outside[2, 10:30, 20:40] = 0
    assert not outside.any()


def test_heatmaps_are_no_larger_than_what_their_crops_cover(small_study: Study) -> None:
    crops = [crop((10, 20, 18, 30), np.ones((2, 2))), crop((12.5, 24, 30.5, 41), np.ones((2, 2)))]
    volume, _, _ = layer_data.heatmap_layer(small_study.by_id("ax"), crops)
    assert volume.shape == (15, 21, 21)
    assert layer_data.heatmap_layer(small_study.by_id("ax"), [])[0].shape == (15, 1, 1)


@given(
    top=st.floats(-60, 60),
    left=st.floats(-60, 60),
    size=st.floats(1, 90),
    value=st.floats(0.125, 1, width=32),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_heatmap_may_reach_beyond_the_image(
    small_study: Study, top: float, left: float, size: float, value: float
) -> None:
    box = (top, left, top + size, left + size)
    image = on_the_image(small_study, [crop(box, np.full((4, 4), value))])[2]
    rr, cc = np.mgrid[: image.shape[0], : image.shape[1]]
    inside = (rr >= top) & (rr < top + size) & (cc >= left) & (cc < left + size)
    np.testing.assert_allclose(image, np.where(inside, value, 0), atol=1e-6)


def test_overlapping_heatmaps_keep_the_larger_value(small_study: Study) -> None:
    crops = [crop((0, 0, 10, 10), np.full((2, 2), v)) for v in (0.9, 0.3)]
    assert on_the_image(small_study, crops)[2, 5, 5] == pytest.approx(0.9)


def test_importing_layers_or_reader_loads_neither_napari_nor_qt_nor_torch() -> None:
    code = (
        "import sys, napari_lumbar.layer_data, napari_lumbar.reader, napari_lumbar.sample_data;"
        "print([m for m in ('napari', 'qtpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
