"""A parametric lumbar MR study with exact truth, from a seed."""

from .config import FrontFat, PhantomConfig
from .make import PhantomStudy, make_phantom
from .severity import (
    READER_SD_GRADES,
    Reading,
    reader_probabilities,
    sample_reading,
    severity_frequencies,
)
from .tissue import Tissue
from .write import write_cohort, write_rsna, write_study

__all__ = [
    "READER_SD_GRADES",
    "FrontFat",
    "PhantomConfig",
    "PhantomStudy",
    "Reading",
    "Tissue",
    "make_phantom",
    "reader_probabilities",
    "sample_reading",
    "severity_frequencies",
    "write_cohort",
    "write_rsna",
    "write_study",
]
