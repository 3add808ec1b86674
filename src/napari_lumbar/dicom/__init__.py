"""A folder of DICOM files in, a ``Study`` out; every file is accounted for."""

from .naming import pseudonym
from .read import list_studies, read_study
from .studies import StudyListing
from .survey import Survey, survey_folder

__all__ = ["StudyListing", "Survey", "list_studies", "pseudonym", "read_study", "survey_folder"]
