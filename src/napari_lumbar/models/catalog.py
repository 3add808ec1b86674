"""Every architecture a bundle may name. Adding an entry here adds it to the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ..domain.errors import BundleError
from .axial_point import AxialPointConfig, AxialPointNet
from .convnext3d import SliceIndexConfig, SliceIndexNet
from .crop_grader import CropGrader, CropGraderConfig
from .grade_calibration import GradeCalibration, GradeCalibrationConfig
from .heatmap_unet import HeatmapUNet, HeatmapUNetConfig
from .level_detector import LevelDetector, LevelDetectorConfig
from .lstm_mil import LstmMil, MilConfig
from .mscan import Mscan, MscanConfig
from .multiview_transformer import MultiviewConfig, MultiviewTransformer
from .point_regressor import PointRegressor, PointRegressorConfig
from .point_unet import PointUNet, PointUNetConfig
from .sequence_efficientnet import SequenceConfig, SequenceEfficientNet
from .three_way import ThreeWay, ThreeWayConfig

Config = Mapping[str, Any]


def _tuples(config: Config) -> dict[str, Any]:
    """JSON has lists where the configs have tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}


def _mscan_config(config: Config) -> MscanConfig:
    """Its encoders have configurations of their own."""
    encoders = {k: CropGraderConfig(**_tuples(config[k])) for k in ("sagittal", "axial") if k in config}
    return MscanConfig(**{**config, **encoders})


ARCHITECTURES: Mapping[str, Callable[[Config], nn.Module]] = {
    "heatmap_unet": lambda config: HeatmapUNet(HeatmapUNetConfig(**_tuples(config))),
    "slice_index_convnext3d": lambda config: SliceIndexNet(SliceIndexConfig(**_tuples(config))),
    "grade_calibration": lambda config: GradeCalibration(GradeCalibrationConfig(**config)),
    "multiview_transformer": lambda config: MultiviewTransformer(MultiviewConfig(**_tuples(config))),
    "point_regressor": lambda config: PointRegressor(PointRegressorConfig(**_tuples(config))),
    "lstm_mil": lambda config: LstmMil(MilConfig(**_tuples(config))),
    "point_unet": lambda config: PointUNet(PointUNetConfig(**_tuples(config))),
    "level_detector": lambda config: LevelDetector(LevelDetectorConfig(**_tuples(config))),
    "axial_point": lambda config: AxialPointNet(AxialPointConfig(**_tuples(config))),
    "crop_grader": lambda config: CropGrader(CropGraderConfig(**_tuples(config))),
    "mscan": lambda config: Mscan(_mscan_config(config)),
    "sequence_efficientnet": lambda config: SequenceEfficientNet(SequenceConfig(**_tuples(config))),
    "three_way": lambda config: ThreeWay(ThreeWayConfig(**_tuples(config))),
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
