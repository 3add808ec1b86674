"""A machine that cannot show a window says so, and is not brought down by Qt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_lumbar.cli.exit_codes import ExitCode
from napari_lumbar.widgets.screen import check_screen

OPEN = sys.executable, "-c", "from napari_lumbar.cli import main; main()", "open"


def test_a_screen_with_opengl_is_well(qapp: object) -> None:
    check_screen()


def ended(command: tuple[str, ...], **environment: str) -> tuple[int, str]:
    displays = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY"}
    around = {name: value for name, value in os.environ.items() if name not in displays}
    done = subprocess.run(
        command, env=around | environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stderr


def test_opengl_is_not_asked_for_errors_after_each_call() -> None:
    code = (
        "from napari_lumbar.widgets.screen import spare_gl_checks; spare_gl_checks(); "
        "import OpenGL.GL; from OpenGL import _configflags; print(_configflags.ERROR_CHECKING)"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a display")
def test_without_a_display_a_sentence_is_all_that_comes(tmp_path: Path) -> None:
    code, said = ended((*OPEN, str(tmp_path)))
    assert code == ExitCode.PART_MISSING
    assert said.startswith("error: no display here (DISPLAY is not set); xvfb-run gives")
    assert said.strip().endswith("napari-lumbar analyze")


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="a display without OpenGL is made by xvfb-run")
def test_a_display_without_opengl_is_said_before_napari_draws_on_it(tmp_path: Path) -> None:
    bare = "xvfb-run", "-a", "-s", "-screen 0 800x600x24 -extension GLX"
    code, said = ended((*bare, *OPEN, str(tmp_path)))
    assert code == ExitCode.PART_MISSING
    assert "error: the display of this machine (xcb) has no OpenGL, which napari draws with: install" in said
    assert "Traceback" not in said
