"""Five hundred simulated axial series: every slice ends in its stack, in its place, on its millimetre.

A series is drawn as scanners plan it: stacks of parallel slices, each tilted along its disc and moved to it,
sometimes crossing each other, sometimes several of one tilt, sometimes with a slice lost. It goes through the
headers' own text and the reading of headers, in any order and with any numbers. A failure names its seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from napari_lumbar.dicom.arrange import arranged
from napari_lumbar.dicom.assemble import LoadedSlice, series_without_role
from napari_lumbar.dicom.complaint import Complaint
from napari_lumbar.dicom.headers import SliceHeader, read_headers
from napari_lumbar.dicom.opening import Opened, PixelPlace
from napari_lumbar.domain.geometry import FloatArray, SliceGeometry, vector3
from napari_lumbar.domain.study import MRSeries

N_SERIES, PER_TEST = 500, 50
CORNER_TOLERANCE_MM = 0.01
#: No pixel is looked at.
PIXELS = np.zeros((1, 1), np.float32)


@dataclass(frozen=True)
class Plan:
    """What all stacks of a series share."""

    step_mm: float
    spacing_mm: tuple[float, float]
    size: tuple[int, int]
    turn_deg: tuple[float, float]


def turned(angles_deg: tuple[float, float, float]) -> FloatArray:
    """Rotation about x, then y, then z, shape (3, 3)."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(angles_deg)):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one = np.eye(3)
        one[[i, j], [i, j]] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        matrix = one @ matrix
    return matrix


def stack(plan: Plan, centre: FloatArray, tilt_deg: float, count: int) -> list[SliceGeometry]:
    """Parallel slices from the head to the feet, their middle at ``centre``."""
    row, column, normal = turned((tilt_deg, *plan.turn_deg)).T
    half = (
        row * plan.spacing_mm[1] * (plan.size[1] - 1) / 2
        + column * plan.spacing_mm[0] * (plan.size[0] - 1) / 2
    )
    return [
        SliceGeometry(
            vector3(centre - normal * plan.step_mm * (i - (count - 1) / 2) - half),
            vector3(row),
            vector3(column),
            *plan.spacing_mm,
            *plan.size,
        )
        for i in range(count)
    ]


def tilts_deg(rng: np.random.Generator, count: int) -> list[float]:
    """Tilts of 0 to 35 degrees, growing downwards; some neighbours are alike, the others differ clearly."""
    steps = np.where(rng.uniform(size=count) < 0.25, 0.0, rng.uniform(1.0, 9.0, count))
    return list(np.minimum(rng.uniform(0, 8) + np.cumsum(steps), 35.0))


def simulated(seed: int) -> list[list[SliceGeometry]]:
    """Stacks of one series from the head to the feet, the slices of each from the head to the feet."""
    rng = np.random.default_rng(seed)
    size = tuple(int(n) for n in rng.choice((256, 320, 384), 2))
    spacing = tuple(float(v) for v in rng.uniform(0.4, 0.9, 2).round(4))
    turn = (float(rng.normal(0, 3)), float(rng.normal(0, 3)))
    plan = Plan(float(rng.uniform(3.3, 5.0)), (spacing[0], spacing[1]), (size[0], size[1]), turn)
    crossing = rng.uniform() < 0.3
    tilts = tilts_deg(rng, int(rng.integers(1, 7)))
    centre = np.array([rng.normal(0, 8), rng.normal(0, 20), rng.uniform(0, 120)])
    stacks: list[list[SliceGeometry]] = []
    for i, tilt in enumerate(tilts):
        alike = i > 0 and tilt == tilts[i - 1]
        # One slice beside another of its tilt is a stack of two: nobody could tell.
        fewest = 2 if alike or tilts.count(tilt) > 1 else 1
        count = int(rng.integers(fewest, 8))
        if i:
            reach = plan.step_mm * (len(stacks[-1]) + count - 2) / 2
            apart = rng.uniform(6, 14) if crossing and not alike else reach + rng.uniform(12, 20)
            centre = centre + np.array([rng.normal(0, 5), rng.normal(0, 6), -apart])
        slices = stack(plan, centre, tilt, count)
        if count >= 5 and rng.uniform() < 0.3:
            del slices[int(rng.integers(1, count - 1))]
        stacks.append(slices)
    return sorted(stacks, key=lambda one: -np.mean([g.centre_lps_mm[2] for g in one]))


