"""A folder, a DICOMDIR or one image leads to the folder that is read; anything else to a sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from napari_lumbar.dicom import common_folder, study_folder
from napari_lumbar.domain.errors import StudyError

DICOM_START = bytes(128) + b"DICM"


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    folder = tmp_path / "Doe^Jane"
    (folder / "IMAGES").mkdir(parents=True)
    for name in ("DICOMDIR", "IMAGES/A", "IMAGES/B"):
        (folder / name).write_bytes(DICOM_START)
    (folder / "README.TXT").write_text("about this disc")
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        archive.writestr("a", "b")
    (folder / "renamed").write_bytes((folder / "study.zip").read_bytes())
    return folder


def test_folder_dicomdir_and_image_lead_to_a_folder(medium: Path) -> None:
    assert study_folder(medium) == medium
    assert study_folder(medium / "DICOMDIR") == medium
    assert study_folder(medium / "IMAGES" / "A") == medium / "IMAGES"
    assert common_folder([medium / "IMAGES" / "A", medium / "IMAGES" / "B"]) == medium / "IMAGES"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("study.zip", "this is an archive, and archives are not read: unpack it"),
        ("renamed", "this is an archive"),
        ("README.TXT", "this file is not DICOM: open the folder of a study, its DICOMDIR"),
        ("absent", "nothing at this place any more: choose the folder where the study lies now"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence_without_a_name(medium: Path, name: str, words: str) -> None:
    with pytest.raises(StudyError, match=words) as caught:
        study_folder(medium / name)
    assert "Doe" not in str(caught.value)


def test_things_of_several_folders_are_not_opened_as_one(medium: Path) -> None:
    with pytest.raises(StudyError, match="these belong to 2 folders: open one folder"):
        common_folder([medium, medium / "IMAGES" / "A"])
    with pytest.raises(StudyError, match="no file or folder on a disk: open one folder"):
        common_folder([])
