"""From a bundle on disk to a system ready to work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from ..domain.errors import BundleError
from ..models.bundle import Bundle, default_bundle_path, load_bundle
from .device import resolve_device
from .grade import MultistageGrader
from .localise import MultistageLocalizer
from .protocols import Grader, Localizer, System

#: Every recipe that a bundle may come from, with what runs it.
RECIPES: Mapping[str, Callable[[Bundle, torch.device], tuple[Localizer, Grader]]] = {
    "multistage_mil": lambda bundle, device: (
        MultistageLocalizer(bundle, device),
        MultistageGrader(bundle, device),
    ),
}


def load_system(bundle: Path | None = None, device: str = "auto") -> System:
    """Load a bundle, the embedded default one if none is named, onto a device.

    Raises
    ------
    BundleError
        If the bundle is incomplete, altered or of an unknown recipe.
    LumbarError
        If the device is not there.
    """
    place = resolve_device(device)
    loaded = load_bundle(bundle or default_bundle_path())
    recipe = loaded.manifest.recipe
    if recipe not in RECIPES:
        raise BundleError(
            f"bundle {loaded.manifest.name!r} is of recipe {recipe!r}, which is none of {sorted(RECIPES)}"
        )
    localizer, grader = RECIPES[recipe](loaded, place)
    return System(localizer, grader, loaded.manifest.name, loaded.sha256, str(place))
