from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lumbar.dicom.stacks import Plane, common_plane, plane_of, stack_order
from napari_lumbar.domain.geometry import SliceGeometry, vector3

Block = Callable[..., list[SliceGeometry]]
TILTS_DEG = (-6.0, 2.0, 10.0, 18.0, 33.0)


def tilted_blocks(block: Block) -> list[list[SliceGeometry]]:
    return [
        block("axial", 5, centre=(0, 0, -35.0 * i), tilt_deg=tilt, step_mm=4)
        for i, tilt in enumerate(TILTS_DEG)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(order=st.permutations(range(25)))
def test_five_tilted_blocks_come_back_whole_whatever_the_order(block: Block, order: list[int]) -> None:
    blocks = tilted_blocks(block)
    slices = [g for one in blocks for g in one]
    shuffled = [slices[i] for i in order]
    stacks = [[shuffled[i] for i in stack] for stack in stack_order(shuffled)]
    # The normal of an axial slice points to the head; counting goes to the feet.
    assert stacks == [one[::-1] for one in blocks]


@pytest.mark.parametrize("gap_mm", [5.0, 6.0, 12.0])
def test_blocks_of_equal_tilt_are_split_where_the_lattice_breaks(block: Block, gap_mm: float) -> None:
    step = 3.5
    upper = block("axial", 8, centre=(0, 0, 0), tilt_deg=6, step_mm=step)
    normal = upper[0].normal
    below = -normal * (7 * step + gap_mm) + np.array([0.2, 1.0, 0.0])
    lower = block("axial", 8, centre=tuple(below), tilt_deg=6, step_mm=step)
    assert [len(stack) for stack in stack_order([*lower, *upper])] == [8, 8]


def test_one_missing_slice_does_not_split_a_stack(block: Block) -> None:
    slices = block("sagittal", 12)
    assert [len(stack) for stack in stack_order(slices[:5] + slices[6:])] == [11]


def test_repeated_positions_stay_together(block: Block) -> None:
    slices = block("axial", 4)
    assert [len(stack) for stack in stack_order([*slices, *slices])] == [8]


def test_different_matrix_sizes_are_different_stacks(block: Block) -> None:
    slices = block("axial", 3) + block("axial", 3, size=(16, 16))
    assert sorted(len(stack) for stack in stack_order(slices)) == [3, 3]


@pytest.mark.parametrize(("plane", "axis", "sign"), [("sagittal", 0, 1), ("axial", 2, -1), ("coronal", 1, 1)])
def test_slices_are_counted_right_to_left_head_to_feet_front_to_back(
    block: Block, plane: str, axis: int, sign: int
) -> None:
    slices = block(plane, 7, tilt_deg=5)[::-1]
    (stack,) = stack_order(slices)
    along = [sign * slices[i].centre_lps_mm[axis] for i in stack]
    assert along == sorted(along)


@pytest.mark.parametrize("tilt_deg", [0, 25, 40, 50])
def test_a_steep_lumbosacral_block_is_still_axial(block: Block, tilt_deg: float) -> None:
    flat = block("axial", 9)
    steep = block("axial", 4, centre=(0, 20, -60), tilt_deg=tilt_deg)
    assert common_plane([*flat, *steep]) is Plane.AXIAL


@pytest.mark.parametrize("tilt_deg", [38, 46, 52, 59])
def test_an_axial_series_of_a_steep_lumbosacral_disc_alone_is_axial(block: Block, tilt_deg: float) -> None:
    steep = block("axial", 4, tilt_deg=tilt_deg)
    assert common_plane(steep) is Plane.AXIAL
    heights = [steep[i].centre_lps_mm[2] for i in stack_order(steep)[0]]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("tilt_deg", [-44, -20, 0, 20, 44, 50, 54])
def test_a_coronal_series_stays_coronal(block: Block, tilt_deg: float) -> None:
    assert common_plane(block("coronal", 4, tilt_deg=tilt_deg)) is Plane.CORONAL


@pytest.mark.parametrize("tilt_deg", [-34, -20])
def test_an_axial_series_of_a_disc_that_falls_to_the_back_is_axial(block: Block, tilt_deg: float) -> None:
    assert common_plane(block("axial", 4, tilt_deg=tilt_deg)) is Plane.AXIAL


def test_slices_along_the_sacrum_are_coronal_whichever_way_they_are_stored(block: Block) -> None:
    along = block("axial", 4, tilt_deg=-40)
    backwards = [replace(g, along_column=vector3(-np.array(g.along_column))) for g in along]
    assert (common_plane(along), common_plane(backwards)) == (Plane.CORONAL, Plane.CORONAL)


def test_a_slice_too_steep_for_a_disc_is_coronal(block: Block) -> None:
    assert common_plane(block("axial", 4, tilt_deg=63)) is Plane.CORONAL


def test_a_three_plane_localiser_has_no_common_plane(block: Block) -> None:
    slices = block("sagittal", 1) + block("axial", 1) + block("coronal", 1)
    assert common_plane(slices) is None
    assert {plane_of(g) for g in slices} == set(Plane)
