"""The command line: everything headless, and the door to the viewer."""

from .app import app, main

__all__ = ["app", "main"]
