"""Phantoms are deterministic and their truth survives DICOM."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.phantom import (
    PhantomConfig,
    PhantomStudy,
    make_phantom,
    write_cohort,
    write_rsna,
    write_study,
)

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6)
SEED = 11


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(SEED, SMALL)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort")
    write_cohort(out, studies=1, seed=SEED, config=SMALL)
    return out


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_same_seed_gives_the_same_bytes(cohort: Path, tmp_path: Path) -> None:
    write_cohort(tmp_path, studies=1, seed=SEED, config=SMALL)
    files = sorted(p.relative_to(cohort) for p in cohort.rglob("*") if p.is_file())
    assert len(files) > 40
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((cohort / f).read_bytes() == (tmp_path / f).read_bytes() for f in files)


def test_several_processes_write_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    folders = write_cohort(one, studies=2, seed=SEED, config=SMALL)
    assert [f.name for f in write_cohort(two, studies=2, seed=SEED, config=SMALL, jobs=2)] == [
        f.name for f in folders
    ]
    files = [p.relative_to(one) for p in one.rglob("*") if p.is_file()]
    assert all((one / f).read_bytes() == (two / f).read_bytes() for f in files)


def test_other_seed_gives_another_study(phantom: PhantomStudy) -> None:
    other = make_phantom(SEED + 1, SMALL)
    assert other.study.study_id != phantom.study.study_id
    assert other.disc_centres_lps_mm != phantom.disc_centres_lps_mm


def test_coordinates_in_the_table_map_to_the_true_points(phantom: PhantomStudy, cohort: Path) -> None:
    images = cohort / "train_images" / phantom.study.study_id
    rows = _rows(cohort / "train_label_coordinates.csv")
    assert len(rows) == 25
    truth = {(m.key.condition.value, m.key.level.value): m.point_lps_mm for m in phantom.landmarks}
    for row in rows:
        header = pydicom.dcmread(images / row["series_id"] / f"{row['instance_number']}.dcm")
        along_row, along_column = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
        row_mm, column_mm = map(float, header.PixelSpacing)
        point = np.array(header.ImagePositionPatient, float)
        point = point + along_row * column_mm * float(row["x"]) + along_column * row_mm * float(row["y"])
        np.testing.assert_allclose(point, truth[row["condition"], row["level"]], atol=1e-3)


def test_pixels_survive_dicom(phantom: PhantomStudy, cohort: Path) -> None:
    for series in phantom.study.series:
        folder = cohort / "train_images" / phantom.study.study_id / series.series_id
        assert len(list(folder.iterdir())) == len(series.slices)
        for mr_slice in series.slices:
            stored = pydicom.dcmread(folder / f"{mr_slice.instance_number}.dcm")
            np.testing.assert_array_equal(stored.pixel_array, mr_slice.pixels)


def test_grades_table_holds_all_severities(phantom: PhantomStudy, cohort: Path) -> None:
    (row,) = _rows(cohort / "train.csv")
    assert {key.column: s.label for key, s in phantom.severities.items()} == {
        column: label for column, label in row.items() if column != "study_id"
    }


def test_every_finding_is_marked_on_the_series_readers_use(phantom: PhantomStudy) -> None:
    roles = {
        ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
        ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
        ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
    }
    assert set(phantom.landmarks.points) == set(ALL_FINDINGS)
    for mark in phantom.landmarks:
        series = phantom.study.by_id(mark.series_id)
        assert series.role is roles[mark.key.condition.group]
        geometry = series.slices[mark.slice_index].geometry
        assert geometry.contains(mark.pixel_rc)
        assert abs(float(geometry.signed_distance_mm(mark.point_lps_mm))) < 1e-6


def _x(landmarks: Landmarks, key: FindingKey) -> float:
    return landmarks.points[key].point_lps_mm[0]


def test_left_is_the_patients_left(phantom: PhantomStudy) -> None:
    for key in ALL_FINDINGS:
        if key.condition.side is Side.LEFT:
            mirrored = next(
                k
                for k in ALL_FINDINGS
                if k.level is key.level
                and k.condition.group is key.condition.group
                and k.condition.side is Side.RIGHT
            )
            assert _x(phantom.landmarks, key) > _x(phantom.landmarks, mirrored) + 8


def test_slices_run_right_to_left_and_downwards(phantom: PhantomStudy) -> None:
    for series in phantom.study.series:
        centres = series.positions_lps_mm
        if series.role is SeriesRole.AXIAL_T2:
            for stack in series.stacks:
                heights = [s.geometry.centre_lps_mm[2] for s in stack.slices]
                assert heights == sorted(heights, reverse=True)
        else:
            assert (np.diff(centres[:, 0]) > 0).all()


def test_seed_must_number_a_study() -> None:
    with pytest.raises(ValueError, match=r"seed -1 must lie within 0..999999999"):
        make_phantom(-1, SMALL)


def test_compressed_files_hold_the_same_pixels(phantom: PhantomStudy, tmp_path: Path) -> None:
    write_study(phantom, tmp_path / "study", rle=True)
    series = phantom.study.series[0]
    path = tmp_path / "study" / series.series_id / f"{series.slices[0].instance_number}.dcm"
    stored = pydicom.dcmread(path)
    assert stored.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless
    np.testing.assert_array_equal(stored.pixel_array, series.slices[0].pixels)


def test_files_carry_no_hint_of_their_role(phantom: PhantomStudy, cohort: Path) -> None:
    path = next((cohort / "train_images").rglob("1.dcm"))
    header = pydicom.dcmread(path)
    hints = ("Modality", "SeriesDescription", "RepetitionTime", "EchoTime")
    assert not [name for name in hints if name in header]


def test_an_interrupted_write_leaves_no_study(
    phantom: PhantomStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(FileDataset, "save_as", fail)
    with pytest.raises(OSError, match="disk full"):
        write_rsna([phantom], tmp_path)
    assert not (tmp_path / "train_images" / phantom.study.study_id).exists()
    assert not (tmp_path / "train.csv").exists()


def test_a_cohort_needs_a_study(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="studies 0 must be at least 1"):
        write_cohort(tmp_path, studies=0, seed=1)


#: Foramina in front of the canal points in the RSNA tables, mm, where a field of view measures 290 mm.
READERS_IN_FRONT_MM = {
    Level.L1_L2: 0.9,
    Level.L2_L3: 2.3,
    Level.L3_L4: 4.4,
    Level.L4_L5: 9.0,
    Level.L5_S1: 13.0,
}


def test_foramina_are_marked_where_readers_mark_them() -> None:
    marked = [make_phantom(seed, SMALL).landmarks for seed in range(20, 32)]
    for level, in_front_mm in READERS_IN_FRONT_MM.items():
        canal = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
        foramina = [FindingKey(Condition.of(ConditionGroup.FORAMINAL, side), level) for side in Side]
        found = [
            points.points[canal].point_lps_mm[1] - points.points[key].point_lps_mm[1]
            for points in marked
            for key in foramina
            if canal in points.points and key in points.points
        ]
        assert np.mean(found) == pytest.approx(in_front_mm, abs=1.8)