def common_header(geometry: SliceGeometry) -> Dataset:
    """What all slices of a series say alike."""
    dataset = Dataset()
    dataset.Modality, dataset.SOPClassUID = "MR", MRImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.PixelSpacing = list(geometry.spacing_rc_mm)
    dataset.Rows, dataset.Columns, dataset.BitsAllocated = geometry.rows, geometry.columns, 16
    return dataset


def header(common: Dataset, number: int, geometry: SliceGeometry, name: str, uid: str) -> SliceHeader:
    """What is read of a slice whose geometry was written in decimal strings of a scanner's precision."""
    dataset = Dataset()
    dataset.update(common)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPInstanceUID, dataset.InstanceNumber = uid, number
    dataset.ImagePositionPatient = [f"{v:.6f}" for v in geometry.position_lps_mm]
    dataset.ImageOrientationPatient = [f"{v:.7f}" for v in (*geometry.along_row, *geometry.along_column)]
    n_bytes = 2 * geometry.rows * geometry.columns
    read = read_headers(Opened(dataset, PixelPlace(n_bytes, n_bytes)), name)
    assert not isinstance(read, Complaint), read
    return read.slices[0]


def read_back(seed: int, stacks: list[list[SliceGeometry]]) -> tuple[MRSeries, dict[str, SliceGeometry]]:
    """The series as it is read, and the true geometry of each slice by its UID."""
    rng = np.random.default_rng((seed, 1))
    slices = [g for one in stacks for g in one]
    uids = [f"1.2.3.4.{n}" for n in rng.permutation(1000)[: len(slices)]]
    names = [f"{n}.dcm" for n in rng.permutation(1000)[: len(slices)]]
    common = common_header(slices[0])
    headers = [
        header(common, int(rng.integers(1, 500)), g, name, uid)
        for g, name, uid in zip(slices, names, uids, strict=True)
    ]
    plan = arranged([headers[i] for i in rng.permutation(len(headers))])
    assert not plan.left_out
    (group,) = plan.groups
    series = series_without_role([LoadedSlice(h, PIXELS) for h in group.headers], group.series_id)
    return series, dict(zip(uids, slices, strict=True))


def corner_error_mm(read: SliceGeometry, truth: SliceGeometry) -> float:
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * (truth.rows - 1, truth.columns - 1)
    apart = read.lps_from_pixel(corners) - truth.lps_from_pixel(corners)
    return float(np.linalg.norm(apart, axis=1).max())


@pytest.mark.parametrize("first", range(0, N_SERIES, PER_TEST))
def test_every_slice_of_a_simulated_series_ends_in_its_stack_and_place(first: int) -> None:
    for seed in range(first, first + PER_TEST):
        stacks = simulated(seed)
        series, truth = read_back(seed, stacks)
        read = [[truth[s.sop_instance_uid] for s in one.slices] for one in series.stacks]
        assert read == stacks, f"seed {seed}: stacks of {[len(s) for s in stacks]} slices"
        worst = max(corner_error_mm(s.geometry, truth[s.sop_instance_uid]) for s in series.slices)
        assert worst <= CORNER_TOLERANCE_MM, f"seed {seed}: a corner is {worst:.4f} mm off"


def test_the_simulation_holds_what_lumbar_series_do() -> None:
    """The proof is worth what the simulation is worth."""
    drawn = [simulated(seed) for seed in range(N_SERIES)]
    assert {len(stacks) for stacks in drawn} == set(range(1, 7))
    assert {len(one) for stacks in drawn for one in stacks} == set(range(1, 8))
    heights = [
        [(max(g.centre_lps_mm[2] for g in one), min(g.centre_lps_mm[2] for g in one)) for one in stacks]
        for stacks in drawn
    ]
    crossing = [any(b[0] > a[1] for a, b in pairwise(h)) for h in heights]
    assert 0.05 < np.mean(crossing) < 0.6
    tilts = [np.degrees(np.arccos(one[0].normal[2])) for stacks in drawn for one in stacks]
    assert min(tilts) < 3
    assert max(tilts) > 33
