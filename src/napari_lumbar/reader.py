"""napari's way in: a dropped study folder or DICOM file becomes the image layers of the series in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layer_data import LayerData

PathOrPaths = str | list[str]

#: A folder is taken for a study if one of its first files is DICOM; more would make every drop slow.
_PEEKED_FILES = 50
_PREAMBLE_BYTES = 128


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerData]] | None:
    """Return ``read_layers`` if the path is, or the folder soon shows, a DICOM file; else None."""
    return read_layers if any(_is_dicom(file) for file in _first_files(_one(path))) else None


def read_layers(path: PathOrPaths) -> list[LayerData]:
    """Read the study in a folder (of a DICOM file or DICOMDIR: the folder it lies in) as image layers.

    Raises
    ------
    StudyError
        If nothing there can be read as a lumbar MR study, saying why.
    """
    from .dicom import read_study, study_folder
    from .domain.errors import StudyError
    from .layer_data import role_layers

    study = read_study(study_folder(_one(path)))
    layers = role_layers(study)
    if not layers:
        roles = "sagittal T1, sagittal T2 or axial T2"
        raise StudyError(f"{len(study.series)} series were read and none looks like a lumbar {roles}.")
    return layers


def _one(path: PathOrPaths) -> Path:
    """The path, or of several files dropped together the first: they lie in one folder."""
    return Path(path if isinstance(path, str) else path[0])


def _first_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    files = (entry for entry in path.rglob("*") if entry.is_file())
    for _, file in zip(range(_PEEKED_FILES), files, strict=False):
        yield file


def _is_dicom(path: Path) -> bool:
    """Say whether the file has DICOM's preamble (PS3.10, 7.1)."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == b"DICM"
    except OSError:
        return False
