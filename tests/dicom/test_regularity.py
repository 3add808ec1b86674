from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.dicom.pixels import _rows_exchanged
from napari_lumbar.dicom.regularity import (
    fields_are_apart,
    is_mixed,
    is_scattered,
    is_skewed,
    is_uneven,
    is_unusually_stored,
    numbers_cross,
)
from napari_lumbar.domain.geometry import SliceGeometry, vector3

Block = Callable[..., list[SliceGeometry]]


def moved(geometry: SliceGeometry, *by_mm: float) -> SliceGeometry:
    return replace(geometry, position_lps_mm=vector3(np.add(geometry.position_lps_mm, by_mm)))


def turned(geometry: SliceGeometry, angle_deg: float) -> SliceGeometry:
    """Turned about its rows."""
    angle = np.radians(angle_deg)
    column = np.array(geometry.along_column) * np.cos(angle) + geometry.normal * np.sin(angle)
    return replace(geometry, along_column=vector3(column))


def test_what_a_scanner_lays_is_regular(block: Block) -> None:
    stacks = [block("axial", n, centre=(0, 0, -35 * i), tilt_deg=7 * i) for i, n in enumerate((3, 5, 2))]
    assert not is_uneven(stacks)
    assert not any(map(is_skewed, stacks))
    assert not is_scattered(stacks)
    assert not is_mixed(stacks)
    assert not is_unusually_stored(stacks)


@pytest.mark.parametrize("by_mm", [(0.3, 0, 0), (0, 0.3, 0), (0, 0, 0.3)])
def test_a_slice_moved_any_way_makes_its_stack_uneven(block: Block, by_mm: tuple[float, ...]) -> None:
    slices = block("axial", 5)
    slices[2] = moved(slices[2], *by_mm)
    assert is_uneven([slices])


def test_stacks_of_different_steps_are_uneven(block: Block) -> None:
    stacks = [block("axial", 2, step_mm=step, centre=(0, 0, -10 * step)) for step in (4.0, 4.3)]
    assert is_uneven(stacks)
    assert not is_uneven([stacks[0]])


def test_a_turned_slice_or_a_leaning_stack_is_skewed(block: Block) -> None:
    slices = block("axial", 4)
    assert is_skewed([*slices[:3], turned(slices[3], 0.1)])
    assert is_skewed([turned(g, 0.5) for g in slices])


def test_a_slice_beside_a_stack_is_scattered_and_one_for_each_disc_is_not(block: Block) -> None:
    discs = [block("axial", 1, centre=(0, 0, -35 * i), tilt_deg=7 * i) for i in range(5)]
    assert not is_scattered(discs)
    assert is_scattered([*discs, block("axial", 3, centre=(0, 0, -200))])
    assert is_scattered([*discs, block("axial", 1, centre=(0, 0, -300), tilt_deg=7)])
    assert is_scattered([*discs, block("axial", 1, centre=(0, 0, -10), tilt_deg=20)])
    assert is_scattered([block("sagittal", 5), block("sagittal", 5, centre=(80, 0, 0))])


def test_images_of_other_sizes_are_mixed(block: Block) -> None:
    usual = block("axial", 2)
    assert is_mixed([usual, block("axial", 2, size=(16, 16))])
    assert is_mixed([usual, block("axial", 2, spacing_mm=(0.5, 0.8))])


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal"])
def test_images_the_other_way_round_are_noticed(block: Block, plane: str) -> None:
    slices = block(plane, 3, tilt_deg=20)
    assert not is_unusually_stored([slices])
    middle = slices[1]
    for flipped in (
        replace(middle, along_row=vector3(-np.array(middle.along_row))),
        replace(middle, along_column=vector3(-np.array(middle.along_column))),
    ):
        assert is_unusually_stored([[slices[0], flipped, slices[2]]])


def test_an_axial_slice_along_a_steep_disc_is_stored_as_usual(block: Block) -> None:
    level, steep = block("axial", 3), block("axial", 2, tilt_deg=48)
    assert not is_unusually_stored([level, steep])
    assert not is_unusually_stored([steep])
    turned_over = replace(steep[0], along_column=vector3(-np.array(steep[0].along_column)))
    assert is_unusually_stored([level, [turned_over]])


@pytest.mark.parametrize(
    ("numbers", "crossed"),
    [
        ([[1, 2, 3], [4, 5]], False),
        ([[5, 4, 3], [2, 1]], False),
        ([[1, 3, 2, 4]], True),
        ([[3, 2, 1], [4, 5]], True),
        ([[1, 1, 0]], False),
        ([[7]], False),
    ],
)
def test_numbers_may_run_either_way_but_not_both(numbers: list[list[int]], crossed: bool) -> None:
    assert numbers_cross(numbers) is crossed


def test_series_that_miss_each_other_or_are_tiny_are_apart(block: Block) -> None:
    sagittal = block("sagittal", 9, size=(200, 300))
    axial = block("axial", 9, size=(120, 200))
    assert not fields_are_apart(sagittal, axial)
    assert not fields_are_apart(axial, sagittal)
    assert fields_are_apart(sagittal, [moved(g, 0, 0, 150) for g in axial])
    assert fields_are_apart(sagittal, [moved(g, 100, 0, 0) for g in axial])
    assert fields_are_apart(sagittal, block("axial", 9, size=(20, 20)))


def test_an_image_read_with_rows_and_columns_exchanged_is_noticed() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.indices((96, 64))
    image = 200 + 100 * np.sin(rows / 9) + 100 * np.cos(columns / 7) + rng.normal(0, 20, (96, 64))
    assert not _rows_exchanged(image)
    assert _rows_exchanged(image.reshape(64, 96))
    assert not _rows_exchanged(rng.normal(size=(96, 64)))
