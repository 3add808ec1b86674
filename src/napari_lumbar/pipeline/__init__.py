"""Study in, analysis out: headless, no Qt, no files but the bundle's."""

from .protocols import Grader, Localizer, System
from .system import load_system

__all__ = ["Grader", "Localizer", "System", "load_system"]
