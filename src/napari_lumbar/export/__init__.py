"""Results as files: RSNA tables, JSON with provenance, and a report to look at."""

from .write import prepare_folder, write_results

__all__ = ["prepare_folder", "write_results"]
