"""A parametric lumbar MR study with exact truth, from a seed."""

from .config import PhantomConfig
from .make import PhantomStudy, make_phantom
from .severity import sample_severities, severity_frequencies
from .tissue import Tissue
from .write import write_cohort, write_rsna, write_study

__all__ = [
    "PhantomConfig",
    "PhantomStudy",
    "Tissue",
    "make_phantom",
    "sample_severities",
    "severity_frequencies",
    "write_cohort",
    "write_rsna",
    "write_study",
]
