"""Rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "training").rglob("*.py")])
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

#: Names in which "instance" is DICOM's or Python's; the papers' "MIL instance" is a crop here.
INSTANCE_NAMES = {
    "isinstance",
    "instance_number",
    "instance_numbers",
    "sop_instance_uid",
    "InstanceNumber",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "MediaStorageSOPInstanceUID",
    "generate_instance_uid",  # pydicom's argument
}
#: Qt's word for its one application.
QT_NAMES = {"instance"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value


def body_lines(function: Function) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno:
        total -= first.end_lineno - first.lineno + 1
    return total


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_check() -> None:
    names = {relative(path) for path in SOURCES}
    assert {"src/napari_lumbar/domain/geometry.py", "training/__init__.py"} <= names
    assert not any(name.startswith("src/napari_lumbar/training/") for name in names), "counted twice"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_FILE_LINES, "split the file"
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, Function)]
    long = {f.name: body_lines(f) for f in functions if body_lines(f) > MAX_FUNCTION_LINES}
    assert not long, f"functions over {MAX_FUNCTION_LINES} lines: {long}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_crop_is_never_called_an_instance(path: Path) -> None:
    names = set(identifiers(ast.parse(path.read_text("utf-8"))))
    allowed = INSTANCE_NAMES | (QT_NAMES if "widgets" in path.parts else set())
    wrong = {name for name in names if "instance" in name.lower()} - allowed
    assert not wrong, f"{sorted(wrong)}: say crop, or use DICOM's own attribute name"


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import napari_lumbar", {"torch", "napari", "qtpy", "numpy", "pydicom"}),
        ("import napari_lumbar.reader", {"torch", "napari", "qtpy", "pydicom"}),
        ("import napari_lumbar.sample_data", {"torch", "napari", "qtpy", "pydicom"}),
        ("import napari_lumbar.cli", {"torch", "napari", "qtpy", "pydicom"}),
        ("import napari_lumbar.domain.study, napari_lumbar.layer_data", {"torch", "napari", "qtpy"}),
        ("import napari_lumbar.export", {"torch", "napari", "qtpy", "pydicom"}),
        ("import napari_lumbar.dicom, napari_lumbar.phantom", {"torch", "napari", "qtpy"}),
    ],
)
def test_what_an_import_leaves_unloaded(statement: str, unloaded: set[str]) -> None:
    code = f"import sys; {statement}; print(*({unloaded!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
