"""The real RSNA 2024 study that has a reader's points and grades, scored by the data's own program.

The program (``score_study.py``) lies with the data and knows nothing of this project: it reads the files
that ``analyze`` writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ...dicom import read_study
from ...domain.errors import LumbarError
from ...export import write_results
from ...pipeline import System
from ...pipeline.run import analyze
from .phantom_figures import GROUP_NAMES
from .schema import Figure, FigureMaker

#: Key of the program's answer, a person's name, unit.
_PLAIN = (
    ("slices_off_max", "most slices off"),
    ("other_series", "landmarks on another series than the reader's"),
    ("wrong_level", "landmarks at another level"),
    ("wrong_side", "landmarks on the other side"),
    ("weighted_log_loss", "weighted log loss"),
)


def rsna_figures(system: System, root: Path, program: Path, make: FigureMaker) -> list[Figure]:
    """Analyse the first study under ``root/train_images`` and collect the program's figures.

    Raises
    ------
    LumbarError
        If the study or the program is not there, or the program fails.
    """
    folders = sorted(path for path in root.glob("train_images/*") if path.is_dir())
    if not folders or not program.is_file():
        raise LumbarError(f"needs a study under {root / 'train_images'} and {program}; set LUMBAR_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        study = read_study(folders[0])
        write_results(study, analyze(study, system), Path(scratch))
        return score_figures(_score(program, folders[0], root, Path(scratch)), make)


def _score(program: Path, study: Path, root: Path, result: Path) -> dict[str, Any]:
    tables = "--coordinates", root / "train_label_coordinates.csv", "--grades", root / "train.csv"
    command = [sys.executable, program, "--dicom", study, "--result", result, *tables]
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise LumbarError(f"{program.name} failed: {ended.stderr.strip()[-300:]}")
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def score_figures(score: dict[str, Any], make: FigureMaker) -> list[Figure]:
    """The program's answer as figures: one patient, so without intervals."""
    figures = []
    for group, name in GROUP_NAMES.items():
        answer = score.get(group.value, {})
        for distance, words in (("mm", "landmark error"), ("in_plane_mm", "within the reader's plane")):
            for part, value in answer.get(distance, {}).items():
                figures.append(make(f"{name}/{distance}_{part}", f"{words}, {part}", value, 1, "mm"))
        for key, what in _PLAIN:
            if answer.get(key) is not None:
                figures.append(make(f"{name}/{key}", what, float(answer[key]), 1))
        if "accuracy" in answer:
            right, graded = map(int, answer["accuracy"].split("/"))
            figures.append(make(f"{name}/accuracy", f"grades right, of {graded}", right / graded, 1))
        counts = {key: float(len(answer.get(key, ()))) for key in ("missing", "ungraded")}
        figures += [make(f"{name}/{key}", key, count, 1) for key, count in counts.items()]
    return figures
