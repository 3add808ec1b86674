"""Write a result's four files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ..domain.errors import ExportError
from ..domain.findings import Analysis
from ..domain.study import Study
from .html_report import report_html
from .json_report import analysis_json
from .pseudonyms import pseudonymous
from .rsna_csv import landmarks_csv, submission_csv


def write_results(study: Study, analysis: Analysis, out: Path, identified: bool = False) -> tuple[Path, ...]:
    """Write ``landmarks.csv``, ``submission.csv``, ``analysis.json`` and ``report.html`` into ``out``.

    All four are made before the first is written, and each replaces an older one in a single step.
    Only their owner can read them.

    Parameters
    ----------
    identified
        Keep names of files and descriptions of series, which can lead to a patient.

    Returns
    -------
    tuple of Path
        The files, the report last.

    Raises
    ------
    ExportError
        If ``out`` cannot be made or written to.
    """
    if not identified:
        analysis = pseudonymous(analysis)
    texts = {
        "landmarks.csv": landmarks_csv(study, analysis),
        "submission.csv": submission_csv(analysis),
        "analysis.json": analysis_json(study, analysis),
        "report.html": report_html(study, analysis),
    }
    prepare_folder(out)
    return tuple(_replace(out / name, text) for name, text in texts.items())


def prepare_folder(out: Path) -> None:
    """Make the folder ``out`` and see that files can be made in it, before long work begins.

    Raises
    ------
    ExportError
        If it cannot be made, or nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ExportError(f"cannot write into {out}: {error.strerror}; choose another folder") from error


def _replace(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        # A new file that nobody else can read; a link put in its place is not followed.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            # Surrogates stand for file names that are not UTF-8; a report must not fail over them.
            file.write(text.encode("utf-8", errors="backslashreplace"))
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ExportError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    return path
