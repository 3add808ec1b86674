"""What is installed is what lies in the tree: packages, manifest, weights; and no tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "napari_lumbar"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a wheel from a copy, so that the tree gets no build folder, and list its files."""
    copy, out = tmp_path_factory.mktemp("copy") / "tree", tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "dist", "*.egg-info", "demo-report", "runs"
    )
    shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def packages_in(folder: Path, name: str) -> set[str]:
    found = {init.parent.relative_to(folder) for init in folder.rglob("__init__.py")}
    return {".".join((name, *path.parts)) for path in found}


def files_below(folder: Path) -> list[Path]:
    """Every file but bytecode; the link to the training folder is not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return [path for path in files if "training" not in path.relative_to(folder).parts]


def test_every_package_is_listed(project: dict[str, Any]) -> None:
    found = packages_in(PACKAGE, "napari_lumbar") | packages_in(ROOT / "training", "napari_lumbar.training")
    assert project["tool"]["setuptools"]["packages"] == sorted(found)


def test_the_manifest_on_top_is_the_packaged_one() -> None:
    on_top = (ROOT / "napari.yaml").read_bytes()
    assert on_top == (PACKAGE / "napari.yaml").read_bytes()
    assert on_top.startswith(b"name: napari-lumbar\n")


def test_napari_finds_the_manifest() -> None:
    (entry,) = entry_points(group="napari.manifest", name="napari-lumbar")
    assert entry.value == "napari_lumbar:napari.yaml"


def test_the_wheel_holds_all_code_data_and_weights(wheel_names: set[str]) -> None:
    training = ROOT / "training"
    expected = {f"napari_lumbar/{path.relative_to(PACKAGE).as_posix()}" for path in files_below(PACKAGE)}
    expected |= {
        f"napari_lumbar/training/{p.relative_to(training).as_posix()}" for p in files_below(training)
    }
    named = {"cli/app.py", "napari.yaml", "py.typed", "export/report.html", "bundles/default/bundle.json"}
    assert {f"napari_lumbar/{name}" for name in named} <= expected
    assert not expected - wheel_names


def test_the_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel_names} == {"napari_lumbar"}
    assert not [name for name in wheel_names if "test" in Path(name).name.lower()]
    assert not [name for name in wheel_names if name.endswith((".dcm", ".pyc", ".part"))]
