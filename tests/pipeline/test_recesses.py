from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.spine import Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.pipeline.recesses import AxialView, find_recesses, look_at_axial, nearest_axial_slice


def axial(series_id: str, heights: list[float], tilt_deg: float = 0.0) -> MRSeries:
    tilt = np.deg2rad(tilt_deg)
    down = (0.0, float(np.cos(tilt)), float(-np.sin(tilt)))
    slices = tuple(
        MRSlice(
            SliceGeometry((-60, -60 * down[1], z - 60 * down[2]), (1, 0, 0), down, 0.5, 0.5, 240, 240),
            np.random.default_rng(1).random((240, 240), dtype=np.float32),
            f"1.{i}",
            i,
        )
        for i, z in enumerate(heights)
    )
    return MRSeries(series_id, series_id, (SliceStack(slices),), SeriesRole.AXIAL_T2, "given")


class Points(nn.Module):
    """Answers with one sharp peak per side, and a round canal, at fixed map pixels."""

    def __init__(
        self, left: tuple[int, int], right: tuple[int, int], canal: tuple[int, int] | None = (23, 23)
    ) -> None:
        super().__init__()
        self.peaks, self.canal = (left, right), canal

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.zeros(1, 3, 48, 48)
        logits[0, 2] = -9
        for channel, (row, column) in enumerate(self.peaks):
            logits[0, channel, row, column] = 12.0
        if self.canal is not None:
            rows, columns = np.indices((48, 48))
            near = (rows - self.canal[0]) ** 2 + (columns - self.canal[1]) ** 2 <= 9
            logits[0, 2][torch.from_numpy(near)] = 9.0
        # Asked about the patch and its mirror image, in which the sides change places.
        return torch.cat([logits, logits.flip(-1)[:, [1, 0, 2]]]), torch.zeros(2, 2)


def look(network: Points, canal_lps_mm: tuple[float, float, float] = (0, 0, 0)) -> AxialView:
    chosen = nearest_axial_slice([axial("a", [0.0])], np.array(canal_lps_mm))
    assert chosen is not None
    return look_at_axial(network, chosen, np.array(canal_lps_mm), torch.device("cpu"))


def test_the_nearest_plane_is_chosen_over_all_series() -> None:
    chosen = nearest_axial_slice([axial("a", [40, 36, 32]), axial("b", [10, 6, 2])], np.array([0, 0, 7.0]))
    assert chosen is not None
    assert (chosen.series.series_id, chosen.slice_index) == ("b", 1)
    assert chosen.distance_mm == pytest.approx(1)


@pytest.mark.parametrize(("height", "expected"), [(9.4, "t2"), (20.0, "assumed")])
def test_a_series_that_is_taken_as_t2_counts_only_where_no_sure_one_is_near(
    height: float, expected: str
) -> None:
    assumed = replace(axial("assumed", [20, 9.5, 4]), role_assumed=True)
    chosen = nearest_axial_slice([assumed, axial("t2", [10, 6, 2])], np.array([0, 0, height]))
    assert chosen is not None
    assert chosen.series.series_id == expected


@pytest.mark.parametrize(("height", "expected"), [(9.4, "original"), (20.0, "reformat")])
def test_a_series_that_suits_its_role_less_counts_only_where_no_better_one_is_near(
    height: float, expected: str
) -> None:
    reformat = replace(axial("reformat", [20, 9.5, 4]), role_score=0.3)
    original = replace(axial("original", [10, 6, 2]), role_score=1.0)
    chosen = nearest_axial_slice([original, reformat], np.array([0, 0, height]))
    assert chosen is not None
    assert chosen.series.series_id == expected


def test_the_nearer_of_two_series_that_suit_their_role_nearly_as_well_is_chosen() -> None:
    named = replace(axial("named", [20, 9.5, 4]), role_score=0.8)
    timed = replace(axial("timed", [10, 6, 2]), role_score=1.0)
    chosen = nearest_axial_slice([timed, named], np.array([0, 0, 9.4]))
    assert chosen is not None
    assert chosen.series is named


def test_a_series_that_a_person_chose_suits_its_role() -> None:
    reformat = replace(axial("reformat", [20, 9.5, 4]), role_score=0.3)
    given = reformat.given(SeriesRole.AXIAL_T2, "chosen by a person")
    original = replace(axial("original", [10, 6, 2]), role_score=1.0)
    chosen = nearest_axial_slice([given, original], np.array([0, 0, 9.4]))
    assert chosen is not None
    assert chosen.series is given


def test_a_tilted_plane_is_measured_along_its_normal() -> None:
    chosen = nearest_axial_slice(
        [axial("a", [4, 0, -4], tilt_deg=30)], np.array([0.0, 20.0, -20 * np.tan(np.pi / 6)])
    )
    assert chosen is not None
    assert chosen.slice_index == 1
    assert chosen.distance_mm == pytest.approx(0, abs=1e-6)


def test_no_plane_near_is_said_and_not_guessed() -> None:
    assert nearest_axial_slice([axial("a", [40, 36])], np.array([0, 0, 0.0])) is None
    assert nearest_axial_slice([], np.zeros(3)) is None


def test_recesses_lie_where_the_network_points() -> None:
    # Map pixels of 2 mm around the canal point at (23.5, 23.5): columns run to the patient's left.
    view = look(Points(left=(23, 28), right=(23, 19)))
    found = find_recesses(view)
    left, right = (view.geometry.lps_from_pixel(found[side][0]) for side in (Side.LEFT, Side.RIGHT))
    np.testing.assert_allclose(left[:2], [9, -1], atol=0.6)
    np.testing.assert_allclose(right[:2], [-9, -1], atol=0.6)
    assert found[Side.LEFT][1] > 0.8


def test_a_network_that_takes_the_sides_for_each_other_cannot_swap_them() -> None:
    view = look(Points(left=(23, 19), right=(23, 28)))
    found = find_recesses(view)
    assert view.geometry.lps_from_pixel(found[Side.LEFT][0])[0] > 0
    assert view.geometry.lps_from_pixel(found[Side.RIGHT][0])[0] < 0
    assert found[Side.LEFT][1] < 0.3


def test_a_canal_point_off_to_one_side_is_centred_on_the_canal_seen() -> None:
    """Both recesses left of the sagittal canal point: the axial canal tells which is which."""
    view = look(Points(left=(23, 35), right=(23, 27), canal=(23, 31)))
    assert view.canal_seen
    np.testing.assert_allclose(view.canal_lps_mm, [15, -1, 0], atol=0.6)
    found = find_recesses(view)
    assert view.geometry.lps_from_pixel(found[Side.RIGHT][0])[0] == pytest.approx(7, abs=1)
    assert view.geometry.lps_from_pixel(found[Side.LEFT][0])[0] == pytest.approx(23, abs=1)


def test_without_a_canal_in_sight_the_sagittal_point_stands() -> None:
    view = look(Points(left=(23, 28), right=(23, 19), canal=None))
    assert not view.canal_seen
    np.testing.assert_allclose(view.canal_lps_mm, [0, 0, 0], atol=0.6)
