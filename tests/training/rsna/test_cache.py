"""Decoded studies: the same as what was read, and what was marked lies where it was marked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.domain.spine import ALL_FINDINGS
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.phantom.write import write_rsna
from napari_lumbar.training.rsna import cache as caching
from napari_lumbar.training.rsna.cache import cache_studies, load_cached
from napari_lumbar.training.rsna.cohort import CachedStudies, Split, load_cohort, prepare_cohort
from napari_lumbar.training.rsna.studies import labelled_phantom, read_labelled
from napari_lumbar.training.rsna.tables import read_tables

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
SEEDS = (3, 4, 5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rsna")
    write_rsna((make_phantom(seed, SMALL) for seed in SEEDS), folder)
    return folder


def silent(_: str) -> None:
    pass


def test_a_cached_study_is_the_phantom_it_was_written_from(root: Path, tmp_path: Path) -> None:
    tables = read_tables(root)
    study_id = make_phantom(SEEDS[0], SMALL).study.study_id
    cache_studies(tables, root, [study_id], tmp_path, say=silent)
    found, truth = load_cached(tmp_path, study_id), labelled_phantom(make_phantom(SEEDS[0], SMALL))
    assert dict(found.severities) == dict(truth.severities)
    assert found.landmarks.points.keys() == truth.landmarks.points.keys()
    for key, landmark in found.landmarks.points.items():
        true = truth.landmarks.points[key]
        assert (landmark.series_id, landmark.slice_index) == (true.series_id, true.slice_index)
        # RSNA's points lie on their slice; a phantom's may lie a little before or behind it.
        geometry = truth.study.by_id(true.series_id).slices[true.slice_index].geometry
        np.testing.assert_allclose(landmark.pixel_rc, geometry.pixel_from_lps(true.point_lps_mm), atol=0.01)
    for series in found.study.series:
        for one, other in zip(series.slices, truth.study.by_id(series.series_id).slices, strict=True):
            assert one.geometry.along_row == pytest.approx(other.geometry.along_row, abs=1e-4)
            assert one.pixels.dtype == np.uint8
            assert np.abs(one.pixels.astype(int) - other.pixels.astype(int)).max() <= 1


def test_a_study_that_is_kept_is_not_decoded_again(root: Path, tmp_path: Path) -> None:
    tables = read_tables(root)
    (study_id,) = tables.studies[:1]
    said: list[str] = []
    for _ in range(2):
        cache_studies(tables, root, [study_id], tmp_path, say=said.append)
    assert said == ["decoded 1 of 1 studies"]


def test_a_study_that_is_not_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(LumbarError, match="study 7 is not in the cache"):
        load_cached(tmp_path, "7")


def test_a_point_on_no_image_is_left_out_and_its_grade_stays(root: Path) -> None:
    tables = read_tables(root)
    (study_id,) = tables.studies[:1]
    tables.points.loc[tables.points["study_id"] == study_id, "instance_number"] += 500
    labelled = read_labelled(tables, root, study_id)
    assert len(labelled.landmarks) == 0
    assert set(labelled.severities) == set(ALL_FINDINGS)


@pytest.fixture
def own(root: Path, tmp_path: Path) -> Path:
    """A study of one's own in RSNA's layout: tables and folders have numbers, the files their own UIDs."""
    (study_id,) = read_tables(root).studies[:1]
    folder = tmp_path / "own"
    shutil.copytree(root / "train_images" / study_id, folder / "train_images" / study_id)
    for table in root.glob("*.csv"):
        shutil.copy(table, folder)
    for path in folder.rglob("*.dcm"):
        file = pydicom.dcmread(path)
        file.StudyInstanceUID = "1.2.826.0.1"
        file.SeriesInstanceUID = f"1.2.826.0.1.7{path.parent.name}"
        file.save_as(path)
    return folder


def test_tables_name_series_by_their_folders_whatever_the_uids_say(root: Path, own: Path) -> None:
    tables = read_tables(root)
    (study_id,) = tables.studies[:1]
    found, truth = (read_labelled(tables, where, study_id) for where in (own, root))
    assert found.study.study_id == study_id
    assert {s.series_id: s.role for s in found.study.series} == {
        s.series_id: s.role for s in truth.study.series
    }
    assert found.landmarks.points == truth.landmarks.points
    assert len(truth.landmarks) == 25


def test_a_study_without_any_series_of_the_tables_is_refused(root: Path, own: Path) -> None:
    (study_id,) = read_tables(root).studies[:1]
    for folder in list((own / "train_images" / study_id).iterdir()):
        folder.rename(folder.with_name(f"9{folder.name}"))
    with pytest.raises(LumbarError, match=r"none of its 3 series .* was found among its images"):
        read_labelled(read_tables(own), own, study_id)


def test_a_cohort_is_divided_once_and_for_all(root: Path, tmp_path: Path) -> None:
    cohort = prepare_cohort(root, tmp_path, tmp_path / "cache", Split(3, 1), 1, silent)
    again = load_cohort(tmp_path, tmp_path / "cache")
    assert dict(again.folds) == dict(cohort.folds)
    assert cohort.n_folds == 3
    for fold in range(3):
        training, held_out = cohort.training(fold), cohort.held_out(fold)
        assert not set(training.study_ids) & set(held_out.study_ids)
        assert len(training) + len(held_out) == len(SEEDS)
    assert isinstance(cohort.training(0), CachedStudies)
    assert (tmp_path / "preflight.json").is_file()


def test_tables_without_images_are_refused(root: Path, tmp_path: Path) -> None:
    for table in root.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    with pytest.raises(LumbarError, match=r"no study of .* has both grades in its tables and images"):
        prepare_cohort(tmp_path, tmp_path, tmp_path / "cache", Split(3, 1), 1, silent)


@pytest.fixture
def data(root: Path, tmp_path: Path) -> Path:
    """A copy of the data that a test may spoil."""
    return shutil.copytree(root, tmp_path / "data")


def images(data: Path, place: int) -> list[Path]:
    """The images of one of the studies."""
    return sorted(sorted((data / "train_images").iterdir())[place].rglob("*.dcm"))


def test_damaged_images_are_named_and_a_few_of_many_are_left_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = images(data, 0)[3]
    damaged.write_bytes(damaged.read_bytes()[:2000])
    (data / "train_images" / "notes.txt").write_text("no image")
    tables = read_tables(data)
    said: list[str] = []
    with pytest.raises(
        LumbarError, match=r"^1 of \d+ images are damaged, more than 0\.1%; the first is .*dcm: "
    ):
        cache_studies(tables, data, tables.studies, tmp_path / "cache", say=said.append)
    (line,) = [one for one in said if one.startswith("left out: ")]
    assert damaged.relative_to(data / "train_images").as_posix() in line
    monkeypatch.setattr(caching, "_DAMAGED_SHARE", 0.1)
    cache_studies(tables, data, tables.studies, tmp_path / "cache", say=said.append)
    assert said.count(line) == 2, "what was decoded before is named again"


def test_a_study_that_cannot_be_read_is_named(data: Path, tmp_path: Path) -> None:
    for image in images(data, 1):
        image.write_bytes(b"")
    tables = read_tables(data)
    with pytest.raises(
        LumbarError, match=rf"study {tables.studies[1]} cannot be read: .* Copy it again, or take"
    ):
        cache_studies(tables, data, tables.studies, tmp_path / "cache", say=silent)


def as_patient(data: Path, places: range, patient: str) -> None:
    for place in places:
        for image in images(data, place):
            dataset = pydicom.dcmread(image)
            dataset.PatientID = patient
            dataset.save_as(image)


def test_two_studies_of_one_patient_stop_a_training(data: Path, tmp_path: Path) -> None:
    as_patient(data, range(2), "ID-4711")
    first, second, _ = read_tables(data).studies
    with pytest.raises(
        LumbarError, match=f"study {second} is of the same patient as study {first}"
    ) as caught:
        prepare_cohort(data, tmp_path, tmp_path / "cache", Split(3, 1), 1, silent)
    problems = json.loads((tmp_path / "preflight.json").read_text())["problems"]
    assert [p["code"] for p in problems] == ["patient_repeated"]
    assert "4711" not in str(caught.value) + str(problems)


def test_one_patient_for_all_is_what_anonymisers_write(data: Path, tmp_path: Path) -> None:
    as_patient(data, range(3), "ANONYMOUS")
    assert prepare_cohort(data, tmp_path, tmp_path / "cache", Split(3, 1), 1, silent).n_folds == 3


def test_a_fold_without_a_severity_is_said(root: Path, tmp_path: Path) -> None:
    for table in root.glob("*.csv"):
        text = table.read_text()
        (tmp_path / table.name).write_text(
            text.replace("Severe", "Moderate") if "train.csv" in str(table) else text
        )
    (tmp_path / "train_images").symlink_to(root / "train_images")
    said: list[str] = []
    prepare_cohort(tmp_path, tmp_path, tmp_path / "cache", Split(3, 1), 1, said.append)
    warned = [line for line in said if line.startswith("warning: fold ")]
    assert len([line for line in warned if "to learn from that is Severe" in line]) == 9
    assert any("held out that is" in line for line in warned)
