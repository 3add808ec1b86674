"""From a bundle on disk to a system ready to work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import torch

from ..domain.errors import BundleError
from ..domain.spine import ConditionGroup
from ..models.bundle import Bundle, default_bundle_path, load_bundle
from .confidence import LandmarkConfidence
from .device import resolve_device
from .grade import MultistageGrader
from .localise import MultistageLocalizer
from .mscan_grader import MscanGrader
from .mscan_localizer import MscanLocalizer
from .multiview_grader import MultiviewGrader
from .protocols import Grader, Localizer, System
from .regression_localizer import POINT_NAMES, LocalizerNetworks, RegressionLocalizer
from .sequence_grader import SequenceGrader
from .three_way_grader import ThreeWayGrader

Members = Mapping[str, Sequence[str]]


def _localizer(bundle: Bundle, device: torch.device, members: Members) -> Localizer:
    """The published localiser where a bundle holds its networks, else the embedded bundle's."""
    if bundle.holds(POINT_NAMES[ConditionGroup.CANAL]):
        networks = LocalizerNetworks.from_bundle(bundle, members)
        confidence = LandmarkConfidence.from_settings(bundle.manifest.settings)
        return RegressionLocalizer(networks, device, confidence)
    return MultistageLocalizer(bundle, device, members)


#: Every recipe that a bundle may come from, with what runs it.
RECIPES: Mapping[str, Callable[[Bundle, torch.device, Members], tuple[Localizer, Grader]]] = {
    "multistage_mil": lambda bundle, device, members: (
        _localizer(bundle, device, members),
        MultistageGrader(bundle, device, members),
    ),
    "multiview_transformer": lambda bundle, device, members: (
        _localizer(bundle, device, members),
        MultiviewGrader(bundle, device, members),
    ),
    "mscan": lambda bundle, device, members: (
        MscanLocalizer(bundle, device, members),
        MscanGrader(bundle, device, members),
    ),
    "sequence_efficientnet": lambda bundle, device, members: (
        _localizer(bundle, device, members),
        SequenceGrader(bundle, device, members),
    ),
    "three_way": lambda bundle, device, members: (
        _localizer(bundle, device, members),
        ThreeWayGrader(bundle, device, members),
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
    # Read anew from disk: what lies on a lost device cannot be moved.
    on_cpu = None if place.type == "cpu" else cache(lambda: load_system(bundle, "cpu", members))
    return System(localizer, grader, loaded.manifest.name, loaded.sha256, str(place), on_cpu)
