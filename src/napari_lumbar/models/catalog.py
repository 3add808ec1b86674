"""Every architecture a bundle may name. Adding an entry here adds it to the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ..domain.errors import BundleError
from .convnext3d import SliceIndexConfig, SliceIndexNet
from .grade_calibration import GradeCalibration, GradeCalibrationConfig
from .heatmap_unet import HeatmapUNet, HeatmapUNetConfig
from .lstm_mil import LstmMil, MilConfig

Config = Mapping[str, Any]


def _tuples(config: Config) -> dict[str, Any]:
    """JSON has lists where the configs have tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}


ARCHITECTURES: Mapping[str, Callable[[Config], nn.Module]] = {
    "heatmap_unet": lambda config: HeatmapUNet(HeatmapUNetConfig(**_tuples(config))),
    "slice_index_convnext3d": lambda config: SliceIndexNet(SliceIndexConfig(**_tuples(config))),
    "grade_calibration": lambda config: GradeCalibration(GradeCalibrationConfig(**config)),
    "lstm_mil": lambda config: LstmMil(MilConfig(**_tuples(config))),
}


def build_network(architecture: str, config: Config) -> nn.Module:
    """Build a network with fresh weights.

    Raises
    ------
    BundleError
        If nobody knows the architecture, or its configuration does not fit.
    """
    if architecture not in ARCHITECTURES:
        raise BundleError(
            f"architecture {architecture!r} is none of {sorted(ARCHITECTURES)}; "
            "the bundle was made for another version of napari-lumbar"
        )
    try:
        return ARCHITECTURES[architecture](config)
    except TypeError as error:
        raise BundleError(f"configuration {dict(config)} does not fit {architecture!r}: {error}") from error
