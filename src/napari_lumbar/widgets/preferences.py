"""What a person set in napari's preferences; the only place that reads them.

Nothing below the window knows of them: the command line has its own options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.settings import get_plugin_settings

from ..pipeline.device import DEVICES
from .reading import REGRADE_DELAY_MS

PLUGIN_NAME = "napari-lumbar"
_LONGEST_DELAY_MS = 10_000


@dataclass(frozen=True)
class Preferences:
    """How this person works; the defaults are those of the manifest.

    Parameters
    ----------
    reader
        Name or pseudonym; empty if none was given.
    session_folder, bundle_folder
        None for the user's data folder, and for the weights that come with the package.
    device
        One of ``DEVICES``.
    regrade_delay_ms
        How long after an edit stale findings are graded again.
    problems
        A sentence for each setting that cannot be used and was left out.
    """

    reader: str = ""
    session_folder: Path | None = None
    bundle_folder: Path | None = None
    device: str = "auto"
    regrade_delay_ms: int = REGRADE_DELAY_MS
    problems: tuple[str, ...] = ()


def read_preferences() -> Preferences:
    """Return the preferences; the defaults where napari does not know this plugin."""
    try:
        settings = get_plugin_settings(PLUGIN_NAME)
    except KeyError:
        return Preferences()
    reading, computing = settings.reading, settings.computing
    return preferences_from(
        {
            "reader": reading.reader_name,
            "session_folder": reading.session_folder,
            "device": computing.device,
            "bundle_folder": computing.bundle_folder,
            "regrade_delay_ms": computing.regrade_delay_ms,
        }
    )


def preferences_from(given: dict[str, Any]) -> Preferences:
    """Return the preferences that ``given`` states, by the names of the fields.

    What cannot be used falls back to its default and is told in ``problems``.
    """
    problems: list[str] = []
    bundle = _folder(given["bundle_folder"])
    if bundle is not None and not bundle.is_dir():
        problems.append(f"The folder of weights {bundle} is not there; the weights of the package are used.")
        bundle = None
    sessions = _folder(given["session_folder"])
    if sessions is not None and not sessions.is_absolute():
        problems.append(f"The session folder {sessions} is no full path; the usual folder is used.")
        sessions = None
    device = str(given["device"])
    if device not in DEVICES:
        problems.append(f"The device {device!r} is none of {', '.join(DEVICES)}; 'auto' is used.")
        device = Preferences.device
    delay = int(given["regrade_delay_ms"])
    return Preferences(
        reader=str(given["reader"]).strip(),
        session_folder=sessions,
        bundle_folder=bundle,
        device=device,
        regrade_delay_ms=min(max(delay, 0), _LONGEST_DELAY_MS),
        problems=tuple(problems),
    )


def _folder(text: object) -> Path | None:
    written = str(text).strip()
    return Path(written).expanduser() if written else None
