"""A folder of DICOM files in, a ``Study`` out; every file is accounted for."""

from .read import StudyListing, list_studies, read_study

__all__ = ["StudyListing", "list_studies", "read_study"]
