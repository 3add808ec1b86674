"""Whether a window can be opened here: Qt and napari end the whole process where one cannot."""

from __future__ import annotations

import os
import sys

from ..domain.errors import WindowError

_ELSE = "Everything but the window works without it: napari-lumbar analyze"


def spare_gl_checks() -> None:
    """Let PyOpenGL not ask for errors after each of thousands of calls: a fifth of the time of a scroll.

    Takes effect if nothing has loaded OpenGL yet. What is wrong with a shader vispy asks and says itself.
    """
    import OpenGL

    OpenGL.ERROR_CHECKING = False
    OpenGL.ARRAY_SIZE_CHECKING = False


def check_screen() -> None:
    """Make sure that there is a display, and that it can draw with OpenGL, as napari does.

    Raises
    ------
    WindowError
        If there is none; the message says what to install, and what works without.
    """
    # Qt aborts the process where it finds no display, so this is asked before Qt is.
    chosen = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"} & os.environ.keys()
    if sys.platform == "linux" and not chosen:
        raise WindowError(
            f"no display here (DISPLAY is not set); xvfb-run gives a program a virtual one. {_ELSE}"
        )
    from OpenGL import platform
    from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
    from qtpy.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    drawable = context.create() and context.makeCurrent(surface)
    # Where GLX is missing Qt draws by EGL, and PyOpenGL, which napari calls, does not see it and crashes.
    if not (drawable and platform.GetCurrentContext()):
        raise WindowError(
            f"the display of this machine ({app.platformName()}) has no OpenGL, which napari draws with: "
            "install libgl1 and libegl1 or a display driver, or use another remote desktop. "
            f"{_ELSE}"
        )
    context.doneCurrent()
