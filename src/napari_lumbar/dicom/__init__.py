"""A folder of DICOM files in, a ``Study`` out; every file is accounted for."""

from .naming import pseudonym
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
    "pseudonym",
    "read_study",
    "study_folder",
    "survey_folder",
]
