"""Which networks work, and where: the choice, its name for a person, and the folders used lately."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path

from ..domain.errors import BundleError
from ..models.bundle import read_manifest
from ..pipeline import System, load_system
from ..session.files import write_atomically

EMBEDDED = "Embedded"
_MOST = 8


@dataclass(frozen=True)
class SystemChoice:
    """A bundle, None for the embedded one, and the name of a device (``pipeline.device.DEVICES``)."""

    bundle: Path | None = None
    device: str = "auto"

    def load(self) -> System:
        """Load it; raise ``BundleError`` or ``LumbarError`` where that is impossible."""
        return load_system(self.bundle, self.device)


def bundle_name(bundle: Path | None) -> str:
    """What a person calls a bundle; raise ``BundleError`` if the folder is none."""
    if bundle is None:
        return EMBEDDED
    manifest = read_manifest(bundle)
    return f"{manifest.name} ({manifest.recipe}, {manifest.preset})"


class RecentBundles:
    """The folders of bundles used lately, the latest first, in the user's configuration folder.

    Parameters
    ----------
    file
        Where they are kept (default: in the user's configuration folder).
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or user_config_path("napari-lumbar", appauthor=False) / "recent_bundles.json"

    def paths(self) -> tuple[Path, ...]:
        """The folders that still hold a bundle; none if the list cannot be read."""
        try:
            listed = [Path(text) for text in json.loads(self._file.read_text("utf-8"))]
        except (OSError, ValueError, TypeError):
            return ()
        return tuple(path for path in listed if _is_bundle(path))

    def remember(self, bundle: Path) -> None:
        """Put a folder at the head of the list; raise ``OSError`` if it cannot be kept."""
        bundle = bundle.resolve()
        listed = [bundle, *(path for path in self.paths() if path != bundle)][:_MOST]
        write_atomically(self._file, json.dumps([str(path) for path in listed], indent=1) + "\n")


def _is_bundle(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except BundleError:
        return False
    return True
