"""Cursor, reference lines, names and windows on two bare ``ViewerModel``s; no window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_lumbar.domain.findings import Analysis, CropEvidence
from napari_lumbar.domain.geometry import vector3
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack, Study
from napari_lumbar.domain.windows import FULL, PERCENTILES, Window, presets
from napari_lumbar.session import SessionState, commands, landmark_at
from napari_lumbar.widgets.corner_text import Corner
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.panes import LinkedPanes

from .window import seen

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
RIGHT = FindingKey(Condition.RIGHT_SUBARTICULAR_STENOSIS, Level.L4_L5)
GHOSTS = "Predicted", "Moved"


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def panes(small_study: Study) -> LinkedPanes:
    panes = LinkedPanes(ViewerModel(), ViewerModel())
    panes.show_study(small_study, SeriesRole.SAGITTAL_T2)
    return panes


def tilted(series: MRSeries) -> MRSeries:
    """Every block of an axial series turned about the left-right axis by another angle."""
    stacks = []
    for stack, degrees in zip(series.stacks, (-20, -10, 0, 12, 25), strict=True):
        c, s = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
        slices = tuple(
            replace(
                mr_slice,
                geometry=replace(
                    mr_slice.geometry,
                    along_column=(0.0, c, -s),
                    position_lps_mm=vector3(
                        (-42.0, -40.0 * c, mr_slice.geometry.position_lps_mm[2] + 40.0 * s)
                    ),
                ),
            )
            for mr_slice in stack.slices
        )
        stacks.append(SliceStack(slices))
    return replace(series, stacks=tuple(stacks))


def lines(pane: Pane) -> np.ndarray:
    """Ends of the lines, (n, 2, 2) as (row, column)."""
    vectors = seen(pane.viewer.layers["Reference lines"])
    return np.stack([vectors[:, 0], vectors[:, 0] + vectors[:, 1]], axis=1)


def bright(pane: Pane) -> np.ndarray:
    """Ends of those that stand out."""
    return lines(pane)[pane.viewer.layers["Reference lines"].edge_color[:, 3] > 0.5]


def text(pane: Pane, name: str) -> str:
    return pane.text.words[Corner(name)]


def middle(pane: Pane) -> Any:
    arms = seen(pane.viewer.layers["Cursor"])
    return (pane.slice_index, *arms[:, 0].mean(axis=0)) if len(arms) else None


def test_lines_of_tilted_blocks_lie_within_half_a_pixel(panes: LinkedPanes, small_study: Study) -> None:
    axials = tilted(small_study.by_id("ax"))
    panes.show_study(Study("tilted", "1", (small_study.by_id("t2"), axials)), SeriesRole.SAGITTAL_T2)
    ends = lines(panes.sagittal)
    assert len(ends) == 15
    for segment, mr_slice in zip(ends, axials.slices, strict=True):
        # rows are 2 mm, columns 1.5 mm: at x = 0 the plane has z = z0 - (y - y0) * tan
        _, y0, z0 = mr_slice.geometry.position_lps_mm
        _, c, minus_s = mr_slice.geometry.along_column
        y_mm = -48.0 + 1.5 * segment[:, 1]
        expected_row = (80.0 - (z0 + (y_mm - y0) * minus_s / c)) / 2.0
        assert np.abs(segment[:, 0] - expected_row).max() < 0.5
    for index in (0, 4, 14):
        panes.axial.go_to_slice(index)
        assert bright(panes.sagittal) == pytest.approx(ends[index][None], abs=1e-6)
        # the other way round: the sagittal slice at x = 0 is column 28 of every axial slice
        assert bright(panes.axial)[0, :, 1] == pytest.approx([28, 28])
    panes.sagittal.go_to_slice(5)  # x = 8 mm
    assert bright(panes.axial)[0, :, 1] == pytest.approx([28 + 8 / 1.5] * 2)


def test_lines_show_on_every_slice_and_clicks_go_through_them(panes: LinkedPanes) -> None:
    for pane in panes:
        layer = pane.viewer.layers["Reference lines"]
        assert layer.ndim == 2
        assert {str(unit) for unit in layer.units} == {"millimeter"}


def test_pointing_moves_the_other_pane_and_marks_both(panes: LinkedPanes) -> None:
    panes.sagittal.pointed.emit((0.0, -10.0, -36.0), 3)
    assert panes.axial.slice_index == 11  # the slice 4 mm below L4/L5
    assert middle(panes.axial) == pytest.approx((11, 15, 28))
    assert middle(panes.sagittal) == pytest.approx((3, 58, 38 / 1.5))
    panes.axial.pointed.emit((8.0, 2.0, 64.0), 1)
    assert panes.sagittal.slice_index == 5
    assert middle(panes.sagittal) == pytest.approx((5, 8, 50 / 1.5))


def test_a_place_outside_the_other_images_is_said_not_faked(panes: LinkedPanes) -> None:
    before = panes.axial.slice_index
    # behind every image; beyond the images of its block, though on those of L5/S1's, which are larger
    for y_mm in (60.0, 46.0):
        panes.sagittal.pointed.emit((0.0, y_mm, 0.0), 3)
        assert panes.axial.slice_index == before
        assert middle(panes.axial) is None
        assert text(panes.axial, "link") == "The cursor is outside these images"
    panes.sagittal.pointed.emit((0.0, 0.0, 0.0), 3)
    assert text(panes.axial, "link") == ""


def two_axials(study: Study) -> Study:
    """The upper two blocks as one series, the lower three as another."""
    t1, t2, ax = study.series
    upper = replace(ax, series_id="upper", stacks=ax.stacks[:2])
    lower = replace(ax, series_id="lower", stacks=ax.stacks[2:])
    return replace(study, series=(t1, t2, lower, upper))


def test_of_several_axial_series_the_one_with_the_place_is_shown(
    panes: LinkedPanes, small_study: Study, state: SessionState
) -> None:
    panes.show_study(two_axials(small_study), SeriesRole.SAGITTAL_T2)
    panes.draw(state)
    assert panes.axial.series is not None
    assert panes.axial.series.series_id == "lower"
    assert text(panes.axial, "title").startswith("Axial T2, series 1 of 2  ")
    highest = state.landmarks.points[FindingKey(RIGHT.condition, Level.L1_L2)]
    panes.go_to(replace(highest, series_id="upper"))
    assert (panes.axial.series.series_id, panes.axial.slice_index) == ("upper", 1)
    assert text(panes.axial, "title").startswith("Axial T2, series 2 of 2  ")
    assert text(panes.sagittal, "title").startswith("Sagittal T2/STIR  "), "there is one alone"
    assert middle(panes.axial) is None
    canal = state.landmarks.points[CANAL]
    panes.go_to(canal)
    assert (panes.axial.series.series_id, middle(panes.axial)[0]) == ("lower", panes.axial.slice_index)
    crop = CropEvidence(SeriesRole.AXIAL_T2, "upper", 4, (0, 0, 9, 9), 1.0, np.ones((2, 2), np.float32))
    panes.go_to(canal, crops=(crop,))
    assert panes.axial.series.series_id == "upper"
    assert middle(panes.axial) is None
    assert text(panes.axial, "link") == "The point is outside these images"
    panes.go_to(replace(highest, series_id="upper"))
    assert text(panes.axial, "link") == "", "it shows the point itself now"
    panes.go_to(canal, crops=(crop,))
    panes.sagittal.pointed.emit((0.0, -10.0, -36.0), 3)
    assert (panes.axial.series.series_id, text(panes.axial, "link")) == ("lower", "")
    panes.go_to_slice("upper", 2)
    assert (panes.axial.series.series_id, panes.axial.slice_index) == ("upper", 2)
    panes.go_to(canal, but=panes.axial)
    assert panes.axial.series.series_id == "upper"


def test_a_reformat_is_not_shown_where_an_original_has_the_place(
    panes: LinkedPanes, small_study: Study, state: SessionState
) -> None:
    whole = two_axials(small_study)
    t1, t2, lower, upper = whole.series
    reformat, upper = replace(upper, series_id="reformat", role_score=0.3), replace(upper, role_score=1.0)
    panes.show_study(replace(whole, series=(t1, t2, lower, reformat, upper)), SeriesRole.SAGITTAL_T2)
    panes.go_to(state.landmarks.points[FindingKey(CANAL.condition, Level.L1_L2)])
    assert panes.axial.series is not None
    assert panes.axial.series.series_id == "upper"


def test_rings_of_one_axial_series_do_not_stay_on_another(
    panes: LinkedPanes, small_study: Study, state: SessionState
) -> None:
    t1, t2, ax = small_study.series
    study = replace(small_study, series=(t1, t2, ax, replace(ax, series_id="ax2")))
    panes.show_study(study, SeriesRole.SAGITTAL_T2)
    old = state.landmarks.points[RIGHT]
    moved = state.doing(commands.move(state, landmark_at(ax, RIGHT, old.slice_index, (20, 12))))
    panes.draw(moved)
    panes.draw_ghosts(moved, RIGHT)
    rings, lines = (panes.axial.viewer.layers[name] for name in GHOSTS)
    for series_id, count in (("ax", 1), ("ax2", 0), ("ax", 1)):
        panes.go_to_slice(series_id, old.slice_index)
        assert panes.axial.series is not None
        assert panes.axial.series.series_id == series_id
        assert (len(rings.data), len(lines.data)) == (count, count)


def test_what_keeps_the_panes_apart_is_said(panes: LinkedPanes, small_study: Study) -> None:
    t1, t2, axials = small_study.series
    panes.show_study(Study("no axial", "1", (t1, t2)), SeriesRole.SAGITTAL_T2)
    assert text(panes.sagittal, "link") == "Not linked: no axial series"
    assert len(lines(panes.sagittal)) == 0
    parallel = replace(t1, role=SeriesRole.AXIAL_T2)
    panes.show_study(Study("parallel", "1", (t2, parallel)), SeriesRole.SAGITTAL_T2)
    assert text(panes.axial, "link") == "Not linked: the planes are parallel"
    assert len(lines(panes.axial)) == 0
    framed = replace(t2, frame_of_reference_uid="1.2"), replace(axials, frame_of_reference_uid="1.3")
    panes.show_study(Study("frames", "1", framed), SeriesRole.SAGITTAL_T2)
    assert text(panes.axial, "link") == "Linked across two frames of reference"
    assert len(lines(panes.sagittal)) == 15


def test_another_sagittal_series_shows_the_same_place_with_the_same_zoom(
    panes: LinkedPanes, small_study: Study
) -> None:
    t1 = small_study.by_id("t1")
    shifted = [
        replace(
            s,
            geometry=replace(
                s.geometry,
                position_lps_mm=vector3(np.array(s.geometry.position_lps_mm) + np.array([2.0, -6.0, 10.0])),
            ),
        )
        for s in t1.slices
    ]
    t1 = replace(t1, stacks=(SliceStack(tuple(shifted)),))
    camera = panes.sagittal.viewer.scene.camera
    panes.sagittal.go_to_slice(5)
    camera.zoom, camera.center = 3.5, (0, 60.0, 30.0)
    panes.sagittal.pointed.emit((8.0, 0.0, 0.0), 5)
    panes.show_sagittal(t1)
    assert camera.zoom == 3.5
    assert camera.center[-2:] == pytest.approx((70.0, 36.0))
    assert panes.sagittal.slice_index == 4  # x = 6 mm; 10 mm would be as near to 8
    assert middle(panes.sagittal)[1:] == pytest.approx((45, 36))


def test_names_of_levels_stand_before_the_discs_and_beside_the_chosen_point(
    panes: LinkedPanes, state: SessionState
) -> None:
    sagittal, axial = (pane.viewer.layers["Level names"] for pane in panes)
    assert len(sagittal.data) == len(axial.data) == 0
    panes.draw(state)
    panes.mark(RIGHT)
    assert list(sagittal.features["name"]) == [level.value for level in Level]
    assert list(sagittal.features["chosen"]) == [False, False, False, True, False]
    # kept 20 mm inside the image's front border; L1/L2 and L5/S1 lie nearer than that to its ends
    assert sagittal.data[:, 1] == pytest.approx(20 / 1.5)
    assert sagittal.data[1:4, 0] == pytest.approx([24, 40, 56])
    assert list(axial.features["name"]) == ["L4/L5 R"]
    index, _, column = axial.data[0]
    assert index == 10
    assert column < state.landmarks.points[RIGHT].pixel_rc[1]  # the patient's right is at the left
    assert text(panes.axial, "title").split("\n")[1] == "L3/L4, at the disc"
    panes.draw(None)
    assert len(sagittal.data) == len(axial.data) == 0


def test_windows_are_kept_per_series_and_forgotten_with_the_study(
    panes: LinkedPanes, small_study: Study
) -> None:
    t2 = presets(small_study.by_id("t2"))
    windowing = panes.sagittal.windowing
    assert windowing.window == t2[PERCENTILES]
    windowing.drag(50, 0)
    mine = windowing.window
    assert mine == t2[PERCENTILES].dragged(50, 0, t2[FULL])
    assert text(panes.sagittal, "window") == f"W {mine.width:.0f}  L {mine.level:.0f}"
    panes.show_sagittal(small_study.by_id("t1"))
    assert windowing.window == presets(small_study.by_id("t1"))[PERCENTILES]
    panes.show_sagittal(small_study.by_id("t2"))
    assert windowing.window == mine
    panes.choose_window(FULL)
    assert windowing.window == t2[FULL]
    panes.sagittal.viewer.layers[0].contrast_limits = (1, 5)  # napari's own controls count, too
    assert windowing.window == Window(1, 5)
    panes.show_study(small_study, SeriesRole.SAGITTAL_T2)
    assert windowing.window == t2[PERCENTILES]


def test_whatever_is_done_to_our_layers_nothing_breaks(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    panes.draw(state)
    viewer = panes.sagittal.viewer
    names = [layer.name for layer in viewer.layers]
    for layer in viewer.layers:
        layer.name = "mine"
    viewer.layers.move(0, 3)
    viewer.layers[1].visible = False
    for layer in list(viewer.layers)[::2]:
        viewer.layers.remove(layer)
    panes.draw_evidence(state.finding(CANAL).evidence)
    panes.go_to(state.landmarks.points[RIGHT])
    panes.sagittal.pointed.emit((0.0, 0.0, 0.0), 3)
    panes.choose_window(FULL)
    panes.draw(state)
    assert len(viewer.layers) == len(names)
    viewer.layers.clear()
    panes.axial.go_to_slice(4)
    for series_id in ("t1", "t2"):
        panes.show_sagittal(small_study.by_id(series_id))
    panes.draw(state)
    assert [layer.name for layer in viewer.layers] == names


def test_a_closed_pane_listens_no_more(panes: LinkedPanes) -> None:
    viewer = panes.sagittal.viewer
    callbacks = len(viewer.mouse_drag_callbacks), len(viewer.mouse_move_callbacks)
    panes.close()
    assert (len(viewer.mouse_drag_callbacks), len(viewer.mouse_move_callbacks)) == tuple(
        n - 1 for n in callbacks
    )
    before = text(panes.sagittal, "title")
    panes.sagittal.go_to_slice(0)
    assert text(panes.sagittal, "title") == before
