from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.spine import Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.pipeline.recesses import find_recesses, nearest_axial_slice


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
    """Answers with one sharp peak per side at fixed map pixels."""

    def __init__(self, left: tuple[int, int], right: tuple[int, int]) -> None:
        super().__init__()
        self.peaks = (left, right)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.zeros(1, 3, 48, 48)
        for channel, (row, column) in enumerate(self.peaks):
            logits[0, channel, row, column] = 12.0
        return logits, torch.zeros(1, 2)


def test_the_nearest_plane_is_chosen_over_all_series() -> None:
    chosen = nearest_axial_slice([axial("a", [40, 36, 32]), axial("b", [10, 6, 2])], np.array([0, 0, 7.0]))
    assert chosen is not None
    assert (chosen.series.series_id, chosen.slice_index) == ("b", 1)
    assert chosen.distance_mm == pytest.approx(1)


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
    chosen = nearest_axial_slice([axial("a", [0.0])], np.zeros(3))
    assert chosen is not None
    # Map pixels of 2 mm around the canal point at (23.5, 23.5): columns run to the patient's left.
    network = Points(left=(23, 28), right=(23, 19))
    found = find_recesses(network, chosen, np.zeros(3), torch.device("cpu"))
    geometry = chosen.series.slices[0].geometry
    left = geometry.lps_from_pixel(found[Side.LEFT][0])
    right = geometry.lps_from_pixel(found[Side.RIGHT][0])
    np.testing.assert_allclose(left[:2], [9, -1], atol=0.6)
    np.testing.assert_allclose(right[:2], [-9, -1], atol=0.6)
    assert found[Side.LEFT][1] > 0.8


def test_a_network_that_takes_the_sides_for_each_other_cannot_swap_them() -> None:
    chosen = nearest_axial_slice([axial("a", [0.0])], np.zeros(3))
    assert chosen is not None
    found = find_recesses(Points(left=(23, 19), right=(23, 28)), chosen, np.zeros(3), torch.device("cpu"))
    geometry = chosen.series.slices[0].geometry
    assert geometry.lps_from_pixel(found[Side.LEFT][0])[0] > 0
    assert geometry.lps_from_pixel(found[Side.RIGHT][0])[0] < 0
    assert found[Side.LEFT][1] < 0.3
