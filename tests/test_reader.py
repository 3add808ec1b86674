"""The reader takes what looks like DICOM, says no to the rest, and the manifest leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_lumbar import reader
from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.study import Study

DICOM_START = bytes(128) + b"DICM"


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    series = tmp_path / "study" / "series"
    series.mkdir(parents=True)
    (series / "image-without-extension").write_bytes(DICOM_START)
    return tmp_path / "study"


def test_a_folder_with_dicom_below_it_is_taken(study_folder: Path) -> None:
    assert reader.get_reader(str(study_folder)) is reader.read_layers


def test_a_dicom_file_is_taken_alone_or_among_others(study_folder: Path) -> None:
    file = str(study_folder / "series" / "image-without-extension")
    assert reader.get_reader(file) is reader.read_layers
    assert reader.get_reader([file, "other"]) is reader.read_layers


@pytest.mark.parametrize("content", [b"", b"DICM", bytes(131), b"\x89PNG" + bytes(200)])
def test_other_files_are_left_to_others(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "picture.dcm").write_bytes(content)
    assert reader.get_reader(str(tmp_path)) is None
    assert reader.get_reader(str(tmp_path / "picture.dcm")) is None
    assert reader.get_reader(str(tmp_path / "absent")) is None


def test_a_file_stands_for_its_folder(
    study_folder: Path, small_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def read_study(folder: Path) -> Study:
        asked.append(folder)
        return small_study

    monkeypatch.setattr("napari_lumbar.dicom.read_study", read_study, raising=False)
    file = study_folder / "series" / "image-without-extension"
    for path in (file, study_folder):
        layers = reader.read_layers(str(path))
        assert [kind for _, _, kind in layers] == ["image"] * 3
    assert asked == [file.parent, study_folder]


def test_a_study_without_lumbar_roles_is_refused_with_the_reason(
    small_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = small_study
    for series in small_study.series:
        bare = bare.assigning(series.series_id, None)
    monkeypatch.setattr("napari_lumbar.dicom.read_study", lambda _: bare, raising=False)
    with pytest.raises(StudyError, match="3 series were read and none looks like a lumbar sagittal T1"):
        reader.read_layers(str(tmp_path))


def test_the_manifest_is_valid_and_offers_everything() -> None:
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-lumbar")
    manifest.validate_imports()
    contributions = manifest.contributions
    assert contributions.readers is not None
    assert contributions.readers[0].accepts_directories
    assert [w.display_name for w in contributions.widgets or []] == ["Lumbar reader"]
    assert [s.key for s in contributions.sample_data or []] == ["phantom"]
