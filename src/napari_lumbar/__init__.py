"""Lumbar-spine MR reader for napari, and the same pipeline headless. Research use only."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-lumbar")
except PackageNotFoundError:  # a source tree on the path, never installed
    __version__ = "0+unknown"

RESEARCH_USE_ONLY = "Research use only. Not a medical device; not for diagnosis."
