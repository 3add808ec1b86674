"""What the sagittal networks are shown, and how their answers are joined."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack
from napari_lumbar.models.heatmap_unet import HeatmapUNet, HeatmapUNetConfig
from napari_lumbar.pipeline.progress import CancelToken
from napari_lumbar.pipeline.sagittal_maps import brighter_side_first, neighbour_step, sagittal_maps
from napari_lumbar.preprocess.channels import NAMED_DISCS, SAGITTAL_MAPS

CONFIG = HeatmapUNetConfig(
    named=len(NAMED_DISCS), maps=len(SAGITTAL_MAPS), in_channels=3, widths=(4, 4, 4, 4, 4)
)


class Constant(HeatmapUNet):
    """Answers every map with one number."""

    def __init__(self, answer: float) -> None:
        super().__init__(CONFIG)
        self.answer = answer

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        height, width = (n // 2 for n in image.shape[-2:])
        logits = torch.full((len(image), CONFIG.named + CONFIG.maps, height, width), self.answer)
        return logits, torch.zeros(len(image), CONFIG.named)


def series(count: int, step_mm: float) -> MRSeries:
    """Slices that tell themselves apart by how much of each is bright."""
    slices = []
    for i in range(count):
        pixels = np.zeros((40, 40), np.float32)
        pixels[: 2 + 4 * i] = 100
        geometry = SliceGeometry((step_mm * i, 0, 0), (0, 1, 0), (0, 0, -1), 1.5, 1.5, 40, 40)
        slices.append(MRSlice(geometry, pixels, f"1.{i}", i))
    return MRSeries("1", "1", (SliceStack(tuple(slices)),), SeriesRole.SAGITTAL_T2, "made so", "T2")


@pytest.mark.parametrize(("step_mm", "slices"), [(0.9, 4), (4.4, 1), (2.0, 2), (9.0, 1)])
def test_neighbours_lie_about_four_millimetres_away(step_mm: float, slices: int) -> None:
    assert neighbour_step(series(3, step_mm).slices) == slices
    assert neighbour_step(series(1, step_mm).slices) == 1


def test_each_slice_is_shown_between_its_neighbours_and_the_last_ones_again() -> None:
    made = series(6, 4.0)
    seen: list[Tensor] = []

    class Keeper(Constant):
        def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
            seen.append(image[..., :40, :40].mean((-2, -1)))
            return super().forward(image)

    sagittal_maps([Keeper(0.0)], made, torch.device("cpu"), CancelToken())
    bright = torch.cat(seen)
    alone = bright[:, 1]
    assert (alone.diff() > 0).all()
    # The brighter neighbour first, which here is the one to the left.
    torch.testing.assert_close(bright[:, 0], alone[[1, 2, 3, 4, 5, 5]])
    torch.testing.assert_close(bright[:, 2], alone[[0, 0, 1, 2, 3, 4]])


def test_a_window_and_its_mirror_image_look_alike() -> None:
    windows = np.random.default_rng(0).uniform(size=(20, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(brighter_side_first(windows), brighter_side_first(windows[:, ::-1]))
    kept = brighter_side_first(windows)
    assert {bool((a == b).all()) for a, b in zip(kept, windows, strict=True)} == {True, False}
    np.testing.assert_array_equal(kept[:, 1], windows[:, 1])


def test_the_networks_answers_are_averaged() -> None:
    maps = sagittal_maps(
        [Constant(-50.0), Constant(50.0)], series(3, 4.0), torch.device("cpu"), CancelToken()
    )
    for values in maps.maps.values():
        np.testing.assert_allclose(values, 0.5, atol=1e-6)
