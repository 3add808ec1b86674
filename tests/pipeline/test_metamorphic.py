"""What must not change a finding, and what must exchange left and right: from DICOM files to grades.

Files are written, changed as another archive or scanner would, read again, and analysed by the bundle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from napari_lumbar.dicom import read_study
from napari_lumbar.domain.findings import Analysis
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey
from napari_lumbar.domain.study import MRSeries, SeriesRole, SliceStack, Study
from napari_lumbar.phantom import PhantomConfig, make_phantom, write_study
from napari_lumbar.pipeline import System, load_system
from napari_lumbar.pipeline.run import analyze
from napari_lumbar.preprocess.canonical import canonical_series

SMALL = PhantomConfig(sagittal_matrices=(192,), axial_matrices=(192,), voxel_mm=1.2, transitional="none")
#: All 25 landmarks are found, so that all are compared.
SEED = 2_000_001
#: The networks reach as far, and no more is needed.
SAGITTAL_SLICES, AXIAL_SLICES = 11, 3
LANDMARK_MM, PROBABILITY = 1e-3, 1e-5

Change = Callable[[Dataset, int], None]


def fewer(series: MRSeries) -> MRSeries:
    """The middle slices of each stack: as many as the landmarks need."""
    count = AXIAL_SLICES if series.role is SeriesRole.AXIAL_T2 else SAGITTAL_SLICES
    stacks = []
    for stack in series.stacks:
        first = max(0, (len(stack.slices) - count) // 2)
        stacks.append(SliceStack(stack.slices[first : first + count]))
    return replace(series, stacks=tuple(stacks))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    phantom = make_phantom(SEED, SMALL)
    small = replace(phantom.study, series=tuple(map(fewer, phantom.study.series)))
    folder = tmp_path_factory.mktemp("dicom") / phantom.study.study_id
    write_study(replace(phantom, study=small), folder)
    return folder


@pytest.fixture(scope="module")
def system() -> System:
    return load_system(None, "cpu")


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return read_study(folder)


@pytest.fixture(scope="module")
def analysis(study: Study, system: System) -> Analysis:
    return analyze(study, system)


def changed(folder: Path, out: Path, change: Change, rename: bool = False) -> Study:
    """Write the study anew, every file changed, and read it."""
    names = sorted(p.relative_to(folder) for p in folder.rglob("*.dcm"))
    places = np.random.default_rng(1).permutation(len(names))
    for place, name in zip(places, names, strict=True):
        dataset = dcmread(folder / name)
        change(dataset, int(place))
        path = out / (f"{place:03d}" if rename else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path)
    return read_study(out)


def unchanged(_: Dataset, __: int) -> None:
    pass


def renumbered(dataset: Dataset, place: int) -> None:
    dataset.InstanceNumber = place + 1


def positioned(dataset: Dataset, place: int) -> None:
    dataset.PatientPosition = ("HFP", "FFS", "FFDL", "HFDR")[place % 4]


def compressed(dataset: Dataset, _: int) -> None:
    dataset.compress(RLELossless, generate_instance_uid=False)


def rows_reversed(dataset: Dataset, _: int) -> None:
    restored(dataset, lambda image: image[::-1], moves=(1, 0), signs=(1, -1))


def columns_reversed(dataset: Dataset, _: int) -> None:
    restored(dataset, lambda image: image[:, ::-1], moves=(0, 1), signs=(-1, 1))


def turned_half(dataset: Dataset, _: int) -> None:
    restored(dataset, lambda image: image[::-1, ::-1], moves=(1, 1), signs=(-1, -1))


def restored(
    dataset: Dataset,
    turn: Callable[[np.ndarray], np.ndarray],
    moves: tuple[int, int],
    signs: tuple[int, int],
) -> None:
    """Store the same anatomy another way round: pixels, position and axes together."""
    row, column = np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3)
    between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
    corner = np.array(dataset.ImagePositionPatient, dtype=float)
    corner += moves[0] * column * between_rows * (dataset.Rows - 1)
    corner += moves[1] * row * between_columns * (dataset.Columns - 1)
    dataset.ImagePositionPatient = [f"{v:.10g}" for v in corner]
    dataset.ImageOrientationPatient = [f"{v:.9g}" for v in (*(signs[0] * row), *(signs[1] * column))]
    dataset.PixelData = np.ascontiguousarray(turn(dataset.pixel_array)).tobytes()
    dataset["PixelData"].VR = "OW"


def transposed(dataset: Dataset, _: int) -> None:
    axes = list(dataset.ImageOrientationPatient)
    image = np.ascontiguousarray(dataset.pixel_array.T)
    dataset.ImageOrientationPatient = axes[3:] + axes[:3]
    dataset.PixelSpacing = list(dataset.PixelSpacing)[::-1]
    dataset.Rows, dataset.Columns = image.shape
    dataset.PixelData = image.tobytes()
    dataset["PixelData"].VR = "OW"


def everything(dataset: Dataset, place: int) -> None:
    columns_reversed(dataset, place)
    transposed(dataset, place)
    renumbered(dataset, place)
    positioned(dataset, place)
    compressed(dataset, place)


SAME = {
    "files renamed and in one folder": (unchanged, True),
    "numbers shuffled": (renumbered, False),
    "patient positions": (positioned, False),
    "compressed without loss": (compressed, False),
    "rows stored the other way round": (rows_reversed, False),
    "columns stored the other way round": (columns_reversed, False),
    "stored upside down": (turned_half, False),
    "rows and columns exchanged": (transposed, False),
    "all of these": (everything, True),
}


@pytest.mark.parametrize("name", SAME)
def test_what_networks_see_does_not_depend_on_how_it_is_stored(
    study: Study, folder: Path, tmp_path: Path, name: str
) -> None:
    change, rename = SAME[name]
    other = changed(folder, tmp_path / "study", change, rename)
    assert [s.role for s in other.series] == [s.role for s in study.series]
    for one, two in zip(study.series, other.series, strict=True):
        seen, again = canonical_series(one), canonical_series(two)
        assert [len(s.slices) for s in seen.stacks] == [len(s.slices) for s in again.stacks]
        for first, second in zip(seen.slices, again.slices, strict=True):
            assert first.sop_instance_uid == second.sop_instance_uid
            np.testing.assert_array_equal(first.pixels, second.pixels)
            corners = [[0, 0], first.pixels.shape]
            here, there = (s.geometry.lps_from_pixel(corners) for s in (first, second))
            np.testing.assert_allclose(here, there, atol=1e-5)


def mirrored(dataset: Dataset, _: int) -> None:
    """The mirror image of the patient: sides change places, head and back stay."""
    flip = np.array([-1.0, 1, 1])
    position = np.array(dataset.ImagePositionPatient, dtype=float) * flip
    axes = np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3) * flip
    dataset.ImagePositionPatient = [f"{v:.10g}" for v in position]
    dataset.ImageOrientationPatient = [f"{v:.9g}" for v in axes.ravel()]


def opposite(key: FindingKey) -> FindingKey:
    side = key.condition.side
    return key if side is None else FindingKey(Condition.of(key.condition.group, side.opposite), key.level)


def assert_alike(one: Analysis, other: Analysis, in_mirror: bool = False) -> None:
    signs = (-1, 1, 1) if in_mirror else (1, 1, 1)
    for key in ALL_FINDINGS:
        first, second = one.findings[key], other.findings[opposite(key) if in_mirror else key]
        assert first.landmark is not None, key.text
        assert second.landmark is not None, key.text
        assert first.probs is not None
        assert second.probs is not None
        there = np.multiply(second.landmark.point_lps_mm, signs)
        np.testing.assert_allclose(first.landmark.point_lps_mm, there, atol=LANDMARK_MM, err_msg=key.text)
        np.testing.assert_allclose(
            first.probs.as_tuple, second.probs.as_tuple, atol=PROBABILITY, err_msg=key.text
        )


def test_findings_do_not_depend_on_how_images_are_stored(
    analysis: Analysis, system: System, folder: Path, tmp_path: Path
) -> None:
    other = analyze(changed(folder, tmp_path / "study", everything, rename=True), system)
    assert_alike(analysis, other)


def test_the_mirror_image_of_a_patient_gets_the_mirrored_findings(
    analysis: Analysis, system: System, folder: Path, tmp_path: Path
) -> None:
    other = analyze(changed(folder, tmp_path / "study", mirrored), system)
    assert_alike(analysis, other, in_mirror=True)
    one_sided = [key for key in ALL_FINDINGS if key.condition.side is not None]
    differing = [analysis.findings[k].probs != analysis.findings[opposite(k)].probs for k in one_sided]
    assert any(differing)  # a symmetric patient would prove nothing
