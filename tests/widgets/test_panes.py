"""Panes on a bare ``ViewerModel``: drags, refused edits, places; no window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Points
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.key_bindings import coerce_keybinding

from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole, SliceStack, Study
from napari_lumbar.layer_data import EDGES_OF_A_BOX
from napari_lumbar.session import SessionState, landmark_at
from napari_lumbar.session.commands import move, shift_levels, swap_sides
from napari_lumbar.widgets.drawn_once import drawn_once
from napari_lumbar.widgets.pane import Pane
from napari_lumbar.widgets.panes import LinkedPanes
from napari_lumbar.widgets.shown import Shown

from .window import seen

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
LEFT = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L4_L5)


@pytest.fixture
def state(small_study: Study, small_analysis: Analysis) -> SessionState:
    return SessionState(small_study.study_uid, small_analysis)


@pytest.fixture
def panes(small_study: Study, state: SessionState) -> LinkedPanes:
    panes = LinkedPanes(ViewerModel(), ViewerModel())
    panes.show_study(small_study, SeriesRole.SAGITTAL_T2)
    panes.draw(state)
    return panes


def landmarks(panes: LinkedPanes) -> Any:
    return panes.sagittal.viewer.layers["Landmarks"]


def cursor(pane: Pane) -> Any:
    """Middle of the cross, (slice, row, column), or None."""
    arms = seen(pane.viewer.layers["Cursor"])
    return (pane.slice_index, *arms[:, 0].mean(axis=0)) if len(arms) else None


def drag(
    layer: Any, start: tuple[float, ...], stop: tuple[float, ...], viewer: ViewerModel | None = None
) -> None:
    """Press, move and release the left button at data coordinates of ``layer``, as napari tells it."""
    handlers = (mouse_press_callbacks, mouse_move_callbacks, mouse_release_callbacks)
    kinds = ("mouse_press", "mouse_move", "mouse_release")
    for handle, kind, place in zip(handlers, kinds, (start, stop, stop), strict=True):
        event = ReadOnlyWrapper(_event(layer, kind, place), exceptions=("handled",))
        if viewer is not None:
            handle(viewer, event)
        handle(layer, event)


def _gesture(start: tuple[float, ...], stop: tuple[float, ...]) -> tuple[tuple[str, tuple[float, ...]], ...]:
    return ("press", start), ("move", stop), ("release", stop)


def _event(layer: Any, kind: str, place: tuple[float, ...]) -> Any:
    from types import SimpleNamespace

    world = tuple(np.array(place) * layer.scale)
    return SimpleNamespace(
        type=kind,
        position=world,
        view_direction=None,
        up_direction=None,
        dims_displayed=[1, 2],
        dims_point=list(world),
        pos=np.array(world[:0:-1]),
        handled=False,
        modifiers=[],
        button=1,
        is_dragging=kind == "mouse_move",
        native=None,
    )


def test_each_pane_shows_its_series_without_affine_in_millimetres(panes: LinkedPanes) -> None:
    for pane, name in ((panes.sagittal, "Sagittal T2/STIR (t2)"), (panes.axial, "Axial T2 (ax)")):
        image = pane.viewer.layers[name]
        assert np.array_equal(image.affine.affine_matrix, np.eye(4))
        assert {str(u) for layer in pane.viewer.layers for u in layer.units} == {"millimeter"}
        assert pane.viewer.dims.nsteps[0] == image.data.shape[0]


def test_a_drag_is_told_once_with_finding_slice_and_pixel(panes: LinkedPanes) -> None:
    told: list[tuple[Any, ...]] = []
    panes.landmark_moved.connect(lambda *what: told.append(what))
    drag(landmarks(panes), (3, 56, 30), (3, 60, 40), panes.sagittal.viewer)
    assert told == [(CANAL, "t2", 3, (60.0, 40.0))]


def drag_meanwhile(
    panes: LinkedPanes, meanwhile: SessionState, key: FindingKey = CANAL
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Drag a point while another state comes to be drawn; where it was, and where it was let go."""
    layer, viewer = landmarks(panes), panes.sagittal.viewer
    row = list(layer.features["finding"]).index(key.column)
    start = tuple(layer.data[row])
    panes.sagittal.go_to_slice(int(start[0]))
    stop = (start[0], start[1] + 6, start[2] + 5)
    press, move_, release = (_event(layer, f"mouse_{kind}", at) for kind, at in _gesture(start, stop))
    for owner in (viewer, layer):
        mouse_press_callbacks(owner, ReadOnlyWrapper(press, exceptions=("handled",)))
    for owner in (viewer, layer):
        mouse_move_callbacks(owner, ReadOnlyWrapper(move_, exceptions=("handled",)))
    panes.draw(meanwhile)
    assert tuple(layer.data[row]) == pytest.approx(stop)
    for owner in (viewer, layer):
        mouse_release_callbacks(owner, ReadOnlyWrapper(release, exceptions=("handled",)))
    return start, stop


