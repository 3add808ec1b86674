"""From a bundle on disk to a system ready to work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from ..domain.errors import BundleError
from ..models.bundle import Bundle, default_bundle_path, load_bundle
from .device import resolve_device
from .grade import MultistageGrader
from .localise import MultistageLocalizer
from .protocols import Grader, Localizer, System

Members = Mapping[str, Sequence[str]]

#: Every recipe that a bundle may come from, with what runs it.
RECIPES: Mapping[str, Callable[[Bundle, torch.device, Members], tuple[Localizer, Grader]]] = {
    "multistage_mil": lambda bundle, device, members: (
        MultistageLocalizer(bundle, device, members),
        MultistageGrader(bundle, device, members),
    ),
}


def load_system(bundle: Path | None = None, device: str = "auto", members: Members | None = None) -> System:
    """Load a bundle, the embedded default one if none is named, onto a device.

    Parameters
    ----------
    members
        Names of the networks to use of an ensemble, by the ensemble's name; those not named here use all of
        theirs. Made for looking at patients that only some members never saw.

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
    localizer, grader = RECIPES[recipe](loaded, place, members or {})
    return System(localizer, grader, loaded.manifest.name, loaded.sha256, str(place))
