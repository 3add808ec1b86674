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


def test_the_wheel_holds_code_manifest_template_and_weights(wheel_names: set[str]) -> None:
    sources = {f"napari_lumbar/{p.relative_to(PACKAGE).as_posix()}" for p in PACKAGE.rglob("*.py")}
    training = ROOT / "training"
    sources |= {
        f"napari_lumbar/training/{p.relative_to(training).as_posix()}" for p in training.rglob("*.py")
    }
    data = {"napari_lumbar/napari.yaml", "napari_lumbar/py.typed", "napari_lumbar/export/report.html"}
    weights = {f"napari_lumbar/bundles/default/{p.name}" for p in (PACKAGE / "bundles/default").iterdir()}
    assert "napari_lumbar/bundles/default/bundle.json" in weights
    missing = (sources | data | weights) - wheel_names
    assert not missing


def test_the_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel_names} == {"napari_lumbar"}
    assert not [name for name in wheel_names if "test" in Path(name).name.lower()]
    assert not [name for name in wheel_names if name.endswith((".dcm", ".pyc", ".part"))]
