"""A folder of DICOM files in, a ``Study`` out; every file is accounted for.

Public names are imported when they are asked for: the process that decodes needs none of them, and starts a
third sooner without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .read import list_studies, read_study
    from .source import common_folder, study_folder
    from .studies import SeveralStudiesError, StudyListing
    from .survey import Survey, survey_folder

__all__ = [
    "SeveralStudiesError",
    "StudyListing",
    "Survey",
    "common_folder",
    "list_studies",
    "read_study",
    "study_folder",
    "survey_folder",
]

_HOMES = {
    "SeveralStudiesError": "studies",
    "StudyListing": "studies",
    "Survey": "survey",
    "common_folder": "source",
    "list_studies": "read",
    "read_study": "read",
    "study_folder": "source",
    "survey_folder": "survey",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