def test_a_drag_is_not_anothers_when_the_names_move_under_it(panes: LinkedPanes, state: SessionState) -> None:
    told: list[tuple[Any, ...]] = []
    panes.landmark_moved.connect(lambda *what: told.append(what))
    start, _ = drag_meanwhile(panes, state.doing(shift_levels(state, 1)))
    assert told == []
    layer = landmarks(panes)
    below = FindingKey(CANAL.condition, Level.L5_S1)
    row = list(layer.features["finding"]).index(below.column)
    assert tuple(layer.data[row]) == pytest.approx(start)


def test_a_drag_is_not_the_other_sides_when_the_sides_are_swapped_under_it(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    panes.show_sagittal(small_study.by_id("t1"))
    panes.draw(state)
    left = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)
    told: list[FindingKey] = []
    panes.landmark_moved.connect(lambda key, *_: told.append(key))
    swapped = state.doing(swap_sides(state, confirmed=True))
    for meanwhile, expected in ((swapped, []), (state, []), (state, [left])):
        drag_meanwhile(panes, meanwhile, left)
        assert told == expected


def test_a_redraw_during_a_drag_waits_until_the_point_is_let_go(
    panes: LinkedPanes, state: SessionState
) -> None:
    told: list[tuple[Any, ...]] = []
    panes.landmark_moved.connect(lambda *what: told.append(what))
    layer = landmarks(panes)
    row = list(layer.features["finding"]).index(CANAL.column)
    start, stop = drag_meanwhile(panes, state)  # an earlier point was graded again meanwhile
    ((key, _, _, pixel_rc),) = told
    assert (key, pixel_rc) == (CANAL, pytest.approx(stop[1:]))
    assert tuple(layer.data[row]) == pytest.approx(start), "what was drawn meanwhile is shown now"


