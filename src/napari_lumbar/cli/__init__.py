"""The command line: everything headless, and the door to the viewer."""

from .app import app, main
from .bundles import bundle_app
from .train import train

__all__ = ["app", "bundle_app", "main", "train"]
