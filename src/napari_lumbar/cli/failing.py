"""Expected errors end a command with one clear sentence and its exit status; others keep their traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
