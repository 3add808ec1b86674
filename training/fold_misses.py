"""How far the localiser of a fold misses studies that its networks never saw."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from safetensors.numpy import save_file
from torch import nn

from ..domain.spine import ConditionGroup
from ..models.blocks import channels_last
from ..models.convnext3d import SliceIndexNet
from ..models.point_regressor import PointRegressor
from ..pipeline.device import resolve_device
from ..pipeline.progress import CancelToken, ignore_progress
from ..pipeline.regression_localizer import (
    POINT_NAMES,
    SLICE_NAMES,
    LocalizerNetworks,
    RegressionLocalizer,
)
from .misses import Misses, load_misses, misses_of

if TYPE_CHECKING:  # recipes import this module
    from .recipes.recipe import FoldData

_FILE = "misses.safetensors"

N = TypeVar("N", bound=nn.Module)


def fold_misses(fold: FoldData, stages: Sequence[str], studies: int) -> Misses:
    """Misses on held-out studies; measured once, then kept in the fold's folder.

    Parameters
    ----------
    stages
        Names of the finished stages that make up the localiser.
    studies
        At most so many held-out studies are looked at.
    """
    path = fold.run / _FILE
    if not path.is_file():
        measured = _measure(fold, stages, studies)
        temporary = path.with_name(f"{os.getpid()}.{_FILE}")
        save_file({group.name: measured[group] for group in ConditionGroup}, temporary)
        temporary.replace(path)
    return load_misses(path)


def _measure(fold: FoldData, stages: Sequence[str], studies: int) -> Misses:
    device = resolve_device("auto")
    localizer = RegressionLocalizer(fold_localizer(fold, stages), device)
    parts = []
    for place in range(min(studies, len(fold.validation))):
        one = fold.validation[place]
        found = localizer.locate(one.study, ignore_progress, CancelToken())
        parts.append(misses_of(found, one.landmarks, one.study.series))
    empty = np.zeros((0, 3))
    return {group: np.concatenate([empty, *(part[group] for part in parts)]) for group in ConditionGroup}


def fold_localizer(fold: FoldData, stages: Sequence[str]) -> LocalizerNetworks:
    """The trained networks of a fold by what they find; an ensemble shares a name up to its hyphen."""
    networks = {name: channels_last(fold.trained(name)).requires_grad_(False) for name in stages}
    return LocalizerNetworks(
        {group: _of(networks, name, SliceIndexNet) for group, name in SLICE_NAMES.items()},
        {group: _of(networks, name, PointRegressor) for group, name in POINT_NAMES.items()},
    )


def _of(networks: Mapping[str, nn.Module], name: str, kind: type[N]) -> list[N]:
    return [
        network
        for stage, network in networks.items()
        if stage.partition("-")[0] == name and isinstance(network, kind)
    ]
