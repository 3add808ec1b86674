"""What leaves this machine by default: no text typed at the scanner, no name of a file or folder.

UIDs stay, because without them nobody could find the images a result was made from. So do the reader's own
words: their name or pseudonym, and the reason of a grade by hand.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ..domain.findings import Analysis
from ..domain.study import FileAccounting


def pseudonymous(analysis: Analysis) -> Analysis:
    """The analysis with files under pseudonyms and without the series' descriptions.

    A file's pseudonym follows from its path, so that whoever has the folder can tell which it is.
    """
    records = tuple(replace(one, path=file_pseudonym(one.path)) for one in analysis.accounting.records)
    series = tuple(replace(use, description="") for use in analysis.series)
    return replace(analysis, accounting=FileAccounting(records), series=series)


def file_pseudonym(path: str) -> str:
    """``file-`` and eight hexadecimal digits of the SHA-256 of a path relative to the study's folder."""
    return f"file-{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
