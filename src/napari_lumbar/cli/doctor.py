"""What is installed, what will be used, and whether a window can be opened."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from .. import __version__
from ..domain.errors import BundleError
from .exit_codes import ExitCode

QT_BINDINGS = ("PySide6", "PyQt6", "PyQt5")
WINDOW_TIMEOUT_S = 120

#: Runs in a process of its own: Qt ends the whole process where it finds no display.
WINDOW_PROBE = """
from napari_lumbar.domain.errors import WindowError
from napari_lumbar.widgets.screen import check_screen
try:
    check_screen()
except WindowError as error:
    raise SystemExit(str(error))
import napari
import qtpy
from qtpy.QtWidgets import QApplication
napari.components.ViewerModel()
print(f"{qtpy.API_NAME} {qtpy.QT_VERSION} on {QApplication.instance().platformName()!r}, with OpenGL")
"""


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is well, and what was found."""

    name: str
    well: bool
    found: str


def examine(bundle: Path | None) -> ExitCode:
    """Print every check; fail only if a headless analysis could not run."""
    code = ExitCode.OK
    for check in checks(bundle):
        typer.echo(f"{'ok' if check.well else '--':<3} {check.name:<11} {check.found}")
        if check.name == "bundle" and not check.well:
            code = ExitCode.BUNDLE_BROKEN
    return code


def checks(bundle: Path | None) -> Iterator[Check]:
    """Look at one thing after another; slow ones last."""
    yield Check("version", True, f"napari-lumbar {__version__}, Python {platform.python_version()}")
    yield from (_distribution(name) for name in ("numpy", "pydicom"))
    yield _torch()
    yield _decoders()
    yield _distribution("napari", 'pip install "napari-lumbar[qt]"')
    yield _qt_binding()
    yield _bundle(bundle)
    yield _window()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _distribution(name: str, remedy: str = "") -> Check:
    found = _installed(name)
    return Check(name, found is not None, found or f"not installed: {remedy}")


def _qt_binding() -> Check:
    found = [f"{name} {number}" for name in QT_BINDINGS if (number := _installed(name))]
    if not found:
        return Check("Qt", False, 'no binding installed: pip install "napari-lumbar[qt]"')
    if len(found) > 1:
        return Check("Qt", False, f"{' and '.join(found)}: two bindings break each other, uninstall one")
    return Check("Qt", True, found[0])


def _torch() -> Check:
    import torch

    if not torch.cuda.is_available():
        return Check("torch", True, f"{torch.__version__}, no CUDA device: networks run on the CPU")
    names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return Check("torch", True, f"{torch.__version__}, CUDA {torch.version.cuda}: {names}")


def _decoders() -> Check:
    from pydicom import uid
    from pydicom.pixels.decoders.base import get_decoder

    syntaxes = {
        "RLE": uid.RLELossless,
        "JPEG lossless": uid.JPEGLosslessSV1,
        "JPEG-LS": uid.JPEGLSLossless,
        "JPEG 2000": uid.JPEG2000Lossless,
        "HTJ2K": uid.HTJ2KLossless,
    }
    present = [name for name, syntax in syntaxes.items() if get_decoder(syntax).is_available]
    missing = ", ".join(name for name in syntaxes if name not in present)
    remedy = f"; not {missing}: pip install --upgrade napari-lumbar brings the decoders" if missing else ""
    return Check("decoders", not missing, ", ".join(["uncompressed", *present]) + remedy)


def _bundle(bundle: Path | None) -> Check:
    from ..pipeline import load_system

    try:
        system = load_system(bundle, "auto")
    except BundleError as error:
        return Check("bundle", False, str(error))
    text = f"{system.bundle_name}, verified, sha256 {system.bundle_sha256[:12]}, runs on {system.device}"
    return Check("bundle", True, text)


def _window() -> Check:
    command = [sys.executable, "-c", WINDOW_PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WINDOW_TIMEOUT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Check("window", False, f"gave no answer within {WINDOW_TIMEOUT_S} s")
    if done.returncode == 0:
        return Check("window", True, done.stdout.strip().splitlines()[-1])
    return Check("window", False, _why_no_window(done))


def _why_no_window(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"Qt ended with status {done.returncode}"
