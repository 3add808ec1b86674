"""Expected errors end a command with one clear sentence and its exit status; of others, their place."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from ..domain.errors import Cancelled, LumbarError
from .exit_codes import ExitCode

#: The extra that brings a module which a base install lacks.
_EXTRA_OF_MODULE = {
    "napari": "qt",
    "qtpy": "qt",
    "magicgui": "gui",
    "superqt": "gui",
    **dict.fromkeys(("iterstrat", "lightning", "matplotlib", "pandas", "sklearn", "threadpoolctl"), "train"),
}


#: Set in the environment, an error that nobody foresaw keeps its message and its whole traceback.
FULL_TRACEBACK = "NAPARI_LUMBAR_TRACEBACK"


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn errors that a person can act on into a sentence on standard error and an exit status."""
    try:
        yield
    except (KeyboardInterrupt, Cancelled) as error:
        raise _ended(error, "cancelled; no result was changed") from None
    except LumbarError as error:
        raise _ended(error, f"error: {error}") from None
    except ImportError as error:
        sentence = missing_part(error)
        if sentence is None:
            raise
        raise _ended(error, sentence) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        if os.environ.get(FULL_TRACEBACK):
            raise
        raise _ended(error, unexpected(error)) from None


def unexpected(error: Exception) -> str:
    """Where an error came from, without its message: that may hold names of patients, files or folders."""
    frames = [
        f"  {Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    how = f"(its message may name a patient and is not shown; {FULL_TRACEBACK}=1 shows it)"
    return "\n".join([f"error that nobody foresaw: {type(error).__name__} {how}", *frames])


def missing_part(error: ImportError) -> str | None:
    """Return what to install, or None if the module is none that an extra brings."""
    module = (error.name or "").split(".")[0]
    if not module and type(error).__module__.startswith("qtpy"):
        module = "qtpy"  # installed, but without any Qt binding under it
    extra = _EXTRA_OF_MODULE.get(module)
    if extra is None:
        return None
    return f'error: this needs {module}, which is not installed: pip install "napari-lumbar[{extra}]"'


def _ended(error: BaseException, sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(ExitCode.of(error))