def test_ghosts_stand_below_the_points_and_the_chosen_one_stands_out(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    panes.draw_ghosts(state, CANAL)
    names = [layer.name for layer in panes.sagittal.viewer.layers]
    moved = state.doing(move(state, landmark_at(small_study.by_id("t2"), CANAL, 3, (20, 12))))
    panes.draw(moved)
    panes.draw_ghosts(moved, CANAL)
    layers = panes.sagittal.viewer.layers
    assert [layer.name for layer in layers] == [*names[:-1], "Predicted", "Moved", names[-1]]
    assert layers.selection.active is layers["Landmarks"]
    rings = layers["Predicted"]
    assert rings.canvas_size_limits[0] == 0, "napari draws something on slices without a ring"
    assert rings.data.tolist() == [[3, *state.landmarks.points[CANAL].pixel_rc]]
    assert (rings.editable, rings.border_color[0][3]) == (False, 1)
    panes.draw_ghosts(moved, LEFT)
    assert rings.border_color[0][3] == pytest.approx(0.4)
    panes.draw_ghosts(moved.undoing(), CANAL)
    assert (len(rings.data), len(layers["Moved"].data)) == (0, 0)
    panes.draw_ghosts(moved, CANAL)
    panes.draw_ghosts(None, None)
    assert (len(rings.data), len(layers["Moved"].data)) == (0, 0), "without a study there are none"


def test_ghosts_are_not_covered_by_the_image_after_a_study_without_its_plane(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    moved = state.doing(move(state, landmark_at(small_study.by_id("ax"), LEFT, 10, (20, 12))))
    panes.draw(moved)
    panes.draw_ghosts(moved, LEFT)
    panes.show_study(replace(small_study, series=small_study.series[:2]), SeriesRole.SAGITTAL_T2)
    panes.draw_ghosts(None, None)
    panes.show_study(small_study, SeriesRole.SAGITTAL_T2)
    panes.draw(moved)
    panes.draw_ghosts(moved, LEFT)
    names = [layer.name for layer in panes.axial.viewer.layers]
    assert names[-3:] == ["Predicted", "Moved", "Landmarks"]
    assert panes.axial.viewer.layers.selection.active is panes.axial.viewer.layers["Landmarks"]


def test_a_click_without_a_move_only_picks(panes: LinkedPanes) -> None:
    moved: list[Any] = []
    picked: list[Any] = []
    panes.landmark_moved.connect(lambda *what: moved.append(what))
    panes.landmark_picked.connect(lambda key, pane: picked.append((key, pane)))
    drag(
        landmarks(panes), (3, 56, 30), (3, 56.1, 30.1), panes.sagittal.viewer
    )  # a hand that trembles is no edit
    assert moved == []
    assert picked == [(CANAL, panes.sagittal)]
    assert tuple(landmarks(panes).data[3]) == (3, 56, 30)


def test_drawing_tells_nothing_and_keeps_the_layer(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    told: list[Any] = []
    panes.landmark_moved.connect(lambda *what: told.append(what))
    panes.edit_refused.connect(lambda: told.append("refused"))
    layer = landmarks(panes)
    panes.draw(state.doing(move(state, landmark_at(small_study.by_id("t2"), CANAL, 3, (50, 33)))))
    assert landmarks(panes) is layer
    assert tuple(layer.data[3]) == (3, 50, 33)
    assert list(layer.features["state"]) == ["current"] * 3 + ["stale", "current"]
    assert layer.features["label"][3] == "L4/L5 corrected stale"
    assert told == []


def test_keys_that_would_add_or_delete_points_do_nothing(panes: LinkedPanes) -> None:
    layer = landmarks(panes)
    layer.selected_data = {3}
    before = layer.data.copy()
    letters, words = list("123APS"), ["Delete", "Backspace", "Shift-A", *(f"Control-{key}" for key in "ACVX")]
    for key in letters + words:
        layer.keymap[coerce_keybinding(key)](layer)
        assert np.array_equal(layer.data, before), key
        assert layer.mode == "pan_zoom", key


@pytest.mark.parametrize("name", ["Level names", "Predicted"])
def test_what_is_only_shown_is_edited_by_no_key(
    panes: LinkedPanes, state: SessionState, small_study: Study, name: str
) -> None:
    moved = state.doing(move(state, landmark_at(small_study.by_id("t2"), CANAL, 3, (20, 12))))
    panes.draw(moved)
    panes.draw_ghosts(moved, CANAL)
    layer: Any = panes.sagittal.viewer.layers[name]
    layer.selected_data = set(range(len(layer.data)))
    before = layer.data.copy()
    for key in ("1", "Delete", "Backspace", "Control-X"):
        layer.keymap[coerce_keybinding(key)](layer)
    assert len(before)
    assert np.array_equal(layer.data, before)
    layer.visible = False
    layer.visible = True
    for mode in ("add", "select", "transform"):
        layer.mode = mode
        assert layer.mode == "pan_zoom"


def test_points_deleted_or_added_by_other_means_are_refused(panes: LinkedPanes, state: SessionState) -> None:
    refused: list[str] = []

    def redraw() -> None:
        refused.append("refused")
        panes.draw(state)

    panes.edit_refused.connect(redraw)
    layer = landmarks(panes)
    layer.selected_data = {0, 1}
    layer.remove_selected()
    assert len(layer.data) == 5
    layer.add((3, 1, 1))
    assert len(layer.data) == 5
    assert refused == ["refused", "refused"]


def test_both_panes_go_to_a_landmark_and_mark_its_place(panes: LinkedPanes, state: SessionState) -> None:
    left = state.landmarks.points[LEFT]
    panes.go_to(left)
    assert panes.sagittal.series is not None
    assert panes.axial.slice_index == left.slice_index
    assert panes.sagittal.slice_index == panes.sagittal.series.nearest_slice_index(left.point_lps_mm)
    place = cursor(panes.sagittal)
    series = panes.sagittal.series
    assert place is not None
    point = series.slices[int(place[0])].geometry.lps_from_pixel(place[1:])
    assert point == pytest.approx(np.array(left.point_lps_mm), abs=4.0)
    assert cursor(panes.axial) is None


def test_a_point_in_the_middle_of_the_view_does_not_move_the_camera(
    panes: LinkedPanes, state: SessionState
) -> None:
    camera = panes.sagittal.viewer.scene.camera
    camera.center = (0, 112, 45)
    before = camera.center
    panes.go_to(state.landmarks.points[CANAL])
    assert camera.center == before
    camera.center = (0, 1e4, 1e4)
    panes.go_to(state.landmarks.points[CANAL])
    assert camera.center[1:] == pytest.approx((112, 45))


def test_another_series_replaces_the_first_and_leaves_other_layers(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    viewer = panes.sagittal.viewer
    viewer.add_points([[0, 1, 1]], name="mine", scale=(4, 2, 1.5), units=("mm",) * 3)
    panes.show_sagittal(small_study.by_id("t1"))
    panes.draw(state)
    names = [layer.name for layer in viewer.layers]
    drawings = ["Attention", "Crops", "Reference lines", "Cursor", "Level names"]
    assert names == ["Sagittal T1 (t1)", *drawings, "Landmarks", "mine"]


def test_the_last_slice_of_a_series_is_left_for_one_with_more_slices_nearer_to_each_other(
    panes: LinkedPanes, small_study: Study
) -> None:
    t1 = small_study.by_id("t1")
    slices = t1.slices
    fewer = replace(t1, series_id="fewer", stacks=(SliceStack(slices[::2]),))
    told: list[int] = []
    panes.show_sagittal(fewer)
    panes.sagittal.go_to_slice(len(fewer.slices) - 1)
    panes.sagittal.slice_changed.connect(told.append)
    panes.show_sagittal(t1)
    assert seen(panes.sagittal.viewer.layers["Reference lines"]).size
    assert panes.sagittal.slice_index == told[-1] == len(slices) - 1


def test_evidence_is_drawn_on_its_slice_and_can_be_hidden(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    panes.draw_evidence(state.finding(CANAL).evidence)
    layers = panes.sagittal.viewer.layers
    assert [int(i) for i in np.unique(np.nonzero(layers["Attention"].data)[0])] == [3]
    panes.sagittal.go_to_slice(2)
    assert len(seen(layers["Crops"])) == 0
    panes.sagittal.go_to_slice(3)
    np.testing.assert_allclose(layers["Crops"].data[0, 0], (48, 22))
    panes.draw_evidence(())
    assert len(seen(layers["Crops"])) == 0
    assert not layers["Attention"].data.any()
    panes.set_shown(Shown(attention=False, attention_opacity=0.5, lines=False))
    for series_id in ("t2", "t1"):  # the next series follows, too
        panes.show_sagittal(small_study.by_id(series_id))
        panes.draw_evidence(
            tuple(replace(crop, series_id=series_id) for crop in state.finding(CANAL).evidence)
        )
        layers = panes.sagittal.viewer.layers
        assert (layers["Attention"].visible, layers["Crops"].visible) == (False, True)
        assert layers["Attention"].opacity == 0.5
        assert not layers["Reference lines"].visible


def test_another_series_shows_the_same_state_and_evidence_at_once(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    t1 = small_study.by_id("t1")
    narrower = [replace(s, geometry=replace(s.geometry, column_spacing_mm=1.25)) for s in t1.slices]
    t1 = replace(t1, stacks=(SliceStack(tuple(narrower)),))
    foramen = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L4_L5)
    panes.draw_evidence(state.finding(foramen).evidence)
    layers = panes.sagittal.viewer.layers
    assert not layers["Attention"].data.any()
    panes.show_sagittal(t1)
    assert {label.split()[0] for label in layers["Landmarks"].features["label"]} >= {"L4/L5"}
    assert len(layers["Landmarks"].data) == sum(p.series_id == "t1" for p in state.landmarks.points.values())
    panes.sagittal.go_to_slice(int(np.flatnonzero(layers["Attention"].data.any(axis=(1, 2)))[0]))
    assert len(layers["Crops"].data) == EDGES_OF_A_BOX
    for layer in layers:
        assert tuple(layer.scale) == (4.0, 2.0, 1.25)[-layer.ndim :]


def test_a_study_that_is_shown_again_shows_nothing_of_what_was_known(
    panes: LinkedPanes, state: SessionState, small_study: Study
) -> None:
    panes.draw_evidence(state.finding(CANAL).evidence)
    panes.sagittal.draw_cursor((0.0, 0.0, 0.0))
    panes.show_study(replace(small_study, study_id="other"), SeriesRole.SAGITTAL_T2)  # of the same series
    layers = panes.sagittal.viewer.layers
    assert not any(len(seen(layers[name])) for name in ("Crops", "Cursor"))
    assert not any(len(layers[name].data) for name in ("Landmarks", "Level names"))
    assert not layers["Attention"].data.any()


def test_several_changes_of_a_layer_are_drawn_once() -> None:
    layer = Points(np.zeros((2, 2)))
    drawn: list[object] = []
    layer.events.set_data.connect(drawn.append)
    with drawn_once(layer):
        layer.data = np.ones((3, 2))
        layer.size = 3
        layer.face_color = "red"
    assert len(drawn) == 1
    assert len(layer.data) == 3


def test_images_lie_on_black_whatever_the_theme(panes: LinkedPanes) -> None:
    grounds = [pane.viewer.canvas for pane in panes]
    assert [tuple(canvas.background_color) for canvas in grounds] == [(0, 0, 0, 1)] * 2
    panes.close()
    assert [canvas.background_color_override for canvas in grounds] == [None, None]


def test_letters_and_research_line_stand_in_every_pane(panes: LinkedPanes) -> None:
    for pane, expected in ((panes.sagittal, ("H", "F", "A", "P")), (panes.axial, ("A", "P", "R", "L"))):
        overlays = pane.viewer.canvas.overlays
        shown = tuple(overlays[f"lumbar_{edge}"].text for edge in ("top", "bottom", "left", "right"))
        assert shown == expected
        assert overlays["lumbar_research"].text == "Research use only"
        assert overlays["lumbar_research"].visible
